"""Exceptions that hollow a rule out: what is left of the rule alerts on none of the events that its fixture says it must alert on.

The fixture is judged with the pack's own lists and thresholds, so that only the exceptions can make the difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from insigma.assure.fixtures import Reference, with_logsources
from insigma.content.model import AnyRule, Correlation, Fixture, Pack
from insigma.content.predicate import Predicate
from insigma.diagnostics.model import Diagnostic
from insigma.evaluate.engine import Engine
from insigma.specialise.exemptions import exempted, position_of
from insigma.specialise.tenant import Specialiser

Exceptions = Mapping[str, Sequence[tuple[str, Predicate]]]
"""For each rule's label its exceptions: their ids and what an event that still counts satisfies."""


class Hollowness:
    """Tells of exceptions whether they leave anything of a rule. What was found once is remembered."""

    def __init__(self, reference: Reference, pack: Pack) -> None:
        self._fixtures = reference.fixtures(pack)
        self._rules = {rule.header.label: rule for rule in reference.distinct()}
        self._pack = pack
        self._known: dict[tuple[str, tuple[Predicate, ...]], bool] = {}

    def hollow(self, label: str, exceptions: Exceptions) -> bool:
        """Whether the rule alerts on none of its fixture's positive cases any more. A rule without such cases is never hollow."""
        rule, fixture = self._rules.get(label), self._fixtures.get(label)
        if rule is None or fixture is None:
            return False
        concerned: tuple[AnyRule, ...] = (rule,) if not isinstance(rule, Correlation) else (rule, *rule.base_rules)
        key = (label, tuple(condition for part in concerned for _, condition in exceptions.get(part.header.label, ())))
        if key not in self._known:
            self._known[key] = self._silent(_without(rule, exceptions), rule, fixture)
        return self._known[key]

    def _silent(self, left: AnyRule, whole: AnyRule, fixture: Fixture) -> bool:
        positive = [case for case in fixture.cases if self._alerts(whole, case.events)]
        return bool(positive) and not any(self._alerts(left, case.events) for case in positive)

    def _alerts(self, rule: AnyRule, events: Sequence[Mapping[str, object]]) -> bool:
        engine = Engine((rule,), self._pack.taxonomy)
        for event in with_logsources(events, rule, self._pack):
            engine.feed(event)
        verdict = engine.verdicts()[0]
        return bool(verdict.alerts) if isinstance(rule, Correlation) else bool(verdict.indexes)


def _without(rule: AnyRule, exceptions: Exceptions) -> AnyRule:
    """The rule without what is excepted, for itself and for the rules under it."""
    if isinstance(rule, Correlation):
        rule = replace(rule, members=tuple(_without(member, exceptions) for member in rule.members))
    return exempted(rule, tuple(exceptions.get(rule.header.label, ())))


def hollowed_out(specialiser: Specialiser, pack: Pack, hollowness: Hollowness) -> Iterator[Diagnostic]:
    """INS550 for each rule that a profile's exceptions leave with nothing to alert on, at the last exception that concerns it."""
    exceptions = specialiser.exceptions()
    profile = specialiser.tenant
    for rule in pack.rules:
        parts: tuple[AnyRule, ...] = (rule, *rule.base_rules) if isinstance(rule, Correlation) else (rule,)
        names = [name for part in parts for name, _ in exceptions.get(part.header.label, ())]
        if not names or not hollowness.hollow(rule.header.label, exceptions):
            continue
        place = profile.document.place("exceptions", position_of(profile.document, names[-1]), "where")
        told = " and ".join(dict.fromkeys(names))
        message = f"{told} hollows {rule.header.label} out: it alerts on none of the events that it must alert on"
        yield Diagnostic(place, "INS550", message, "except fewer events, or disable the rule, with an owner and a day of review")
