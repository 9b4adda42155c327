"""What the fixture's cases give on both rules: HEAD's cases on BASE's rule and on HEAD's, and BASE's cases on HEAD's rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from insigma.assure.fixtures import pass_all, with_logsources
from insigma.content.model import AnyRule, Correlation, Fixture, FixtureCase, Pack
from insigma.diff.model import Alerted, CaseDiff, CasesDiff, Given
from insigma.evaluate.correlate import GroupAlert
from insigma.evaluate.engine import Engine
from insigma.evaluate.events import iso


@dataclass(frozen=True, slots=True)
class Trial:
    """One side: the rule, ready to be evaluated (None if there is none), its fixtures, and the pack that they are read in."""

    rule: AnyRule | None
    fixtures: tuple[Fixture, ...]
    pack: Pack


class Judge:
    """The reference evaluator with one rule, for one case after the other."""

    def __init__(self, rule: AnyRule, pack: Pack) -> None:
        self._rule = rule
        self._pack = pack
        self._engine = Engine((rule,), pack.taxonomy)

    def given(self, case: FixtureCase) -> Given:
        """What the rule gives on the case."""
        self._engine.restart()
        for event in with_logsources(case.events, self._rule, self._pack):
            self._engine.feed(event)
        verdict = self._engine.verdicts()[0]
        correlation = isinstance(self._rule, Correlation)
        return Given(verdict.indexes, len(case.events), tuple(map(_alerted, verdict.alerts)) if correlation else None)

    def wanted(self, case: FixtureCase) -> bool:
        """Whether that is what the case expects."""
        return pass_all((case,), self._rule, self._pack)


def _alerted(found: GroupAlert) -> Alerted:
    alert = found.alert
    return Alerted(dict(found.group), alert.value, len(alert.indexes), iso(alert.first), iso(alert.last), alert.instants)


def compare_cases(base: Trial, head: Trial, *, run: bool) -> CasesDiff:
    """The cases of both sides, and with `run` what they give on both rules: of no use where the two mean the same."""
    before, after = _named(base.fixtures), _named(head.fixtures)
    rewritten = [name for name in after if name in before and not _same_case(before[name], after[name])]
    same = [name for name in after if name in before and name not in rewritten]
    runs = [(name, "both" if name in same else "head", after[name]) for name in after]
    runs += [(name, "base", before[name]) for name in before if name not in same]
    judges = [Judge(side.rule, side.pack) for side in (base, head) if run and side.rule is not None]
    compared = runs if len(judges) == 2 else []
    return CasesDiff(
        before=len(before),
        after=len(after),
        compared=len(compared),
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        rewritten=tuple(rewritten),
        verdicts=tuple(_differing(compared, *judges)) if compared else (),
    )


def _differing(runs: Sequence[tuple[str, str, FixtureCase]], base: Judge, head: Judge) -> Iterator[CaseDiff]:
    for name, version, case in runs:
        before, after = base.given(case), head.given(case)
        if before != after:
            yield CaseDiff(name, version, before, after, base.wanted(case), head.wanted(case))


def _named(fixtures: Sequence[Fixture]) -> Mapping[str, FixtureCase]:
    """The cases by name; one that bears the name of an earlier one gets a number."""
    found: dict[str, FixtureCase] = {}
    for fixture in fixtures:
        for case in fixture.cases:
            name, number = case.name, 1
            while name in found:
                number += 1
                name = f"{case.name} ({number})"
            found[name] = case
    return found


def _same_case(before: FixtureCase, after: FixtureCase) -> bool:
    """Whether two cases put the same question: what `because` says does not matter."""
    return before.events == after.events and before.expect == after.expect
