"""The YAML reader: never raises, marks lie inside the file, and values are those of libyaml's safe loader where nothing is ambiguous."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from insigma.content.yaml_reader import MAX_DEPTH, MAX_NODES, Document, Key, Mark, read_bytes
from insigma.diagnostics.catalogue import CODES
from tests.content.hostile import TABLE
from tests.content.reading import document

PROPERTY = settings(derandomize=True, deadline=None, max_examples=400)
BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
"""Where YAML 1.1 ends a line."""

FRAGMENTS = st.sampled_from([
    "a", "b: ", "- ", "? ", ": ", "\n", "  ", "    ", "\t", "[", "]", "{", "}", ", ", "&x ", "*x", "!t ", "!!str ", "'", '"', "|\n", ">-\n",
    "# c\n", "---\n", "...\n", "%YAML 1.1\n",
    "<<: ", "é", "\u2028", "\x85", "\r", "\x00", "\ufeff", "😀", "yes", "null", "1.5", "0x1f", "\\x41",
])  # fmt: skip
YAMLISH = st.lists(FRAGMENTS, max_size=40).map("".join)


def nodes(data: Any, path: Key = ()) -> Iterator[tuple[Key, Any]]:
    yield path, data
    if isinstance(data, dict):
        for key, value in data.items():
            yield from nodes(value, (*path, key))
    if isinstance(data, list):
        for index, value in enumerate(data):
            yield from nodes(value, (*path, index))


def depth(data: Any) -> int:
    inner = list(data.values()) if isinstance(data, dict) else data if isinstance(data, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


def assert_inside(text: str, place: Any) -> None:
    lines = BREAK.split(text)
    assert 1 <= place.line <= len(lines)
    assert 1 <= place.column <= len(lines[place.line - 1]) + 1


def assert_sound(raw: bytes) -> None:
    """What must hold of any file at all."""
    result = read_bytes(raw, "x.yml")
    assert result.documents or result.diagnostics
    assert all(fault.code in CODES and fault.place.path == "x.yml" for fault in result.diagnostics)
    for found in result.documents:
        assert isinstance(found.data, dict)
        assert depth(found.data) <= MAX_DEPTH
        assert found.data.keys() <= {path[0] for path in found.key_marks if len(path) == 1}
    text = raw.decode("utf-8-sig", "replace").lstrip("\ufeff")
    for mark in [mark for found in result.documents for mark in (*found.marks.values(), *found.key_marks.values())]:
        assert_inside(text, mark)
    for fault in result.diagnostics:
        assert_inside(text, fault.place)


@PROPERTY
@given(st.binary(max_size=200))
def test_any_bytes_give_documents_or_faults_inside_the_file(raw: bytes) -> None:
    assert_sound(raw)


@settings(derandomize=True, deadline=None, max_examples=1000)
@given(YAMLISH)
@example("a: [\n\t]")
@example("a: &x [&x b, *x]")
@example("? a\n? b\n")
@example("a: 'b\n\n  c'\n")
def test_any_text_that_resembles_yaml_gives_documents_or_faults_inside_the_file(text: str) -> None:
    assert_sound(text.encode("utf-8"))


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name)
def test_hostile_files_are_read_soundly(case: Any) -> None:
    assert_sound(case.raw)


# Values

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff\ufffe\uffff"), max_size=8)
    | st.sampled_from(["yes", "no", "2026-01-02", "0x1f", "1_000", "12:30", "", "~", "null", "1e3", "="])
    | st.sampled_from(["<", "a\nb\n", " x ", "- a", "a: b", "'\""])
)
KEYS = st.text("abcé .|-_", min_size=1, max_size=6).filter(lambda key: key.strip() == key)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=15)
MAPPINGS = st.dictionaries(KEYS, VALUES, min_size=1, max_size=5)


STRICTER = re.compile(r"[yYnN]|[-+]?0o[0-7]+|[-+]\.[0-9]+|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}[Tt \t].*")
"""What we call ambiguous and PyYAML reads as text: YAML 1.1 or 1.2 has another reading of it."""


@PROPERTY
@example({"_": "N"}, None, False, 20)
@given(MAPPINGS, st.sampled_from([None, "'", '"', "|", ">"]), st.booleans(), st.integers(20, 200))
def test_what_a_dumper_writes_is_read_back_as_it_was(data: dict[str, Any], style: str | None, flow: bool, width: int) -> None:
    """A dumper quotes what would be ambiguous to it."""
    text = yaml.safe_dump(data, default_style=style, default_flow_style=flow, allow_unicode=True, width=width, sort_keys=False)
    if style is not None:
        data = yaml.load(text, yaml.CSafeLoader)
        text = yaml.safe_dump(data, default_flow_style=flow, allow_unicode=True, width=width, sort_keys=False)
    found = document(text)
    assert found.data == data
    assert [path for path, value in nodes(found.data) if path in found.ambiguous and not STRICTER.fullmatch(value)] == []
    assert set(found.marks) >= {path for path, _ in nodes(found.data)}


WORDS = (
    "y Y n N yes Yes YES no No NO on On ON off Off OFF true True TRUE false FALSE null Null NULL ~ nUll yEs .inf -.INF .nan .NaN 0b1 0o7 "
    "2026-1-2 2026-01-02T03:04:05Z 1:2 0:1.5 190:20:30 1_0.5 .5 -.5 1. +1 -0 00 08 00.5 1e3 1.0e3 1.0e+3 "
    "1.5E-3 1.e+3 1__0 0x_ = << 1.2.3"
)
PLAIN = st.from_regex(r"[-+]?[0-9a-fA-F_.:exobyYnNtT~-]{1,10}", fullmatch=True) | st.sampled_from(WORDS.split())


@settings(derandomize=True, deadline=None, max_examples=1500)
@given(PLAIN)
def test_a_plain_scalar_is_read_as_yaml_does_or_is_text_that_is_noted_as_ambiguous(text: str) -> None:
    try:
        theirs: Any = yaml.load(f"k: {text}", yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError):
        theirs = None
    if not isinstance(theirs, dict) or not isinstance(yaml.compose(f"k: {text}").value[0][1], yaml.ScalarNode):
        return
    found = document(f"k: {text}")
    if ("k",) in found.ambiguous:
        assert found.data["k"] == text
    else:
        assert found.data["k"] == theirs["k"]
        assert type(found.data["k"]) is type(theirs["k"])


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("yes", "yes", "a boolean"),
        ("Off", "Off", "a boolean"),
        ("n", "n", "a boolean"),
        ("true", True, None),
        ("tRUE", "tRUE", None),
        ("2026-01-02", "2026-01-02", "a date"),
        ("2026-01-02 03:04:05", "2026-01-02 03:04:05", "a date"),
        ("0755", "0755", "an octal or binary number"),
        ("0b101", "0b101", "an octal or binary number"),
        ("0o17", "0o17", "an octal or binary number"),
        ("08", "08", None),
        ("0x1F", "0x1F", "a hexadecimal number"),
        ("190:20:30", "190:20:30", "a sexagesimal number"),
        ("0:12.5", "0:12.5", "a sexagesimal number"),
        ("1_000", "1_000", "a number"),
        (".5", ".5", "a number"),
        ("01.5", "01.5", "a number"),
        (".inf", ".inf", "a number"),
        ("1.0e+999", "1.0e+999", "a number"),
        ("9" * 401, "9" * 401, "a number"),
        ("9" * 400, int("9" * 400), None),
        ("1.5e+3", 1500.0, None),
        ("1.0e3", "1.0e3", None),
        ("1e3", "1e3", None),
        ("+12", 12, None),
        ("10.0.0.1", "10.0.0.1", None),
        ("4104", 4104, None),
        ("~", None, None),
        ("NULL", None, None),
        ("nULL", "nULL", None),
        ("! 12", "12", None),
        ("!!str 12", "12", None),
        ("!!str", "", None),
        ("'yes'", "yes", None),
        ('"2026-01-02"', "2026-01-02", None),
        ("=", "=", None),
    ],
)
def test_a_scalar_is_read(text: str, value: Any, kind: str | None) -> None:
    found = document(f"k: {text}")
    assert found.data == {"k": value}
    assert type(found.data["k"]) is type(value)
    assert found.ambiguous.get(("k",)) == kind


def test_keys_stay_text() -> None:
    found = document("1: a\nyes: b\nnull: c\n2026-01-02: d\n? x\n: e\n~: f\n")
    assert list(found.data) == ["1", "yes", "null", "2026-01-02", "x", "~"]
    assert dict(found.ambiguous) == {}


def test_aliases_stand_for_their_value() -> None:
    found = document("a: &x {b: [c]}\nd: *x\ne: &y f\ng: [*y, *x]\n")
    assert found.data == {"a": {"b": ["c"]}, "d": {"b": ["c"]}, "e": "f", "g": ["f", {"b": ["c"]}]}
    assert (found.place("d", "b", 0).line, found.place("d", "b", 0).column) == (2, 4)


def test_a_value_of_the_deepest_nesting_is_read() -> None:
    text = "a: " + "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)
    assert depth(document(text).data) == MAX_DEPTH


def test_a_byte_order_mark_moves_no_column() -> None:
    (found,) = read_bytes(b"\xef\xbb\xbfa: b", "x.yml").documents
    assert found.marks["a",] == Mark(1, 4)


# Places

PLACES = document(
    """\
