"""A profile that is too large is told at its place, and not read on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from insigma.content.profile_limits import MAX_ENTRIES, MAX_EXPRESSIONS, MAX_TEXT, MAX_VALUES, beyond_limits
from insigma.content.profiles import read_tenant
from insigma.content.yaml_reader import Document, read_bytes


def profile(*exceptions: dict[str, Any], **parts: Any) -> Document:
    """A profile, one exception a line from line 4 on."""
    head = [
        '{"tenant": {"id": "firma"},',
        "".join(f"{json.dumps(key)}: {json.dumps(value)}, " for key, value in parts.items()),
        '"exceptions": [',
    ]
    lines = [f"{json.dumps({'where': where})}," for where in exceptions]
    (document,) = read_bytes("\n".join([*head, *lines, "]}"]).encode(), "firma.yml").documents
    return document


def told(document: Document) -> tuple[int, str, str] | None:
    fault = beyond_limits(document)
    tenant, faults = read_tenant(document)
    assert (tenant is None) == (fault is not None)
    assert faults == ((fault,) if fault is not None else ())
    if fault is None:
        return None
    assert fault.hint
    return fault.place.line, fault.code, fault.message


def test_entries_are_counted_on_every_level_but_values_of_lists_are_not() -> None:
    lists = {"names": {"mode": "inline", "values": [str(number) for number in range(MAX_ENTRIES)]}}
    fixed = len(("tenant", "id", "lists", "names", "mode", "values", "feeds", "exceptions"))
    feeds = {str(number): {"absent": True} for number in range((MAX_ENTRIES - fixed) // 2)}
    assert told(profile(lists=lists, feeds=feeds)) is None
    feeds["one"] = {"absent": True}
    assert told(profile(lists=lists, feeds=feeds)) == (
        1,
        "INS002",
        "the profile has more than 10,000 entries besides the values of its lists",
    )


def test_values_of_all_exceptions_together_are_counted() -> None:
    half = {"user.name": [str(number) for number in range(MAX_VALUES // 2)]}
    assert told(profile(half, half)) is None
    assert told(profile(half, half, {"user.name": "one"})) == (6, "INS002", "the exceptions have more than 2,000 values")
    assert told(profile({"user.name": [[{"a": value} for value in half["user.name"] * 2 + ["one"]]]})) == (
        4,
        "INS002",
        "the exceptions have more than 2,000 values",
    )


@pytest.mark.parametrize("key", ["user.name|re", "user.name|re|i", "user.name|startswith|re", "|re"])
def test_regular_expressions_are_counted_by_themselves(key: str) -> None:
    most = {key: ["x"] * MAX_EXPRESSIONS, "user.id|contains": ["x"] * 500}
    assert told(profile(most)) is None
    assert told(profile(most, {key: "x"})) == (5, "INS002", "the exceptions have more than 100 regular expressions")


@pytest.mark.parametrize("key", ["user.name", "user.name|re", "user.name|contains"])
def test_a_value_has_an_end(key: str) -> None:
    assert told(profile({key: "x" * MAX_TEXT})) is None
    assert told(profile({}, {key: ["x", "x" * (MAX_TEXT + 1)]})) == (5, "INS002", "a value of an exception has more than 1,000 characters")


@pytest.mark.parametrize(
    "exceptions", [None, "x", 5, {}, {"where": {}}, [], ["x"], [[]], [{}], [{"where": "x"}], [{"where": ["x"]}]], ids=repr
)
def test_exceptions_of_another_kind_are_no_business_of_the_limits(exceptions: Any) -> None:
    (document,) = read_bytes(json.dumps({"tenant": {"id": "firma"}, "exceptions": exceptions}).encode(), "firma.yml").documents
    assert told(document) is None
