"""Running fixtures: every case through the evaluator, every difference told with the event and the reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from insigma.content.folding import fold
from insigma.content.model import AnyRule, Correlation, CorrelationType, Fixture, FixtureCase, Pack, Rule, Taxonomy
from insigma.content.yaml_reader import Key
from insigma.diagnostics.model import Diagnostic
from insigma.evaluate.correlate import GroupAlert
from insigma.evaluate.engine import LOGSOURCE, Engine, Verdict, canonical_logsource
from insigma.evaluate.events import flatten, iso, milliseconds, text_of, values_of
from insigma.evaluate.explain import reasons, truth
from insigma.specialise.lists import Lists, fill_lists

CODE = "INS601"
_OWN_KEYS = frozenset({"value", "count", "first", "last"})
_PLAIN = (str, int, float)


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case: passed if there are no diagnostics."""

    fixture: Fixture
    case: FixtureCase
    rule: str
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """Rules by id and name, their lists filled in."""

    rules: Mapping[str, AnyRule]
    diagnostics: tuple[Diagnostic, ...]

    def distinct(self) -> tuple[AnyRule, ...]:
        """Each rule once, in the pack's order."""
        return tuple({id(rule): rule for rule in self.rules.values()}.values())

    def fixtures(self, pack: Pack) -> Mapping[str, Fixture]:
        """The fixture of each rule by the rule's label; of several, the last."""
        return {self.rules[fixture.rule].header.label: fixture for fixture in pack.fixtures if fixture.rule in self.rules}


def reference_rules(pack: Pack, lists: Lists) -> Reference:
    """The rules of the pack, ready to be evaluated, by every name that a fixture may use."""
    filled = fill_lists(pack.rules, lists)
    found: dict[str, AnyRule] = {}
    for rule in filled.rules:
        for name in (rule.header.id, rule.header.name):
            if name is not None:
                found.setdefault(name, rule)
    return Reference(found, filled.diagnostics)


def run_fixture(fixture: Fixture, reference: Reference, pack: Pack) -> Iterator[CaseResult]:
    """The result of each case. A fixture of an unknown rule gives one failing result."""
    rule = reference.rules.get(fixture.rule)
    if rule is None:
        fault = Diagnostic(
            fixture.document.place("rule"), "INS111", f"no rule has the id or name '{fixture.rule}'", "is the rule among the faulty ones?"
        )
        yield CaseResult(fixture, FixtureCase("", "", None, "", (), ()), fixture.rule, (fault,))
        return
    engine = Engine((rule,), pack.taxonomy)
    for index, case in enumerate(fixture.cases):
        yield CaseResult(fixture, case, rule.header.label, tuple(_run_case(fixture, index, rule, engine, pack)))


def pass_all(cases: Iterable[FixtureCase], rule: AnyRule, pack: Pack) -> bool:
    """Whether the rule gives what every case expects."""
    engine = Engine((rule,), pack.taxonomy)
    return all(next(_differences(rule, *_tried(case, rule, engine, pack)), None) is None for case in cases)


def _run_case(fixture: Fixture, index: int, rule: AnyRule, engine: Engine, pack: Pack) -> Iterator[Diagnostic]:
    case = fixture.cases[index]
    for key, message, hint in _differences(rule, *_tried(case, rule, engine, pack)):
        place = fixture.document.place("cases", index, *key)
        yield Diagnostic(place, CODE, f"{case.name}: {message}", hint, rule=rule.header.label)


def _tried(case: FixtureCase, rule: AnyRule, engine: Engine, pack: Pack) -> tuple[Verdict, _Trial]:
    """The verdict of an engine that knows only this rule, and what is needed to explain it."""
    events = with_logsources(case.events, rule, pack)
    engine.restart()
    for event in events:
        engine.feed(event)
    return engine.verdicts()[0], _Trial(case, events, pack.taxonomy, sorted(engine.untimed))


@dataclass(frozen=True, slots=True)
class _Trial:
    """A case at work: its events, and the positions of those that a correlation needed and that have no time."""

    case: FixtureCase
    events: Sequence[Mapping[str, Any]]
    taxonomy: Taxonomy
    untimed: Sequence[int]


def with_logsources(events: Sequence[Mapping[str, Any]], rule: AnyRule, pack: Pack) -> list[Mapping[str, Any]]:
    """The events with the log source of the rule, where they name none and the rule (or all base rules) has one."""
    bases = (rule,) if isinstance(rule, Rule) else rule.base_rules
    names = {canonical_logsource(base.logsource, pack.taxonomy) for base in bases}
    if len(names) != 1:
        return list(events)
    named = {LOGSOURCE: next(iter(names))}
    return [event if LOGSOURCE in event or LOGSOURCE in flatten(event) else {**named, **event} for event in events]


Difference = tuple[Key, str, str]


def _differences(rule: AnyRule, verdict: Verdict, trial: _Trial) -> Iterator[Difference]:
    expect = trial.case.expect
    if isinstance(rule, Correlation):
        wanted = [] if expect == "none" else expect.get("alerts") if isinstance(expect, dict) else None
        if not isinstance(wanted, list):
            yield ("expect",), "a correlation expects 'none' or {alerts: [...]}", "list the groups that must alert"
            return
        yield from _alert_differences(wanted, verdict.alerts, rule, trial)
        return
    expected = _expected_positions(expect, len(trial.events))
    if expected is None:
        hint = "say which events must match, by their positions from 0"
        yield ("expect",), "an event rule expects 'match', 'none' or {events: [...]}", hint
        return
    yield from _match_differences(rule, expected, set(verdict.indexes), trial)


