"""Lists filled into rule documents before pySigma reads them: `field|expand: '%list%'` becomes the list's entries.

Entries are literal: `*`, `?` and backslashes in them are escaped as Sigma escapes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from insigma.bind.model import Refused

_PLACEHOLDER = re.compile(r"%([A-Za-z0-9_.-]+)%", re.ASCII)
_SPECIAL = re.compile(r"[\\*?]")

Lists = Mapping[str, Sequence[str]]


def filled(document: Mapping[str, Any], lists: Lists) -> dict[str, Any]:
    """The document with every `expand` modifier worked out. Raises `Refused` for a list that is missing or empty."""
    return {key: _node(value, lists, (key,)) if key in ("detection", "filter") else value for key, value in document.items()}


def _node(node: Any, lists: Lists, where: tuple[str | int, ...]) -> Any:
    if isinstance(node, Mapping):
        return dict(_entry(str(key), value, lists, (*where, str(key))) for key, value in node.items())
    if isinstance(node, list):
        return [_node(item, lists, (*where, index)) for index, item in enumerate(node)]
    return node


def _entry(key: str, value: Any, lists: Lists, where: tuple[str | int, ...]) -> tuple[str, Any]:
    field, *modifiers = key.split("|")
    if "expand" not in modifiers:
        return key, _node(value, lists, where)
    written = value if isinstance(value, list) else [value]
    values = [each for item in written for each in (_expanded(item, lists, where) if isinstance(item, str) else (item,))]
    rest = "|".join((field, *(modifier for modifier in modifiers if modifier != "expand")))
    return rest, values[0] if len(values) == 1 else values


def _expanded(text: str, lists: Lists, where: tuple[str | int, ...]) -> Iterator[str]:
    """The text once for each choice of list entries."""
    pieces = _PLACEHOLDER.split(text)
    choices = [[piece] if index % 2 == 0 else _entries(piece, lists, where) for index, piece in enumerate(pieces)]
    for parts in product(*choices):
        yield "".join(parts)


def _entries(name: str, lists: Lists, where: tuple[str | int, ...]) -> list[str]:
    entries = lists.get(name)
    if not entries:
        raise Refused(f"placeholder '%{name}%' has no list to fill it, or an empty one", where)
    return [_SPECIAL.sub(lambda found: "\\" + found[0], entry) for entry in entries]
