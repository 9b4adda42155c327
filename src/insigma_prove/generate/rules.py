"""Strategies for event rules with events that are correlated with them, so that both verdicts are frequent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from insigma_prove.generate.drafts import Draft, Item, event_document
from insigma_prove.generate.draws import pick
from insigma_prove.generate.events import events_for
from insigma_prove.generate.items import LIST_NAMES, TEXTS, items, keywords

MOST_EVENTS = 8


@st.composite
def event_rules(draw: DrawFn) -> Draft:
    """A rule, its lists and up to `MOST_EVENTS` events."""
    names = [f"s{number}" for number in range(pick(draw, (1, 1, 2, 3)))]
    selections = {name: draw(_selections()) for name in names}
    detection = {name: written for name, (written, _) in selections.items()}
    made = tuple(item for _, found in selections.values() for item in found)
    lists = {name: tuple(draw(st.lists(TEXTS, max_size=3))) for name in LIST_NAMES} if any("|expand" in item.key for item in made) else {}
    document = event_document({**detection, "condition": draw(_conditions(names))})
    return Draft((document,), draw(events_for(made, lists, MOST_EVENTS)), lists)


@st.composite
def _selections(draw: DrawFn) -> tuple[Any, tuple[Item, ...]]:
    """A selection as written, and its items: a mapping, a list of mappings, or keywords."""
    kind = pick(draw, ("mapping",) * 8 + ("list", "keywords"))
    if kind == "keywords":
        return draw(keywords())
    found = draw(st.lists(items(), min_size=1, max_size=3, unique_by=lambda item: item.key))
    if kind == "list":
        return [{item.key: item.value} for item in found], tuple(found)
    return {item.key: item.value for item in found}, tuple(found)


@st.composite
def _conditions(draw: DrawFn, names: Sequence[str], depth: int = 2) -> str:
    """A condition over the selections: negation, nesting, quantifiers."""
    kinds = ("name", "name", "not", "and", "or", "of") if depth else ("name",)
    kind = pick(draw, kinds if depth < 2 else (*kinds, "and all"))
    if kind == "name":
        return pick(draw, names)
    if kind == "not":
        return f"not {_bracketed(draw(_conditions(names, depth - 1)))}"
    if kind == "of":
        return pick(draw, ("1 of s*", "all of s*", "1 of them", "all of them", "not 1 of s*", "any of them", "not all of them"))
    if kind == "and all":
        return " and ".join(("" if draw(st.booleans()) else "not ") + name for name in names)
    return f" {kind} ".join(_bracketed(draw(_conditions(names, depth - 1))) for _ in range(2))


def _bracketed(condition: str) -> str:
    return f"({condition})" if " " in condition else condition