def _expected_positions(expect: Any, count: int) -> set[int] | None:
    """The positions that must match, or None where the expectation is not one of an event rule."""
    if expect in ("match", "none"):
        return set(range(count)) if expect == "match" else set()
    positions = expect.get("events") if isinstance(expect, dict) else None
    if not isinstance(positions, list) or not all(type(position) is int and position >= 0 for position in positions):
        return None
    return set(positions)


def _match_differences(rule: Rule, expected: set[int], found: set[int], trial: _Trial) -> Iterator[Difference]:
    for index in sorted(expected ^ found):
        if index >= len(trial.events):
            yield (
                ("expect",),
                f"event {index} is expected, but there {'is 1 event' if len(trial.events) == 1 else f'are {len(trial.events)} events'}",
                "positions count from 0",
            )
            continue
        verb = "must match and does not" if index in expected else "must not match and does"
        yield ("events", trial.case.steps[index]), f"event {index} {verb}", _why(rule, index in found, trial.events[index], trial.taxonomy)


def _why(rule: Rule, matched: bool, raw: Mapping[str, Any], taxonomy: Taxonomy) -> str:
    """Why the rule matched the event, or why not: its log source, its condition, or an earlier delivery."""
    event = flatten(raw)
    own, named = canonical_logsource(rule.logsource, taxonomy), values_of(event, LOGSOURCE)
    if named and own not in {fold(text_of(value)) for value in named}:
        return f"its log source is '{text_of(named[0])}', the rule sees '{own}'"
    if truth(rule.predicate, event) and not matched:
        return "the same event.id was delivered before"
    return "; ".join(reasons(rule.predicate, event))


def _alert_differences(wanted: list[Any], alerts: Sequence[GroupAlert], rule: Correlation, trial: _Trial) -> Iterator[Difference]:
    for position, expected, found in _paired(wanted, alerts):
        if found is None:
            yield ("expect", "alerts", position), f"no alert for {_shown(expected)}", _matched(rule, trial)
        elif position == len(wanted):
            yield ("expect",), f"an alert that is not expected: {_told(found)}", _matched(rule, trial)
        else:
            wrong = [f"{key} is {actual!r}, not {value!r}" for key, value, actual in _unlike(expected, found)]
            if wrong:
                yield ("expect", "alerts", position), "; ".join(wrong), f"the alert is {_told(found)}"


def _paired(wanted: list[Any], alerts: Sequence[GroupAlert]) -> Iterator[tuple[int, Any, GroupAlert | None]]:
    """Each expected alert with the alert of its group; what is left is paired in order if as many are left on both sides."""
    left = list(alerts)
    pairs: list[GroupAlert | None] = []
    for expected in wanted:
        found = next((alert for alert in left if _same_group(expected, alert)), None)
        pairs.append(found)
        if found is not None:
            left.remove(found)
    if pairs.count(None) == len(left):
        pairs = [left.pop(0) if found is None else found for found in pairs]
    yield from ((position, expected, found) for position, (expected, found) in enumerate(zip(wanted, pairs, strict=True)))
    yield from ((len(wanted), None, alert) for alert in left)


def _same_group(wanted: Any, found: GroupAlert) -> bool:
    return all(key in _OWN_KEYS for key, _, _ in _unlike(wanted, found))


def _unlike(wanted: Any, found: GroupAlert) -> Iterator[tuple[str, Any, Any]]:
    """The keys of an expected alert that the alert does not have so."""
    alert = found.alert
    own: dict[str, Any] = {"value": alert.value, "count": len(alert.indexes)}
    for key, value in (wanted if isinstance(wanted, dict) else {"alert": wanted}).items():
        if key in ("first", "last"):
            actual = alert.first if key == "first" else alert.last
            if not isinstance(value, _PLAIN) or milliseconds(value) != actual:
                yield key, value, iso(actual)
        elif key in own:
            if own[key] != value:
                yield key, value, own[key]
        else:
            shown = found.group.get(key)
            if shown is None or not isinstance(value, _PLAIN) or fold(shown) != fold(text_of(value)):
                yield key, value, shown


def _shown(wanted: Any) -> str:
    return ", ".join(f"{key} {value}" for key, value in wanted.items()) if isinstance(wanted, dict) else str(wanted)


def _told(found: GroupAlert) -> str:
    group = ", ".join(f"{key} {value}" for key, value in found.group.items()) or "all events"
    alert = found.alert
    return f"{group}: value {alert.value}, {len(alert.indexes)} events from {iso(alert.first)} to {iso(alert.last)}"


def _matched(rule: Correlation, trial: _Trial) -> str:
    """How many events each base rule sees, why the first unseen one is not, and which has no time."""
    told = []
    for base in rule.base_rules:
        seen = Engine((base,), trial.taxonomy)
        for event in trial.events:
            seen.feed(event)
        matched = set(seen.verdicts()[0].indexes)
        line = f"{base.header.label} matches {len(matched)} of {len(trial.events)} events"
        missed = next((index for index in range(len(trial.events)) if index not in matched), None)
        told.append(line if missed is None else f"{line}; event {missed}: {_why(base, False, trial.events[missed], trial.taxonomy)}")
    if trial.untimed:
        told.append(f"Event {trial.untimed[0]} has no time: write 'at'")
    best = _best(rule, trial)
    return ". ".join([*told, f"the best window is {best}"] if best else told)


def _best(rule: Correlation, trial: _Trial) -> str:
    """The highest value that a group reaches where the condition asks for nothing; empty where nothing is measured."""
    if not rule.condition.bounds or rule.type is CorrelationType.TEMPORAL_ORDERED:
        return ""
    unbound = replace(rule, condition=replace(rule.condition, bounds=()))
    engine = Engine((unbound,), trial.taxonomy)
    for event in trial.events:
        engine.feed(event)
    alerts = engine.verdicts()[0].alerts
    return _told(max(alerts, key=lambda found: found.alert.value)) if alerts else ""
