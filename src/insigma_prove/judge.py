"""Comparing what an engine found with the reference, as each window class promises.

`event`: the same events. `exact`: the same satisfying instants of the same groups, and one row a group with its first and
last instant. EQL sequences: every sequence ends at a satisfying instant of its group, and every alert has one. `hopping`:
no group that the rule does not alert on, and every group that alerts in a window one step shorter. `approximate` promises
nothing: such a detection only has to run.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from insigma.content.folding import fold
from insigma.evaluate.events import iso, text_of
from insigma_prove.reference import Group, Span, Truth

SLACK = 1e-6
"""By how much a sum or average, which targets keep in binary and round to six decimals, may differ from the exact one."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which an engine and the reference disagree, for people."""

    message: str


def events_differ(hits: Iterable[int], truth: Truth) -> list[Difference]:
    """Events found and not meant, or meant and not found. A repeated delivery counts with its first."""
    found = {truth.first_of[position] for position in hits}
    return [
        *(Difference(f"event {position} matches the rule, but the query does not find it") for position in sorted(truth.positions - found)),
        *(Difference(f"the query finds event {position}, which the rule does not match") for position in sorted(found - truth.positions)),
    ]


def instants_differ(found: set[tuple[int, Group]], truth: Truth) -> list[Difference]:
    """Satisfying instants that only one of the two has."""
    return [
        *(Difference(f"{_moment(entry)} satisfies the rule, but not the query") for entry in sorted(truth.instants - found)),
        *(Difference(f"{_moment(entry)} satisfies the query, but not the rule") for entry in sorted(found - truth.instants)),
    ]


def spans_differ(found: Sequence[tuple[Group, tuple[int, int, float | None]]], truth: Truth, valued: bool) -> list[Difference]:
    """Groups that only one of the two alerts on or that alert in several rows, and those whose first or last instant or best value differ.

    `valued` says that every row has to have a value.
    """
    rows = Counter(group for group, _ in found)
    differences = groups_differ(frozenset(rows), frozenset(truth.spans), frozenset(truth.spans))
    differences += [Difference(f"group {_named(group)} has {rows[group]} rows") for group in sorted(rows) if rows[group] > 1]
    for group, (first, last, value) in sorted(found, key=lambda row: row[0]):
        span = truth.spans.get(group)
        if span is None:
            continue
        if (first, last) != (span.first, span.last):
            told = f"from {iso(first)} to {iso(last)}, by the rule from {iso(span.first)} to {iso(span.last)}"
            differences.append(Difference(f"group {_named(group)} alerts {told}"))
        elif value is None and valued:
            differences.append(Difference(f"group {_named(group)} has no value, by the rule {span.value}"))
        elif value is not None and not _close(value, span):
            differences.append(Difference(f"group {_named(group)} has the value {value}, by the rule {span.value}"))
    return differences


def groups_differ(found: frozenset[Group], least: frozenset[Group], most: frozenset[Group]) -> list[Difference]:
    """Groups alerted on that are not among `most`, and groups of `least` that are not."""
    return [
        *(Difference(f"group {_named(group)} alerts by the rule, but not by the query") for group in sorted(least - found)),
        *(Difference(f"group {_named(group)} alerts by the query, but not by the rule") for group in sorted(found - most)),
    ]


def sequences_differ(found: Iterable[tuple[int, Group]], truth: Truth, alerts: Sequence[tuple[Group, Sequence[int]]]) -> list[Difference]:
    """Sequences that end at no satisfying instant, and alerts (group, instants) in which no sequence ends."""
    ends = set(found)
    differences = [
        Difference(f"a sequence ends at {_moment(entry)}, which does not satisfy the rule") for entry in sorted(ends - truth.instants)
    ]
    for group, instants in alerts:
        if not any((time, group) in ends for time in instants):
            differences.append(Difference(f"no sequence ends in the alert of group {_named(group)} at {iso(instants[0])}"))
    return differences


def key_text(value: Any) -> str:
    """A group's value as the reference writes it: text folded, a number as its canonical decimal."""
    return fold(text_of(value) if not isinstance(value, float) or not value.is_integer() else text_of(int(value)))


def _close(value: float, span: Span) -> bool:
    return math.isclose(value, span.value, rel_tol=SLACK, abs_tol=SLACK)


def _moment(entry: tuple[int, Group]) -> str:
    return f"{iso(entry[0])} of group {_named(entry[1])}"


def _named(group: Group) -> str:
    return "(" + ", ".join(group) + ")"
