"""The Elastic target: which language says a rule best, its schedule, its window class and its notes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from insigma.bind.model import BoundAny, BoundCorrelation, BoundRule, Refused, tests
from insigma.content.durations import duration_ms, duration_text
from insigma.content.model import CorrelationType, TargetMapping
from insigma.targets.base import Detection, Schedule
from insigma.targets.elastic.anycase import ASCII_CASE_NOTE, ignores_case
from insigma.targets.elastic.eql import eql_condition
from insigma.targets.elastic.hopping import MOST_HOPS, MOST_ROWS, correlation_lookups, hopping_query
from insigma.targets.elastic.inlining import inlined, inlined_notes, looked_up, settled
from insigma.targets.elastic.joins import drop_command, lookup_notes
from insigma.targets.elastic.layout import lines
from insigma.targets.elastic.lucene import lucene_query
from insigma.targets.elastic.scope import delay_ms, indices, scoped
from insigma.targets.elastic.selection import selection
from insigma.targets.elastic.sequences import MOST_RUNS, READABLE_RUNS, sequence_query
from insigma.targets.ranks import PERCENTILES

LANGUAGES = ("lucene", "eql", "esql")

_UNDONE = (
    "further events can undo the condition, and ES|QL's windows begin at whole steps, not at events, so they would judge others than the "
    "rule's; the mapping's option 'approximate: true' accepts that"
)
_LABELS = {"lucene": "Lucene", "eql": "EQL", "esql": "ES|QL"}
_NUMBERS = frozenset({CorrelationType.VALUE_SUM, CorrelationType.VALUE_AVG, *PERCENTILES})


class ElasticTarget:
    """Compiles bound rules for Elastic 8.18. `language` asks for one language only; None chooses."""

    name = "elastic"

    def __init__(self, mapping: TargetMapping, language: str | None = None) -> None:
        """Raises `Refused` for a language that Elastic does not have, or options that make no schedule."""
        if language is not None and language not in LANGUAGES:
            raise Refused(f"elastic has no language '{language}': {', '.join(LANGUAGES)}")
        self._mapping = mapping
        self._language = language
        self._interval_ms = _interval(mapping.options.get("interval", "5m"))
        self._hops = _hops(mapping.options.get("hops", 12))
        self._approximate = mapping.options.get("approximate") is True

    def compile(self, rule: BoundAny) -> Detection:
        """The detection in the first language that keeps the rule's meaning. Raises `Refused`, with the reason of each."""
        rule = settled(rule)
        compilers = self._of_rule(rule) if isinstance(rule, BoundRule) else self._of_correlation(rule)
        return _first({label: compiler for label, compiler in compilers.items() if self._language in (None, label)})

    def _of_rule(self, rule: BoundRule) -> dict[str, Callable[[], Detection]]:
        compilers = {"lucene": lambda: self._lucene(rule), "eql": lambda: self._eql(rule), "esql": lambda: self._esql(rule)}
        if self._mapping.open:  # Lucene ignores case too, but only by spelling every letter out
            return {label: compilers[label] for label in ("eql", "lucene", "esql")}
        return compilers

    def _of_correlation(self, bound: BoundCorrelation) -> dict[str, Callable[[], Detection]]:
        return {"lucene": _no_correlations, "eql": lambda: self._sequence(bound), "esql": lambda: self._hopping(bound)}

    def _lucene(self, rule: BoundRule) -> Detection:
        written = replace(rule, predicate=inlined(rule.predicate, self._mapping, "Lucene"))
        return self._event_rule(rule, "lucene", lucene_query(scoped(written, self._mapping)), inlined_notes((rule.predicate,)))

    def _eql(self, rule: BoundRule) -> Detection:
        written = replace(rule, predicate=inlined(rule.predicate, self._mapping, "EQL"))
        condition = "\n  ".join(lines(eql_condition(scoped(written, self._mapping))))
        notes = (ASCII_CASE_NOTE,) if any(map(ignores_case, tests(written.predicate))) else ()
        return self._event_rule(rule, "eql", f"any where {condition}", (*notes, *inlined_notes((rule.predicate,))))

    def _esql(self, rule: BoundRule) -> Detection:
        fields = looked_up((rule.predicate,))
        commands = (
            f"FROM {','.join(indices((rule,)))} METADATA _id, _index, _version",
            *selection((rule,), fields, self._mapping),
            *((drop_command(fields),) if fields else ()),
            f"LIMIT {MOST_ROWS}",
        )
        notes = (ASCII_CASE_NOTE,) if any(map(ignores_case, tests(rule.predicate))) else ()
        return self._event_rule(rule, "esql", "\n| ".join(commands), (*notes, *lookup_notes(fields, self._mapping)))

    def _event_rule(self, rule: BoundRule, language: str, query: str, notes: tuple[str, ...] = ()) -> Detection:
        return Detection(self.name, language, query, self._schedule((rule,), 0), "event", notes, scope=_scope((rule,)))

    def _sequence(self, bound: BoundCorrelation) -> Detection:
        found = sequence_query(bound, self._mapping, MOST_RUNS if self._language == "eql" else READABLE_RUNS)
        return Detection(
            target=self.name,
            language="eql",
            query=found.query,
            schedule=self._schedule(bound.members, bound.correlation.timespan_ms),
            window="exact",
            notes=found.notes,
            scope=_scope(bound.members),
            group_fields=found.group_fields,
        )

    def _hopping(self, bound: BoundCorrelation) -> Detection:
        timespan_ms = bound.correlation.timespan_ms
        found = hopping_query(bound, self._mapping, self._hops)
        step, longest = duration_text(found.step_ms), duration_text(timespan_ms - found.step_ms)
        notes = [f"windows of {duration_text(timespan_ms)} begin every {step}: a burst that takes longer than {longest} may be missed"]
        window = f"hopping({step})"
        if not found.monotone:
            if not self._approximate:
                raise Refused(_UNDONE, ("correlation", "condition"))
            window = "approximate"
            notes.append(
                "the condition can be undone by further events: a window that begins elsewhere than the rule's may judge otherwise"
            )
        notes.extend(_sum_notes(bound))
        notes.extend(lookup_notes(correlation_lookups(bound), self._mapping))
        return Detection(
            target=self.name,
            language="esql",
            query=found.query,
            schedule=self._schedule(bound.members, timespan_ms),
            window=window,
            notes=tuple(notes),
            scope=_scope(bound.members),
            group_fields=found.group_fields,
        )

    def _schedule(self, members: tuple[BoundRule, ...], timespan_ms: int) -> Schedule:
        return Schedule(self._interval_ms, timespan_ms + self._interval_ms + delay_ms(members))


