"""Documents compared as data."""

from __future__ import annotations

import pytest

from insigma.content.yaml_reader import Document, read_bytes
from insigma.diff.data import changes, shown
from insigma.diff.said import change_said


def document(text: str) -> Document:
    (found,) = read_bytes(text.encode(), "x.yml").documents
    return found


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("a: 1", "a: 1.0", []),
        ("a: 1", "a: true", ["a: 1 -> true (line 1)"]),
        ("a: 1", "a: '1'", ["a: 1 -> 1 (line 1)"]),
        ("a: null", "b: 1", ["a removed: null (was line 1)", "b added: 1 (line 1)"]),
        ("a: {b: 1, c: 2}", "a: {c: 2, b: 1}", []),
        ("a: {b: {c: 1}}", "a:\n  b:\n    c: 2", ["a.b.c: 1 -> 2 (line 3)"]),
        ("a: [x, y]", "a: [y, z, z]", ["a + z + z - x (line 1)"]),
        ("a: [x, y]", "a: [y, x]", ["a: order [x, y] -> [y, x] (line 1)"]),
        ("a: x", "a: [x]", ["a: x -> [x] (line 1)"]),
        (
            "a: [{code: x, m: 1}]",
            "a: [{code: y, m: 1}, {code: x, m: 2}]",
            ["a[code=x].m: 1 -> 2 (line 1)", "a[code=y] added: {code: y, m: 1} (line 1)"],
        ),
        ("a: [{code: x}, {code: y}]", "a: [{code: y}, {code: x}]", ["a: order [x, y] -> [y, x] (line 1)"]),
        ("a: [{code: x}, {code: x, m: 1}]", "a: [{code: x}]", ["a - {code: x, m: 1} (line 1)"]),
        ("a: [{m: 1}]", "a: [{m: 2}]", ["a + {m: 2} - {m: 1} (line 1)"]),
        ("a: short", f"a: {'long ' * 30}", ["a: reworded (line 1)"]),
        ("a: [x]", f"a: [x, {'y' * 200}]", [f"a + {'y' * 100}… (line 1)"]),
    ],
)
def test_changes(before: str, after: str, said: list[str]) -> None:
    assert [change_said(change, lines=True) for change in changes(document(before), document(after))] == said


def test_paths_that_are_told_elsewhere_are_left_out() -> None:
    found = changes(document("a: {b: 1, c: 1}"), document("a: {b: 2, c: 2}"), {"a.b"})
    assert [change.path for change in found] == ["a.c"]


def test_places_are_those_of_each_side() -> None:
    (change,) = changes(document("l:\n- id: a\n- id: b\n  v: 1"), document("# now\nl:\n- id: b\n  v: 2\n- id: a\n"))[1:]
    assert (change.path, change.line_before, change.line_after) == ("l[id=b].v", 4, 4)
    assert (change.key_before, change.key_after) == (("l", 1, "v"), ("l", 0, "v"))


def test_values_in_one_line() -> None:
    assert shown({"a": [1, None, True, 2.5], "b": "x"}) == "{a: [1, null, true, 2.5], b: x}"
