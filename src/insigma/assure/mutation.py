"""Whether the fixtures would notice: every mutant of a rule against the rule's own fixtures.

Input: a pack, its rules with their lists filled in, and the rules asked for. Output: one `Trial` a rule with the mutants that
every case lets pass. A survivor may stand in the fixture under `survivors` with the reason why nobody can tell it from the
rule (say, a modifier that changes nothing on a field of closed values); one that has been dropped, not only changed, may not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from insigma.assure.fixtures import pass_all
from insigma.assure.mutants import Mutant, Severity, mutants_of
from insigma.content.model import AnyRule, Fixture, FixtureCase, Pack
from insigma.diagnostics.model import Diagnostic
from insigma.specialise.lists import Lists, fill_lists

SURVIVED = "INS602"
STALE = "INS603"


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that every case lets pass; `because` is the fixture's explanation, empty if it has none."""

    mutant: Mutant
    because: str


@dataclass(frozen=True, slots=True)
class Trial:
    """One rule: how many mutants of each severity there were, who survived, and explanations that explain nobody."""

    rule: AnyRule
    made: Mapping[Severity, int]
    survivors: tuple[Survivor, ...]
    stale: tuple[Diagnostic, ...]

    def killed(self, severity: Severity) -> int:
        return self.made[severity] - sum(survivor.mutant.severity is severity for survivor in self.survivors)

    def findings(self) -> Iterator[Diagnostic]:
        """What must be mended: survivors without a reason or past any, and stale explanations."""
        for survivor in self.survivors:
            mutant = survivor.mutant
            if mutant.severity is Severity.DROPPED or not survivor.because:
                hint = (
                    "add a case that differs there"
                    if mutant.severity is Severity.DROPPED
                    else "add a case, or explain it under 'survivors'"
                )
                yield Diagnostic(mutant.place, SURVIVED, f"no case notices: {mutant.what}", hint, rule=self.rule.header.label)
        yield from self.stale


def try_rule(rule: AnyRule, fixtures: Sequence[Fixture], lists: Lists, pack: Pack) -> Trial:
    """Run every mutant of a rule (as written, lists not filled in) against its fixtures."""
    explained = {text: why for fixture in fixtures for text, why in _explanations(fixture)}
    cases = [case for fixture in fixtures for case in sorted(fixture.cases, key=_cost)]
    made = dict.fromkeys(Severity, 0)
    survivors: list[Survivor] = []
    for mutant in mutants_of(rule):
        made[mutant.severity] += 1
        filled = fill_lists((mutant.rule,), lists).rules
        if all(pass_all(cases, one, pack) for one in filled):
            survivors.append(Survivor(mutant, explained.get(mutant.what, "")))
    told = {survivor.mutant.what for survivor in survivors}
    return Trial(rule, made, tuple(survivors), tuple(_stale(fixtures, told, rule)))


def fixtures_of(rule: AnyRule, pack: Pack) -> tuple[Fixture, ...]:
    """The fixtures that refer to the rule, by name or id."""
    names = {rule.header.name, rule.header.id} - {None}
    return tuple(fixture for fixture in pack.fixtures if fixture.rule in names)


def _cost(case: FixtureCase) -> int:
    return len(case.events)


def _explanations(fixture: Fixture) -> Iterator[tuple[str, str]]:
    written = fixture.document.data.get("survivors")
    for entry in written if isinstance(written, list) else ():
        if isinstance(entry, dict):
            yield str(entry.get("mutant") or ""), str(entry.get("because") or "")


def _stale(fixtures: Sequence[Fixture], survived: set[str], rule: AnyRule) -> Iterator[Diagnostic]:
    for fixture in fixtures:
        for index, (text, _) in enumerate(_explanations(fixture)):
            if text not in survived:
                place = fixture.document.place("survivors", index)
                yield Diagnostic(place, STALE, f"no mutant that survives is called '{text}'", "remove the entry", rule=rule.header.label)
