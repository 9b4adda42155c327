"""Windows by brute force, straight from docs/semantics.md: no state, no sliding, no shared code with the evaluator.

An event here is a mapping with `time` (seconds), `members` (which base rules it matches), `group` (spellings) and
`values` (the raw values of the counted field).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import pairwise, permutations
from operator import eq, ge, gt, le, lt, ne
from typing import Any

OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {"lt": lt, "lte": le, "gt": gt, "gte": ge, "eq": eq, "neq": ne}
Event = Mapping[str, Any]


def exact(number: Any) -> Fraction | None:
    """The number as it is written in decimal; None for what is none."""
    if isinstance(number, bool):
        return None
    try:
        return Fraction(Decimal(str(number)))
    except InvalidOperation:
        return None


def numbers_of(window: Sequence[Event]) -> list[Fraction]:
    return sorted(number for event in window for value in event["values"] if (number := exact(value)) is not None)


def nearest_rank(numbers: Sequence[Fraction], percentile: int) -> Fraction:
    """The smallest number that at least `percentile` per cent of the numbers do not exceed."""
    return next(number for number in numbers if sum(other <= number for other in numbers) * 100 >= percentile * len(numbers))


def value_of(kind: str, window: Sequence[Event], percentile: int) -> Fraction | int | None:
    """The value of a window; None where it has none."""
    if kind == "event_count":
        return len(window)
    if kind == "value_count":
        return len({str(value).lower() for event in window for value in event["values"]})
    if kind == "temporal":
        return len({member for event in window for member in event["members"]})
    numbers = numbers_of(window)
    if not numbers:
        return None
    if kind == "value_sum":
        return sum(numbers, Fraction(0))
    if kind == "value_avg":
        return sum(numbers, Fraction(0)) / len(numbers)
    return nearest_rank(numbers, percentile if kind == "value_percentile" else 50)


def in_order(window: Sequence[Event], rules: Sequence[str]) -> bool:
    """Whether distinct events satisfy the rules one after the other, equal times in any order."""
    return any(
        all(rule in event["members"] for rule, event in zip(rules, chosen, strict=True))
        and all(before["time"] <= after["time"] for before, after in pairwise(chosen))
        for chosen in permutations(window, len(rules))
    )


def satisfied(kind: str, window: Sequence[Event], condition: Mapping[str, Any], rules: Sequence[str]) -> tuple[bool, Any]:
    """Whether the condition holds for the window, and the window's value."""
    if kind == "temporal_ordered":
        return in_order(window, rules), len(rules)
    value = value_of(kind, window, condition.get("percentile", 50))
    bounds = [(OPERATORS[name], exact(number)) for name, number in condition.items() if name in OPERATORS]
    return value is not None and all(holds(value, number) for holds, number in bounds), value


def alerts(kind: str, events: Sequence[Event], timespan: int, condition: Mapping[str, Any], rules: Sequence[str]) -> list[dict[str, Any]]:
    """The alerts of one group's events, by time."""
    instants = []
    for time in sorted({event["time"] for event in events}):
        window = [event for event in events if time - timespan <= event["time"] <= time]
        holds, value = satisfied(kind, window, condition, rules)
        if holds:
            instants.append((time, value, window))
    runs: list[list[Any]] = []
    for instant in instants:
        if runs and instant[0] - runs[-1][-1][0] <= timespan:
            runs[-1].append(instant)
        else:
            runs.append([instant])
    upper = [name for name in condition if name in OPERATORS]
    best = min if upper and all(name in ("lt", "lte") for name in upper) else max
    return [
        {
            "first": min(event["time"] for _, _, window in run for event in window),
            "last": max(event["time"] for _, _, window in run for event in window),
            "value": best(value for _, value, _ in run),
            "indexes": sorted({event["index"] for _, _, window in run for event in window}),
            "instants": [time for time, _, _ in run],
        }
        for run in runs
    ]


def shown(value: Any) -> Any:
    """A window's value as an alert shows it: a whole number, else the nearest float."""
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else float(value)
    return value
