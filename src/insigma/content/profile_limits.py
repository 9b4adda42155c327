"""How much a tenant's profile may ask for: beyond that nobody reads it any more, and checking and building it take too long.

A profile is written by somebody at a customer. What is counted costs more than its place in a file: every entry is looked up among
names, every value of an exception stands in each of its rules on each target, and a regular expression is compiled for each.
Values of lists are cheap, and as many as a file may hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

MAX_ENTRIES = 10_000
"""Keys and items in all, besides the values of lists."""
MAX_VALUES = 2_000
"""Values of all exceptions together."""
MAX_EXPRESSIONS = 100
"""Those of them that are regular expressions."""
MAX_TEXT = 1_000
"""Characters of one value of an exception."""

_CODE = "INS002"
_DECIDE = "an exception is read by those who approve it: name fewer, or put them into a list that the rule excludes"


def beyond_limits(document: Document) -> Diagnostic | None:
    """What makes the profile too large to be read on; None for any that is not."""
    data = document.data
    if sum(1 for _ in _entries(data, ())) > MAX_ENTRIES:
        message = f"the profile has more than {MAX_ENTRIES:,} entries besides the values of its lists"
        return Diagnostic(document.place(), _CODE, message, "part it: a tenant is one customer's systems")
    values = expressions = 0
    for index, where in _exceptions(data):
        place = document.place("exceptions", index, "where")
        for key, value in where.items():
            items = list(_scalars(value))
            values += len(items)
            expressions += len(items) if "re" in str(key).split("|")[1:] else 0
            if any(isinstance(item, str) and len(item) > MAX_TEXT for item in items):
                return Diagnostic(place, _CODE, f"a value of an exception has more than {MAX_TEXT:,} characters", _DECIDE)
        if values > MAX_VALUES:
            return Diagnostic(place, _CODE, f"the exceptions have more than {MAX_VALUES:,} values", _DECIDE)
        if expressions > MAX_EXPRESSIONS:
            return Diagnostic(place, _CODE, f"the exceptions have more than {MAX_EXPRESSIONS} regular expressions", _DECIDE)
    return None


def _entries(node: Any, path: tuple[str, ...]) -> Iterator[None]:
    """One for each key and item below the node."""
    if path[:1] == ("lists",) and path[2:] == ("values",):
        return
    parts = enumerate(node) if isinstance(node, list) else node.items() if isinstance(node, dict) else ()
    for key, part in parts:
        yield None
        yield from _entries(part, (*path, str(key)))


def _exceptions(data: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    written = data.get("exceptions") if isinstance(data, dict) else None
    for index, entry in enumerate(written if isinstance(written, list) else ()):
        where = entry.get("where") if isinstance(entry, dict) else None
        if isinstance(where, dict):
            yield index, where


def _scalars(node: Any) -> Iterator[Any]:
    if isinstance(node, (dict, list)):
        for part in node.values() if isinstance(node, dict) else node:
            yield from _scalars(part)
    else:
        yield node
