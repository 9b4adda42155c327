"""Compiling every rule for every target: each rule x target ends as compiled, refused or disabled, none is lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from insigma.content.model import AnyRule, Pack
from insigma.diagnostics.model import Diagnostic, Place
from insigma.packages.base import Packed
from insigma.release.workshops import Workshop
from insigma.targets.base import Refused

COMPILED, REFUSED, DISABLED = "compiled", "refused", "disabled"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one rule ended on one target.

    `packed` is there if it was compiled, `reason` and `place` if not. `needs` says what a customer would have to deliver for it.
    """

    rule: AnyRule
    target: str
    tenant: str
    state: str
    verified: bool
    packed: Packed | None = None
    reason: str = ""
    place: Place | None = None
    needs: tuple[str, ...] = ()


def compile_rules(rules: Sequence[AnyRule], workshops: Sequence[Workshop], tenant: str, disabled: Mapping[str, str]) -> Iterator[Outcome]:
    """One outcome for each rule on each target, rule by rule."""
    for rule in rules:
        for workshop in workshops:
            yield _outcome(rule, workshop, tenant, disabled)


def _outcome(rule: AnyRule, workshop: Workshop, tenant: str, disabled: Mapping[str, str]) -> Outcome:
    header = rule.header
    off = next((disabled[name] for name in (header.name, header.id) if name is not None and name in disabled), None)
    if off is not None:
        return Outcome(rule, workshop.name, tenant, DISABLED, workshop.verified, reason=off or "disabled by the tenant")
    try:
        detection = workshop.compile(rule)
        packed = Packed(header, detection, workshop.packager.rule_files(header, detection))
    except Refused as refusal:
        place = header.document.place(*refusal.where)
        return Outcome(rule, workshop.name, tenant, REFUSED, workshop.verified, reason=refusal.reason, place=place)
    return Outcome(rule, workshop.name, tenant, COMPILED, workshop.verified, packed=packed)


def refusal_findings(outcomes: Sequence[Outcome], pack: Pack) -> tuple[Diagnostic, ...]:
    """INS701 for every refusal that the pack's refusal list does not name, INS702 for every entry that is not so."""
    listed = _listed(pack)
    found: list[Diagnostic] = []
    met: set[int] = set()
    for outcome in outcomes:
        names = (outcome.rule.header.name, outcome.rule.header.id, outcome.rule.header.slug)
        entry = next((key for key, value in listed.items() if value[0] in names and value[1] == outcome.target), None)
        if entry is not None:
            met.add(entry)
        if outcome.state == REFUSED and entry is None and outcome.place is not None:
            message = f"{outcome.target} refuses the rule: {outcome.reason}"
            found.append(Diagnostic(outcome.place, "INS701", message, _hint(outcome), rule=outcome.rule.header.label))
        if outcome.state == COMPILED and entry is not None:
            message = f"the refusal list names {outcome.rule.header.label} on {outcome.target}, but it compiles"
            found.append(Diagnostic(listed[entry][2], "INS702", message, "remove the entry", rule=outcome.rule.header.label))
    targets = {outcome.target for outcome in outcomes}
    for key, (name, target, place) in listed.items():
        if key not in met and target in targets:
            found.append(Diagnostic(place, "INS702", f"the refusal list names '{name}', which is no rule here", "remove the entry"))
    return tuple(found)


def _hint(outcome: Outcome) -> str:
    if not outcome.verified:
        return "the stock backend cannot say it; its other rules are built"
    return "change the rule, or accept it in insigma.yml: refusals: [{rule: ..., target: ..., reason: ...}]"


def _listed(pack: Pack) -> dict[int, tuple[str, str, Place]]:
    """The entries of `refusals` in insigma.yml: rule, target, place."""
    for document in pack.documents:
        if pack.relative(document.path) == "insigma.yml":
            entries: Any = document.data.get("refusals") or []
            return {
                index: (str(entry.get("rule")), str(entry.get("target")), document.place("refusals", index))
                for index, entry in enumerate(entries)
                if isinstance(entry, dict)
            }
    return {}
