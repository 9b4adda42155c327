"""The evaluator: rules compiled once, events streamed through, verdicts at the end.

    engine = Engine(rules, taxonomy)
    for event in events:
        engine.feed(event)
    verdicts = engine.verdicts()

Events may come in any order; for correlations they are sorted by time, stably. An event without a readable time is
judged by event rules; its position stands in `untimed` if a correlation needed it. The same event delivered twice (same
`event.id` from the same organisation, log source and dataset) counts once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from insigma.content.folding import fold
from insigma.content.model import AnyRule, Correlation, LogSource, Rule, Taxonomy
from insigma.evaluate.closures import compile_predicate
from insigma.evaluate.correlate import GroupAlert, Happening, Outcome, correlate, event_happening
from insigma.evaluate.dispatch import Dispatcher
from insigma.evaluate.events import Flat, Preparer, View, flatten, text_of, time_of, values_of
from insigma.evaluate.leaves import Needs, Test

LOGSOURCE = "insurance.logsource"
IDENTITY = ("organization.id", LOGSOURCE, "event.dataset")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says of the events: positions of those that match (for a correlation, those in its alerts), and alerts."""

    rule: AnyRule
    indexes: tuple[int, ...]
    alerts: tuple[GroupAlert, ...] = ()


@dataclass(slots=True)
class _Compiled:
    """One event rule at work. `kept` says that a correlation needs its matches."""

    rule: Rule
    test: Test
    logsource: str
    kept: bool
    indexes: list[int] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)


class _Desk:
    """The rules of one log source, and who among them is worth running."""

    def __init__(self, rules: list[_Compiled]) -> None:
        self.rules = rules
        self.dispatcher = Dispatcher([compiled.rule.predicate for compiled in rules])


class Engine:
    """Evaluates a set of rules on events. Raises `UnfilledPlaceholder` for a rule whose lists were not filled in."""

    def __init__(self, rules: Sequence[AnyRule], taxonomy: Taxonomy | None, *, time_field: str = "@timestamp") -> None:
        self._rules = tuple(rules)
        self._time_field = time_field
        self._seen: set[tuple[str, ...]] = set()
        self._fed = 0
        self.untimed: set[int] = set()
        needs: Needs = []
        self._inner = _inner_correlations(rules)
        kept = {id(base) for rule in rules if isinstance(rule, Correlation) for base in rule.base_rules}
        bases = [base for rule in rules if isinstance(rule, Correlation) for base in rule.base_rules]
        events = {id(rule): rule for rule in (*rules, *bases) if isinstance(rule, Rule)}
        self._compiled = {
            key: _Compiled(rule, compile_predicate(rule.predicate, needs), canonical_logsource(rule.logsource, taxonomy), key in kept)
            for key, rule in events.items()
        }
        by_logsource: dict[str | None, list[_Compiled]] = {None: list(self._compiled.values())}
        for compiled in self._compiled.values():
            by_logsource.setdefault(compiled.logsource, []).append(compiled)
        self._desks = {name: _Desk(compiled) for name, compiled in by_logsource.items()}
        self._preparer = Preparer(needs)

    def restart(self) -> None:
        """Forget every event: what is fed next is judged by itself. Cheaper than another engine, as nothing is compiled again."""
        self._seen.clear()
        self._fed = 0
        self.untimed = set()
        for compiled in self._compiled.values():
            compiled.indexes, compiled.happenings = [], []

    def feed(self, event: Mapping[str, Any]) -> None:
        """Judge the next event, JSON as read. Its texts hold no half surrogate pairs: who reads events makes U+FFFD of them."""
        index = self._fed
        self._fed += 1
        flat = flatten(event)
        if "event.id" in flat and self._repeated(flat):
            return
        view: View | None = None
        for desk in self._desks_of(flat):
            for position in desk.dispatcher.candidates(flat):
                if view is None:
                    view = self._preparer.view(flat)
                compiled = desk.rules[position]
                if compiled.test(view):
                    self._note(compiled, flat, index)

    def skip(self) -> None:
        """Count a position that holds no readable event; no rule sees it, also not one that matches what is absent."""
        self._fed += 1

    def _note(self, compiled: _Compiled, flat: Flat, index: int) -> None:
        """Keep a match; where a correlation needs it, with its time."""
        compiled.indexes.append(index)
        if not compiled.kept:
            return
        time = time_of(flat, self._time_field)
        if time is None:
            self.untimed.add(index)
        else:
            compiled.happenings.append(event_happening(time, index, flat))

    def _desks_of(self, flat: Flat) -> tuple[_Desk, ...]:
        """The rules that see the event: those of its log source, or all if it names none."""
        named = values_of(flat, LOGSOURCE)
        if not named:
            return (self._desks[None],)
        desks = dict.fromkeys(fold(text_of(value)) for value in named)
        return tuple(self._desks[name] for name in desks if name in self._desks)

    def _repeated(self, flat: Flat) -> bool:
        key = identity_of(flat)
        if key is None:
            return False
        if key in self._seen:
            return True
        self._seen.add(key)
        return False

    def verdicts(self) -> tuple[Verdict, ...]:
        """The verdict of each rule, in the order given."""
        outcomes: dict[int, Outcome] = {}
        return tuple(self._verdict(rule, outcomes) for rule in self._rules)

    def _verdict(self, rule: AnyRule, outcomes: dict[int, Outcome]) -> Verdict:
        if isinstance(rule, Rule):
            return Verdict(rule, tuple(self._compiled[id(rule)].indexes))
        alerts = self._outcome(rule, outcomes).alerts
        return Verdict(rule, tuple(sorted({index for found in alerts for index in found.alert.indexes})), alerts)

    def _outcome(self, correlation: Correlation, outcomes: dict[int, Outcome]) -> Outcome:
        known = outcomes.get(id(correlation))
        if known is None:
            members = [
                tuple(sorted(self._compiled[id(member)].happenings, key=lambda one: one.time))
                if isinstance(member, Rule)
                else self._outcome(member, outcomes).instants
                for member in correlation.members
            ]
            known = outcomes[id(correlation)] = correlate(correlation, members, chained=id(correlation) in self._inner)
        return known


def _inner_correlations(rules: Sequence[AnyRule]) -> set[int]:
    """The ids of the correlations that another one builds on."""
    found: set[int] = set()
    waiting = list(rules)
    while waiting:
        rule = waiting.pop()
        inner = [member for member in rule.members if isinstance(member, Correlation)] if isinstance(rule, Correlation) else []
        waiting += (member for member in inner if id(member) not in found)
        found |= {id(member) for member in inner}
    return found


def identity_of(flat: Flat) -> tuple[str, ...] | None:
    """What tells an event from every other, so that a second delivery is known; None for one without an id, or with an empty one."""
    key = tuple("\x1f".join(text_of(value) for value in values_of(flat, name)) for name in (*IDENTITY, "event.id"))
    return key if key[-1] else None


def canonical_logsource(logsource: LogSource, taxonomy: Taxonomy | None) -> str:
    """What an event of the log source calls it: the taxonomy's name, else the narrowest part that the rule names."""
    found = taxonomy.find(logsource) if taxonomy is not None else None
    return found.name if found is not None else fold(logsource.service or logsource.category or logsource.product or "")
