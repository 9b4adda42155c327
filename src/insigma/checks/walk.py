"""Walking a rule document as written, so that a check can point at the exact key or value.

Works on what the reader gave, however broken: whatever is not shaped like a detection is passed over without a word
(other checks speak of it). Covers event rules (`detection`) and filters (`filter`); correlations have neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from insigma.content.yaml_reader import Document, Key

_NOT_SELECTIONS = {"detection": ("condition", "timeframe"), "filter": ("condition", "rules")}


@dataclass(frozen=True, slots=True)
class Selection:
    """A selection as written: its name, the path to it, and what stands there."""

    name: str
    path: Key
    value: Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One `field|modifier: values` of a selection, or a list of keywords (`field` None, or a key such as `|all`).

    `path` leads to the key (to the list or value itself for bare keywords), `value` is what stands there, and
    `values` are its single values, each with the path to it. A list in a list is walked through.
    """

    selection: str
    path: Key
    field: str | None
    modifiers: tuple[str, ...]
    value: Any
    values: tuple[tuple[Any, Key], ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One single value of an entry: `path` leads to the key, `value_path` to the value."""

    selection: str
    path: Key
    field: str | None
    modifiers: tuple[str, ...]
    value: Any
    value_path: Key


def selections(document: Document) -> Iterator[Selection]:
    """Every selection of a rule or filter, in order."""
    for section, others in _NOT_SELECTIONS.items():
        body = document.data.get(section)
        if isinstance(body, Mapping):
            for name, value in body.items():
                if name not in others:
                    yield Selection(name, (section, name), value)


def conditions(document: Document) -> Iterator[tuple[str, Key]]:
    """Every condition written as text, with the path to it. Correlation conditions are mappings and not among them."""
    for section in _NOT_SELECTIONS:
        body = document.data.get(section)
        if not isinstance(body, Mapping):
            continue
        condition = body.get("condition")
        if isinstance(condition, str):
            yield condition, (section, "condition")
        elif isinstance(condition, list):
            yield from ((text, (section, "condition", index)) for index, text in enumerate(condition) if isinstance(text, str))


def detection_entries(document: Document) -> Iterator[Entry]:
    """Every entry of every selection, in order."""
    for selection in selections(document):
        yield from _entries(selection.name, selection.path, selection.value)


def detection_items(document: Document) -> Iterator[Item]:
    """Every single value of every entry, in order. An entry with an empty list gives none."""
    for entry in detection_entries(document):
        for value, value_path in entry.values:
            yield Item(entry.selection, entry.path, entry.field, entry.modifiers, value, value_path)


def _entries(selection: str, path: Key, node: Any) -> Iterator[Entry]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            field, *modifiers = key.split("|")
            below = (*path, key)
            yield Entry(selection, below, field or None, tuple(modifiers), value, tuple(_values(value, below)))
    elif isinstance(node, list):
        yield from _listed(selection, path, node)
    else:
        yield Entry(selection, path, None, (), node, ((node, path),))


def _listed(selection: str, path: Key, nodes: list[Any]) -> Iterator[Entry]:
    """A list of maps, lists and keywords; the keywords of one list are one entry, and come first."""
    keywords = tuple((node, (*path, index)) for index, node in enumerate(nodes) if not isinstance(node, (Mapping, list)))
    if keywords:
        yield Entry(selection, path, None, (), [value for value, _ in keywords], keywords)
    for index, node in enumerate(nodes):
        if isinstance(node, (Mapping, list)):
            yield from _entries(selection, (*path, index), node)


def _values(value: Any, path: Key) -> Iterator[tuple[Any, Key]]:
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _values(item, (*path, index))
    elif not isinstance(value, Mapping):
        yield value, path
