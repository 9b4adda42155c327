"""What changed in a block of selections and a condition, as the rule's author writes it: one short statement a change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from insigma.diff.data import beyond, same, shown
from insigma.diff.model import ABSENT


def selection_changes(before: Mapping[str, Any], after: Mapping[str, Any], explained: Sequence[str] = ()) -> Iterator[str]:
    """The statements. `explained` are paths such as `selection.field|gte` whose new number is told elsewhere."""
    names = [name for name in dict.fromkeys((*before, *after)) if name != "condition"]
    for name in names:
        old, new = before.get(name, ABSENT), after.get(name, ABSENT)
        if same(old, new):
            continue
        if old is ABSENT:
            yield f"selection '{name}' added: {shown(new)}"
        elif new is ABSENT:
            yield f"selection '{name}' removed: {shown(old)}"
        elif isinstance(old, dict) and isinstance(new, dict):
            yield from _items(name, old, new, explained)
        else:
            yield f"selection '{name}': {_values(_listed(old), _listed(new))}"
    conditions = [block.get("condition", ABSENT) for block in (before, after)]
    if not same(*conditions):
        yield f"condition: {' -> '.join('none' if text is ABSENT else shown(text) for text in conditions)}"


def _items(name: str, before: Mapping[str, Any], after: Mapping[str, Any], explained: Sequence[str]) -> Iterator[str]:
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key, ABSENT), after.get(key, ABSENT)
        if same(old, new) or f"{name}.{key}" in explained:
            continue
        if old is ABSENT:
            yield f"selection '{name}': added {key}: {shown(new)}"
        elif new is ABSENT:
            yield f"selection '{name}': removed {key}: {shown(old)}"
        else:
            yield f"selection '{name}', {key}: {_values(_listed(old), _listed(new))}"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _values(before: list[Any], after: list[Any]) -> str:
    """What came and what went; one value for another is told as such."""
    added, removed = beyond(after, before), beyond(before, after)
    if len(before) == len(after) == 1:
        return f"{quoted(before[0])} -> {quoted(after[0])}"
    told = [f"{verb} {', '.join(map(quoted, values))}" for verb, values in (("added", added), ("removed", removed)) if values]
    return "; ".join(told) or "written in another order"


def quoted(value: Any) -> str:
    """A value in one line, text in quotes."""
    return f"'{value}'" if isinstance(value, str) else shown(value)


def value_changes(before: Sequence[Any], after: Sequence[Any]) -> str:
    """The statement about two lists of values: "added 'a'; removed 'b'"; empty if they hold the same."""
    return "" if same(list(before), list(after)) else _values(list(before), list(after))
