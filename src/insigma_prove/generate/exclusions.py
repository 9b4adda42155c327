"""What is known not to hold, by name and with its reason: such a set is set aside for a language, and counted.

Nothing else is set aside. What is never made up at all, for the same kind of reason: events without a log source (the
evaluator then judges them against every rule, a target has no such events); texts with half surrogate pairs (readers make
U+FFFD of them); values that a field's type does not hold, such as a fraction in a `long`, an array where none is declared or
text that is no number in a number field (docs/targets/elastic.md, "What the data has to be").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from insigma.bind.model import BoundCorrelation
from insigma.content.model import Correlation, CorrelationType
from insigma.evaluate.events import flatten, time_of
from insigma_prove.stands import Compiled

Events = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """`applies` to a detection and the events it would be tried on."""

    name: str
    reason: str
    applies: Callable[[Compiled, Events], bool]


def excluded(compiled: Compiled, events: Events) -> str:
    """The name of the first exclusion that applies, or nothing."""
    return next((one.name for one in EXCLUSIONS if one.applies(compiled, events)), "")


def _values(events: Events) -> Iterator[Any]:
    for event in events:
        for value in flatten(event).values():
            yield from value if isinstance(value, tuple) else (value,)


def _texts(events: Events) -> Iterator[str]:
    return (value for value in _values(events) if isinstance(value, str))


def _hold(events: Events, letters: str) -> bool:
    return any(not set(letters).isdisjoint(text) for text in _texts(events))


def _language(compiled: Compiled, *languages: str) -> bool:
    return compiled.detection.language in languages


def _undone(compiled: Compiled, events: Events) -> bool:
    detection, rule = compiled.detection, compiled.rule
    if not detection.window.startswith("hopping(") or not isinstance(rule, Correlation):
        return False
    if any("can be undone by further events" in note for note in detection.notes):
        return True
    return rule.type is CorrelationType.VALUE_SUM and any(isinstance(value, (int, float)) and value < 0 for value in _values(events))


def _simultaneous(compiled: Compiled, events: Events) -> bool:
    if not _language(compiled, "eql") or not isinstance(compiled.rule, Correlation):
        return False
    times = [time_of(flatten(event)) for event in events]
    return len(set(times)) < len(times)


def _beyond_double(compiled: Compiled, events: Events) -> bool:
    """Fields of double precision are given none; a `long` on Splunk is text there, and read as a double."""
    return compiled.detection.target == "splunk" and any(abs(value) > 2**53 for value in _numbers(events))


def _numbers(events: Events) -> Iterator[int | float]:
    for value in _values(events):
        if isinstance(value, str) and value.removeprefix("-").isdecimal() and value.isascii():
            yield int(value)
        elif isinstance(value, (int, float)):
            yield value


def _real_groups(compiled: Compiled, events: Events) -> bool:  # noqa: ARG001 - the signature is given
    bound = compiled.bound
    return isinstance(bound, BoundCorrelation) and any(field.type == "real" for fields in bound.group_by for field in fields)


EXCLUSIONS: tuple[Exclusion, ...] = (
    Exclusion(
        "a condition that further events undo, in hopping windows",
        "docs/targets/elastic.md, Correlations: such a window may judge otherwise than the rule's; the ledger says so",
        _undone,
    ),
    Exclusion(
        "simultaneous events in an EQL sequence",
        "docs/targets/elastic.md, Correlations: events of the same millisecond are taken in index order",
        _simultaneous,
    ),
    Exclusion(
        "whole numbers beyond 2^53 in double precision",
        "docs/targets/splunk.md, Limits: neighbours run together",
        _beyond_double,
    ),
    Exclusion(
        "U+0130 and Cherokee on Elastic",
        "docs/targets/elastic.md, What the data has to be: insigma_fold folds them otherwise than the evaluator",
        lambda compiled, events: compiled.detection.target == "elastic" and _hold(events, "İᏸᏰ"),
    ),
    Exclusion(
        "long s and Kelvin sign in an event on Splunk",
        "docs/targets/splunk.md, Open questions: U+017F and U+212A are never found by an s or k of a rule",
        lambda compiled, events: compiled.detection.target == "splunk" and _hold(events, "ſ\u212a"),
    ),
    Exclusion(
        "vertical tab on Splunk",
        "docs/targets/splunk.md, Open questions: \\s also takes a vertical tab in PCRE",
        lambda compiled, events: compiled.detection.target == "splunk" and _hold(events, "\x0b"),
    ),
    Exclusion(
        "long s and Kelvin sign in an event on Sentinel",
        "docs/targets/sentinel.md, Fidelity: U+017F and U+212A are not found by =~ with an s or k",
        lambda compiled, events: compiled.detection.target == "sentinel" and _hold(events, "ſ\u212a"),
    ),
    Exclusion(
        "groups by a real column on Sentinel",
        "docs/semantics.md, Groups: shown in the first spelling; how Kusto's tostring() spells a whole real is documented nowhere",
        _real_groups,
    ),
    Exclusion(
        "the empty string on Sentinel",
        "docs/targets/sentinel.md, The empty string: a string column cannot tell it from absence",
        lambda compiled, events: compiled.detection.target == "sentinel" and "" in _texts(events),
    ),
)