def _sum_notes(bound: BoundCorrelation) -> list[str]:
    """What sums over hopping windows rest on."""
    notes = []
    kind = bound.correlation.type
    if kind is CorrelationType.VALUE_SUM:
        notes.append("a value below zero lowers a sum: a window without it may alert where the rule's does not, or the other way round")
    if kind in _NUMBERS and any(fields[0].type == "float" for fields in bound.values):
        notes.append("the measured field is stored as float, which keeps about seven digits of each value")
    return notes


def _scope(members: tuple[BoundRule, ...]) -> dict[str, str]:
    return {"index": ",".join(indices(members))}


def _no_correlations() -> Detection:
    raise Refused("Lucene has no correlations", ("correlation", "type"))


def _interval(option: object) -> int:
    interval_ms = duration_ms(option)
    if not interval_ms:
        raise Refused(f"option 'interval' of the elastic mapping is no duration: '{option}'")
    return interval_ms


def _hops(option: object) -> int:
    if isinstance(option, int) and not isinstance(option, bool) and 2 <= option <= MOST_HOPS:
        return option
    raise Refused(f"option 'hops' of the elastic mapping is no whole number from 2 to {MOST_HOPS}: '{option}'")


def _first(compilers: dict[str, Callable[[], Detection]]) -> Detection:
    """What the first compiler that does not refuse gives. Raises `Refused` with what each of them said."""
    refusals: dict[str, Refused] = {}
    for label, compiler in compilers.items():
        try:
            return compiler()
        except Refused as refused:
            refusals[label] = refused
    raise _together(refusals)


def _together(refusals: dict[str, Refused]) -> Refused:
    """All refusals as one, each reason once; the place is the last that is known, that of the most able language."""
    said: dict[str, list[str]] = {}
    for label, refusal in refusals.items():
        said.setdefault(refusal.reason, []).append(_LABELS[label])
    places = [refusal.where for refusal in refusals.values() if refusal.where]
    where = places[-1] if places else ()
    unmapped = any(refusal.unmapped for refusal in refusals.values())
    if len(said) == 1:
        return Refused(next(iter(said)), where, unmapped=unmapped)
    return Refused("; ".join(f"{' and '.join(labels)}: {reason}" for reason, labels in said.items()), where, unmapped=unmapped)
