"""Two YAML documents compared as data: what changed, by path, with the lines where it stands.

Lists count as sets of values; a list of mappings is compared by the key that names its entries (`id`, `code`, ...).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from insigma.content.numbers import canonical_number
from insigma.content.yaml_reader import Document, Key
from insigma.diff.model import ABSENT, Change

NAMING = ("id", "code", "name", "group", "rule", "logsource")
"""Keys by which an entry of a list is known, the first that every entry has and no two share."""


def changes(before: Document, after: Document, skip: Collection[str] = ()) -> tuple[Change, ...]:
    """What changed, in the order of the old document, new things last. `skip` are paths that are told elsewhere."""
    found = _Walk(before, after, frozenset(skip))
    return tuple(found.mapping(before.data, after.data, "", (), ()))


class _Walk:
    """Goes down two documents at once. Raw keys lead to places, the shown path is for people."""

    def __init__(self, before: Document, after: Document, skip: frozenset[str]) -> None:
        self._before = before
        self._after = after
        self._skip = skip

    def mapping(self, before: Mapping[str, Any], after: Mapping[str, Any], shown: str, old: Key, new: Key) -> Iterator[Change]:
        for key in dict.fromkeys((*before, *after)):
            path = f"{shown}.{key}" if shown else str(key)
            if path not in self._skip:
                yield from self._value(before.get(key, ABSENT), after.get(key, ABSENT), path, (*old, key), (*new, key))

    def _value(self, before: Any, after: Any, shown: str, old: Key, new: Key) -> Iterator[Change]:
        if same(before, after):
            return
        if isinstance(before, dict) and isinstance(after, dict):
            yield from self.mapping(before, after, shown, old, new)
        elif isinstance(before, list) and isinstance(after, list):
            yield from self._list(before, after, shown, old, new)
        else:
            yield self._change(shown, before, after, old, new)

    def _list(self, before: list[Any], after: list[Any], shown: str, old: Key, new: Key) -> Iterator[Change]:
        naming = naming_key(before, after)
        if naming is None:
            added, removed = beyond(after, before), beyond(before, after)
            yield self._change(shown, before, after, old, new, added, removed)
            return
        was = {entry[naming]: index for index, entry in enumerate(before)}
        now = {entry[naming]: index for index, entry in enumerate(after)}
        if list(was) != list(now) and set(was) == set(now):
            yield self._change(shown, list(was), list(now), old, new)
        for name in dict.fromkeys((*was, *now)):
            one = before[was[name]] if name in was else ABSENT
            other = after[now[name]] if name in now else ABSENT
            path = f"{shown}[{naming}={name}]"
            yield from self._value(one, other, path, (*old, was.get(name, 0)), (*new, now.get(name, 0)))

    def _change(
        self, shown: str, before: Any, after: Any, old: Key, new: Key, added: Sequence[Any] = (), removed: Sequence[Any] = ()
    ) -> Change:
        line_before = 0 if before is ABSENT else self._before.key_place(*old).line
        line_after = 0 if after is ABSENT else self._after.key_place(*new).line
        return Change(shown, before, after, line_before, line_after, tuple(added), tuple(removed), old, new)


def naming_key(*lists: list[Any]) -> str | None:
    """The key that names every entry of the lists, once in each; None where there is none."""
    for key in NAMING:
        names = [[entry.get(key) if isinstance(entry, dict) else None for entry in entries] for entries in lists]
        if all(isinstance(name, str) for found in names for name in found) and all(len(set(found)) == len(found) for found in names):
            return key if any(names) else None
    return None


def beyond(values: Sequence[Any], others: Sequence[Any]) -> list[Any]:
    """The values that are not among the others, one for one."""
    left = Counter(map(_canonical, others))
    found = []
    for value in values:
        text = _canonical(value)
        if left[text] > 0:
            left[text] -= 1
        else:
            found.append(value)
    return found


def same(before: Any, after: Any) -> bool:
    """Whether two values are the same for a reader of YAML: 1 is no true, and 1.0 is 1."""
    return before is after or (before is not ABSENT and after is not ABSENT and _canonical(before) == _canonical(after))


def _canonical(value: Any) -> str:
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def shown(value: Any) -> str:
    """A value in one line, much as YAML's flow style has it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {shown(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(shown, value)) + "]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return canonical_number(value) if isinstance(value, (int, float)) else str(value)
