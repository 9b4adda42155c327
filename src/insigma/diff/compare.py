"""Two sides into one difference: only rules that something touches are compiled and evaluated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from insigma.content.lists import DEFAULT_TENANT
from insigma.content.model import AnyRule, Fixture, Pack
from insigma.diff.causes import Shared, causes, mapped_otherwise, same_document
from insigma.diff.data import changes, same
from insigma.diff.files import file_changes, layout_changes
from insigma.diff.logic import LOGIC_KEYS, statements, words
from insigma.diff.meaning import Ready, fixtures_by_rule, logsources_read, meaning, names_of, ready
from insigma.diff.model import CasesDiff, Difference, Kind, QueryDiff, RuleDiff, SideName
from insigma.diff.pairs import Pair, pairs
from insigma.diff.queries import Bench, compare_queries
from insigma.diff.sides import Side
from insigma.diff.tenants import Tenants
from insigma.diff.verdicts import Trial, compare_cases
from insigma.release.proofs import Proofs

TOLD_APART = LOGIC_KEYS | {"level", "status"}
"""What of a rule's document is not told as metadata."""
NO_CASES = CasesDiff()


@dataclass(frozen=True, slots=True)
class _Half:
    """One side at work."""

    pack: Pack
    ready: Ready
    bench: Bench
    fixtures: Mapping[str, tuple[Fixture, ...]]

    @classmethod
    def of(cls, side: Side, targets: Sequence[str]) -> _Half:
        prepared = ready(side.pack)
        labels = {name: rule.header.label for rule in side.pack.rules for name in (rule.header.id, rule.header.name) if name is not None}
        proofs = Proofs(side.proofs, side.pack.fixtures, labels)
        return cls(side.pack, prepared, Bench.of(side.pack, prepared, proofs, targets), fixtures_by_rule(side.pack))

    def fixtures_of(self, rule: AnyRule) -> tuple[Fixture, ...]:
        names = dict.fromkeys(name for name in (rule.header.id, rule.header.name) if name is not None)
        return tuple(fixture for name in names for fixture in self.fixtures.get(name, ()))

    def trial(self, rule: AnyRule | None) -> Trial:
        return Trial(self.ready.of(rule), self.fixtures_of(rule), self.pack) if rule is not None else Trial(None, (), self.pack)


def compare(base: Side, head: Side, targets: Sequence[str]) -> Difference:
    """Everything that differs. Raises `UnknownTarget`."""
    found = pairs(base, head)
    comparison = _Comparison(
        _Half.of(base, targets), _Half.of(head, targets), Shared.of(base.pack, head.pack, found), Tenants.of(base.pack, head.pack), targets
    )
    known = {name for pair in found for rule in (pair.before, pair.after) if rule is not None for name in names_of(rule)}
    rules = tuple(diff for pair in found if (diff := comparison.rule(pair)) is not None)
    files = file_changes(base, head, known)
    return Difference(head.pack.name, _name(base), _name(head), tuple(targets), rules, files, layout_changes(base, head))


def _name(side: Side) -> SideName:
    return SideName(side.name, side.commit, side.findings)


@dataclass(frozen=True, slots=True)
class _Comparison:
    base: _Half
    head: _Half
    shared: Shared
    tenants: Tenants
    targets: Sequence[str]

    def rule(self, pair: Pair) -> RuleDiff | None:
        """What became of one rule; None if nothing did."""
        if pair.unread:
            return self._unread(pair)
        if pair.before is not None and pair.after is not None:
            return self._both(pair, pair.before, pair.after)
        return self._one(pair, Kind.ADDED if pair.before is None else Kind.REMOVED)

    def _one(self, pair: Pair, kind: Kind) -> RuleDiff:
        return self._told(
            pair,
            kind,
            queries=compare_queries(pair.before, pair.after, self.base.bench, self.head.bench, self.targets),
            cases=compare_cases(self.base.trial(pair.before), self.head.trial(pair.after), run=False),
        )

    def _unread(self, pair: Pair) -> RuleDiff:
        header = pair.some.header
        before, after = self._paths(pair)
        return RuleDiff(
            Kind.UNREADABLE,
            header.label,
            header.title,
            header.id or "",
            before,
            after,
            (header.level,) * 2,
            (header.status,) * 2,
            unread=pair.unread,
        )

    def _both(self, pair: Pair, before: AnyRule, after: AnyRule) -> RuleDiff | None:
        rewritten, moved = not same_document(before, after), self._moved(before, after)
        was, now = self._paths(pair)
        renamed = was != now or before.header.name != after.header.name
        queries: tuple[QueryDiff, ...] = ()
        if rewritten or moved or self.shared.compiles_otherwise or self._switched():
            queries = compare_queries(before, after, self.base.bench, self.head.bench, self.targets)
        cases = NO_CASES
        if (run := moved or self._sources_differ(before, after)) or self._fixtures_differ(before, after):
            cases = compare_cases(self.base.trial(before), self.head.trial(after), run=run)
        touched = rewritten or moved or renamed or queries or cases.changed or self.tenants.touched(before, after)
        return self._told(pair, Kind.RENAMED if renamed else Kind.CHANGED, queries, cases) if touched else None

    def _moved(self, before: AnyRule, after: AnyRule) -> bool:
        """Whether the rule means something else, as written or with the lists of the default profile."""
        was, now = self.base.ready.of(before), self.head.ready.of(after)
        means = [meaning(rule) if rule is not None else None for rule in (was, now, before, after)]
        return bool(means[0] != means[1] or means[2] != means[3])

    def _switched(self) -> bool:
        """Whether the default profile switches other rules off than before."""
        profiles = [half.pack.tenants.get(DEFAULT_TENANT) for half in (self.base, self.head)]
        off = [dict(profile.disabled) if profile is not None else {} for profile in profiles]
        return off[0] != off[1]

    def _sources_differ(self, before: AnyRule, after: AnyRule) -> bool:
        """Whether the taxonomy calls the rule's log sources otherwise."""
        return logsources_read(before, self.base.pack) != logsources_read(after, self.head.pack)

    def _fixtures_differ(self, before: AnyRule, after: AnyRule) -> bool:
        was, now = self.base.fixtures_of(before), self.head.fixtures_of(after)
        return was != now and not same([fixture.document.data for fixture in was], [fixture.document.data for fixture in now])

    def _paths(self, pair: Pair) -> tuple[str, str]:
        before = self.base.pack.relative(pair.before.header.path) if pair.before is not None else ""
        after = self.head.pack.relative(pair.after.header.path) if pair.after is not None else ""
        return before, after

    def _told(self, pair: Pair, kind: Kind, queries: tuple[QueryDiff, ...], cases: CasesDiff) -> RuleDiff:
        before, after = pair.before, pair.after
        header = pair.some.header
        paths = self._paths(pair)
        told = RuleDiff(
            kind=kind,
            label=header.label,
            title=header.title,
            id=header.id or "",
            path_before=paths[0],
            path=paths[1],
            level=(before.header.level if before is not None else "", after.header.level if after is not None else ""),
            status=(before.header.status if before is not None else "", after.header.status if after is not None else ""),
            words=words(before, after),
            queries=queries,
            cases=cases,
            tenants=self.tenants.diff(before, after, mapped_otherwise(pair.some, self.shared, queries)),
        )
        if before is None or after is None:
            return told
        return replace(
            told,
            logic=statements(before, after),
            through=causes(before, after, self.shared, queries),
            metadata=changes(before.header.document, after.header.document, TOLD_APART),
        )
