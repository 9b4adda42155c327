"""The Splunk target: which query, which schedule, which window class, and what to note.

Floor: Splunk 9.2. The time range comes from the schedule; nothing in the query names it.
"""

from __future__ import annotations

from collections.abc import Sequence

from insigma.bind.model import (
    Bound,
    BoundAny,
    BoundCorrelation,
    BoundRule,
    Column,
    OneOf,
    Refused,
    tests,
)
from insigma.content.durations import duration_ms
from insigma.content.model import TargetField, TargetMapping
from insigma.content.predicate import Regex, Text, Wildcard
from insigma.targets.base import Detection, Schedule
from insigma.targets.shown import shown_fields
from insigma.targets.splunk import correlations, keywords, quoting
from insigma.targets.splunk.dates import calendar
from insigma.targets.splunk.lookups import looked_up, looked_up_by, lookup_lines, stored_first
from insigma.targets.splunk.lookups import notes as lookup_notes
from insigma.targets.splunk.predicates import where
from insigma.targets.splunk.regex import counts_characters
from insigma.targets.splunk.search import base_search


class SplunkTarget:
    """Compiles bound rules to SPL for the fields, indexes and schedule of one mapping."""

    name = "splunk"

    def __init__(self, mapping: TargetMapping) -> None:
        self._mapping = mapping
        self._interval_ms = _interval(mapping.options.get("interval", "5m"))

    def compile(self, rule: BoundAny) -> Detection:
        """The detection of a bound rule. Raises `Refused` for what SPL cannot say exactly."""
        return self._event(rule) if isinstance(rule, BoundRule) else self._correlation(rule)

    def instants(self, rule: BoundCorrelation) -> str:
        """The correlation's search up to its satisfying instants, for proof: see `correlations.instants_query`."""
        return correlations.instants_query(rule, self._mapping)

    def _event(self, bound: BoundRule) -> Detection:
        predicate, marks = keywords.marked(bound.predicate)
        lines = [base_search((bound,), self._mapping), *calendar((predicate,)), *marks, *self._filter(predicate)]
        known, notes = shown_fields(bound.rule.header, self._mapping)
        fields = looked_up((predicate,))
        columns = _time_first([field for field in known if field.lookup is None or field in fields])
        if columns:
            lines.append(f"| table {' '.join(columns)}")
        return Detection(
            target=self.name,
            language="spl",
            query="\n".join(lines),
            schedule=Schedule(self._interval_ms, self._interval_ms + bound.logsource.delay_ms),
            window="event",
            notes=(
                *_notes(bound.predicate),
                *((keywords.NOTE,) if marks else ()),
                *lookup_notes(fields),
                *notes,
                *_left_out(known, fields),
            ),
        )

    def _filter(self, predicate: Bound) -> list[str]:
        """The `where`, and around looked-up fields what computes them: as few events as can be are looked up."""
        fields = looked_up((predicate,))
        if not fields:
            return [f"| where {where(predicate)}"]
        first, (rest,) = stored_first((predicate,))
        before = [f"| where {where(first)}"] if first is not None else []
        return [*before, *lookup_lines(fields, self._mapping), f"| where {where(rest)}"]

    def _correlation(self, bound: BoundCorrelation) -> Detection:
        delay = max(member.logsource.delay_ms for member in bound.members)
        schedule = Schedule(self._interval_ms, bound.correlation.timespan_ms + self._interval_ms + delay)
        query = correlations.alert_query(bound, self._mapping, schedule)
        found = dict.fromkeys(note for member in bound.members for note in _notes(member.predicate))
        return Detection(
            target=self.name,
            language="spl",
            query=query,
            schedule=schedule,
            window="exact",
            notes=(*found, *lookup_notes(looked_up_by(bound)), *correlations.notes(bound)),
            group_fields=bound.group_names,
        )


def _time_first(fields: list[TargetField]) -> list[str]:
    columns = dict.fromkeys(quoting.column(field.name) for field in fields)
    return ["_time", *(column for column in columns if column != "_time")] if columns else []


def _left_out(known: Sequence[TargetField], computed: Sequence[TargetField]) -> tuple[str, ...]:
    """A note on the fields that the rule wants to be shown and does not itself look up."""
    names = [field.lookup.field for field in known if field.lookup is not None and field not in computed]
    return (f"fields not shown, as nothing in the rule looks them up: {', '.join(names)}",) if names else ()


def _interval(written: object) -> int:
    milliseconds = duration_ms(written)
    if not milliseconds:
        raise Refused(f"the splunk mapping's interval '{written}' is no duration such as 5m")
    return milliseconds


def _notes(predicate: Bound) -> tuple[str, ...]:
    """Where the meaning of an event predicate rests on something that Splunk's manual leaves open."""
    found: dict[str, None] = {}
    for test in tests(predicate):
        if isinstance(test, OneOf):
            empty = "" in test.values
        else:
            empty = isinstance(test.value, Text) and test.value.literal == ""
            if isinstance(test.value, Text) and Wildcard.ONE in test.value.parts:
                found["a '?' stands for one character if Splunk's PCRE reads UTF-8, else for one byte: the same for ASCII text"] = None
            if isinstance(test.value, Regex) and counts_characters(test.value):
                found["a '.' or a negated class stands for one character if Splunk's PCRE reads UTF-8, else for one byte"] = None
            if isinstance(test.value, Column) and test.ignore_case:
                found["two fields are compared through lower(), which is sure for ASCII letters only"] = None
        if empty and test.field.lookup is None:
            found["an empty string differs from an absent field only where field extraction keeps empty values"] = None
    return tuple(found)
