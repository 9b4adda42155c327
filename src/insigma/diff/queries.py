"""The compiled queries of both sides, and what differs between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from insigma.content.durations import duration_text
from insigma.content.lists import DEFAULT_TENANT, default_lists
from insigma.content.model import AnyRule, Pack
from insigma.diff.meaning import Ready
from insigma.diff.model import Compiled, QueryDiff
from insigma.packages.base import PackContext
from insigma.release.outcomes import REFUSED, Outcome, compile_rules
from insigma.release.proofs import Proofs
from insigma.release.workshops import NATIVE, Refused, Workshop, open_workshop
from insigma.targets.base import Detection

NONE = Compiled("none")


def default_targets(base: Pack, head: Pack) -> tuple[str, ...]:
    """Our own targets that either pack maps."""
    return tuple(name for name in NATIVE if name in base.mappings or name in head.mappings)


@dataclass(frozen=True, slots=True)
class Bench:
    """The targets of one side. `refusals` has the reason for a target that the pack's mapping makes no workshop of."""

    pack: Pack
    ready: Ready
    proofs: Proofs
    workshops: Mapping[str, Workshop]
    refusals: Mapping[str, str]

    @classmethod
    def of(cls, pack: Pack, ready: Ready, proofs: Proofs, targets: Sequence[str]) -> Bench:
        """Raises `UnknownTarget` for a name that is no target at all."""
        workshops: dict[str, Workshop] = {}
        refusals: dict[str, str] = {}
        for name in targets:
            if name in NATIVE and name not in pack.mappings:
                refusals[name] = f"the pack does not map {name}"
                continue
            try:
                workshops[name] = open_workshop(name, pack, default_lists(pack), PackContext.of_default(pack))
            except Refused as refusal:
                refusals[name] = refusal.reason
        return cls(pack, ready, proofs, workshops, refusals)

    def compile(self, rule: AnyRule | None, target: str) -> Compiled:
        """How the rule, as read, ends on the target."""
        if rule is None or (target in self.refusals and target not in self.pack.mappings):
            return NONE
        filled = self.ready.of(rule)
        if target in self.refusals or filled is None:
            return Compiled(REFUSED, self.refusals.get(target) or self.ready.reason(rule))
        profile = self.pack.tenants.get(DEFAULT_TENANT)
        (outcome,) = compile_rules((filled,), (self.workshops[target],), DEFAULT_TENANT, profile.disabled if profile else {})
        return self._compiled(outcome)

    def _compiled(self, outcome: Outcome) -> Compiled:
        if outcome.packed is None:
            return Compiled(outcome.state, outcome.reason)
        detection = outcome.packed.detection
        proof = self.proofs.of(outcome.rule.header.label, detection)[0] if outcome.verified else ""
        return Compiled(outcome.state, "", detection.query, _text(detection), _facts(detection), detection.notes, proof)


def _facts(detection: Detection) -> Mapping[str, str]:
    """What a detection is beside its query."""
    schedule = detection.schedule
    facts = {
        "language": detection.language,
        "window": detection.window,
        "runs every": duration_text(schedule.interval_ms) if schedule.interval_ms > 0 else "",
        "looks back": duration_text(schedule.lookback_ms) if schedule.lookback_ms > 0 else "",
        "group": ", ".join(detection.group_fields),
    }
    return {**facts, **{name: detection.scope[name] for name in sorted(detection.scope)}}


def _text(detection: Detection) -> str:
    """The query, and what has to be set up beside it."""
    parts = [detection.query.rstrip("\n")]
    for companion in detection.companions:
        every = f", every {duration_text(companion.interval_ms)}" if companion.interval_ms > 0 else ""
        columns = "".join(f"\n    {name}: {kind}" for name, kind in companion.columns.items())
        parts.append(f"{companion.kind} {companion.name}{every}{columns}\n{companion.query.rstrip()}")
    return "\n\n".join(parts)


def compare_queries(
    before: AnyRule | None, after: AnyRule | None, base: Bench, head: Bench, targets: Sequence[str]
) -> tuple[QueryDiff, ...]:
    """The targets on which the two rules end otherwise; where one is None, those on which the other ends at all."""
    found = (QueryDiff(target, base.compile(before, target), head.compile(after, target)) for target in targets)
    return tuple(diff for diff in found if _without_proof(diff.before) != _without_proof(diff.after))


def _without_proof(compiled: Compiled) -> tuple[object, ...]:
    return compiled.state, compiled.reason, compiled.query, compiled.text, compiled.facts, compiled.notes


def changed_facts(diff: QueryDiff) -> tuple[tuple[str, str, str], ...]:
    """Name, before, after of each fact that differs on a target where both sides compile."""
    before, after = diff.before.facts, diff.after.facts
    if before is None or after is None:
        return ()
    names = dict.fromkeys((*before, *after))
    return tuple((name, before.get(name, ""), after.get(name, "")) for name in names if before.get(name, "") != after.get(name, ""))