title: t
detection:
  sel:
    - a: [b, 'c', "d"]
    - é😀: {f: g}
  'quoted': |
    text
  folded: plain over
    two lines
""",
    "rules/x.yml",
)


@pytest.mark.parametrize(
    ("key", "value_at", "key_at"),
    [
        (("title",), (1, 8), (1, 1)),
        (("detection",), (3, 3), (2, 1)),
        (("detection", "sel", 0), (4, 7), (4, 7)),
        (("detection", "sel", 0, "a"), (4, 10), (4, 7)),
        (("detection", "sel", 0, "a", 2), (4, 19), (4, 19)),
        (("detection", "sel", 1, "é😀", "f"), (5, 15), (5, 12)),
        (("detection", "quoted"), (6, 13), (6, 3)),
        (("detection", "sel", 7, "x"), (4, 5), (4, 5)),
        (("nope",), (1, 1), (1, 1)),
        ((), (1, 1), (1, 1)),
    ],
)
def test_a_place_is_where_the_node_stands_or_the_nearest_above(key: Key, value_at: tuple[int, int], key_at: tuple[int, int]) -> None:
    for place, expected in ((PLACES.place(*key), value_at), (PLACES.key_place(*key), key_at)):
        assert place.path == "rules/x.yml"
        assert (place.line, place.column) == expected


@pytest.mark.parametrize(
    ("text", "offset", "column"),
    [
        ("k: abcdef", 3, 7),
        ("k: 'abcdef'", 3, 8),
        ('k: "abcdef"', 3, 8),
        ("k: 'a''b c'", 3, 9),
        ('k: "a\\tb\\x41\\u00e9\\U0001F600c"', 6, 29),
        ('k: "a\\\\b"', 2, 8),
        ("k: |\n  abc", 2, 4),
        ("k: ab\n  cd", 4, 4),
        ("k: &x abc", 2, 4),
        ("k: !!str abc", 2, 4),
        ("k: é😀x", 2, 6),
    ],
)
def test_a_column_inside_a_scalar_is_exact_or_that_of_its_start(text: str, offset: int, column: int) -> None:
    place = document(text).column_in(("k",), offset)
    assert (place.line, place.column) == (1, column)


@PROPERTY
@given(st.text("ab'\"\\\t é😀:#", min_size=1, max_size=10), st.sampled_from("'\""))
def test_a_column_inside_quotes_points_at_the_character(value: str, quote: str) -> None:
    text = yaml.safe_dump({"k": value}, default_style=quote, allow_unicode=True, width=1000).replace(f"{quote}k{quote}:", "k:")
    found: Document = document(text)
    line = text.split("\n")[0]
    quote = line[3]
    for offset, char in enumerate(found.data["k"]):
        rest = line[found.column_in(("k",), offset).column - 1 :]
        assert rest.startswith((char, "\\", "''"))
    assert line[found.column_in(("k",), len(value)).column - 1 :] == quote


def test_a_file_of_too_many_nodes_is_read_up_to_there() -> None:
    result = read_bytes(b"a: [" + b"x," * MAX_NODES + b"x]", "rules/a.yml")
    (fault,) = result.diagnostics
    assert (fault.code, fault.message) == ("INS002", "more than 100,000 nodes")
    assert fault.place.line == 1
    assert result.documents == ()
