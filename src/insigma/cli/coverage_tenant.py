"""`insigma coverage --tenant`: the rules that run for a customer, and which of its critical systems are monitored."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from insigma.assure.monitored import RUNGS, Function, Monitoring, Rules, System, monitoring_of, percent
from insigma.cli.output import counted
from insigma.cli.tenant_profiles import profile_named, refuse_faulty
from insigma.cli.tenant_tables import cut, listed, table
from insigma.cli.workplace import Workplace
from insigma.content.model import AnyRule, Pack
from insigma.content.tenants import Tenant
from insigma.diagnostics.render.hostile import visible
from insigma.release.outcomes import COMPILED
from insigma.release.tenants import Workbench, build_tenant, targets_of
from insigma.specialise.tenant import DISABLED, Special, Specialiser

FORMULA = "systems with a healthy feed, an enabled P1 rule and a passing test / all critical systems"


@dataclass(frozen=True, slots=True)
class Watched:
    """A customer, its rules as they hold for it, and the labels of those that at least one of its targets has a query for."""

    tenant: Tenant
    pack: Pack
    targets: tuple[str, ...]
    specials: tuple[Special, ...]
    compiled: frozenset[str]

    def running(self, workplace: Workplace) -> tuple[AnyRule, ...]:
        """The rules that run, of those that were asked for."""
        return tuple(
            special.rule
            for special in self.specials
            if special.rule.header.label in self.compiled and workplace.concerns(special.rule.header.path)
        )

    def monitoring(self, tested: Collection[str]) -> Monitoring:
        """The monitoring of the critical systems; `tested` are the labels of rules whose fixtures pass."""
        wanted = [special.rule for special in self.specials if special.state != DISABLED]
        return monitoring_of(self.tenant, Rules(wanted, self.compiled, tested), self.pack.taxonomy)

    def opening(self) -> list[str]:
        """What is counted."""
        total, where = len(self.specials), ", ".join(self.targets) or "no target"
        return [cut(visible(f"{self.tenant.id}: {len(self.compiled):,} of {counted(total, 'rule')} run on {where}; only they count here"))]

    def as_object(self, monitoring: Monitoring | None) -> dict[str, Any]:
        """What JSON has beside the sections."""
        found: dict[str, Any] = {"tenant": self.tenant.id, "running": sorted(self.compiled), "targets": list(self.targets)}
        return found if monitoring is None else {**found, "critical_systems": _object(monitoring)}

    def text(self, monitoring: Monitoring) -> Iterator[str]:
        """The critical systems for people: the formula with its numbers, every system, the ladder of every function."""
        total, monitored = len(monitoring.systems), monitoring.monitored
        yield f"Critical systems: {monitored} of {total} monitored"
        if not total:
            yield "  the profile names none: critical_functions"
            return
        yield cut(f"  monitored share = {FORMULA}")
        yield f"                  = {monitored} / {total} = {percent(monitored / total)}"
        yield ""
        yield from _systems(monitoring)
        yield ""
        yield from _ladder(monitoring.functions)
        yield from _remarks(monitoring.functions)


def watched_of(name: str, workplace: Workplace) -> Watched | int:
    """The customer of that name, its rules compiled for each of its targets; an exit code where it has faults, which were told."""
    tenant, pack = profile_named(name, workplace), workplace.loaded.pack
    code = refuse_faulty((tenant,), workplace, None, "nothing is counted")
    if code is not None:
        return code
    targets = targets_of(tenant, pack)
    build = build_tenant(Specialiser(pack, tenant), pack, targets, Workbench(), {})
    compiled = frozenset(outcome.rule.header.label for outcome in build.outcomes if outcome.state == COMPILED)
    return Watched(tenant, pack, tuple(targets), build.specials, compiled)


def _systems(monitoring: Monitoring) -> Iterator[str]:
    by_name = {function.name: function for function in monitoring.functions}
    width = max(len(system.name) for system in monitoring.systems)
    for system in monitoring.systems:
        names = ", ".join(system.functions)
        said = f"monitored   {_rules_of(system, by_name)}" if system.monitored else "unmonitored"
        yield cut(visible(f"  {system.name:<{width}}  {said}  ({names})"))
        yield from (cut(visible(f"  {'':<{width}}    {what}")) for what in system.missing)


def _rules_of(system: System, functions: dict[str, Function]) -> str:
    rules = {label for name in system.functions for label in functions[name].rules}
    return f"by {counted(len(rules), 'P1 rule')}"


def _ladder(functions: Sequence[Function]) -> Iterator[str]:
    """The share of each function's log sources on each rung."""
    rows = [
        (
            function.name,
            len(function.rungs),
            *((percent(function.share(rung)) if function.rungs else "-") for rung in RUNGS),
            listed([name for name, height in function.rungs.items() if height < len(RUNGS)], 3) or "-",
        )
        for function in functions
    ]
    return table(("function", "log sources", *RUNGS, "not up"), rows, right={1, 2, 3, 4, 5})


def _remarks(functions: Sequence[Function]) -> Iterator[str]:
    yield "  P1 rules alert with severity high or critical here. A test counts if the fixture passes now; the measure asks for"
    yield "  one in the last 90 days."
    unmeasured = sorted({name for function in functions for name in function.unmeasured})
    if unmeasured:
        yield cut(f"  Not measured, so taken as filled (insigma tenant measure): {listed(unmeasured)}")


def _object(monitoring: Monitoring) -> dict[str, Any]:
    total = len(monitoring.systems)
    return {
        "formula": FORMULA,
        "monitored": monitoring.monitored,
        "total": total,
        "share": round(monitoring.monitored / total, 4) if total else None,
        "systems": [
            {"system": system.name, "functions": list(system.functions), "monitored": system.monitored, "missing": list(system.missing)}
            for system in monitoring.systems
        ],
        "functions": [
            {
                "function": function.name,
                "systems": list(function.systems),
                "ladder": {rung: round(function.share(rung), 4) for rung in RUNGS} if function.rungs else None,
                "logsources": {name: RUNGS[height - 1] if height else "none" for name, height in function.rungs.items()},
                "p1_rules": list(function.rules),
                "missing": list(function.missing),
                "unmeasured": list(function.unmeasured),
            }
            for function in monitoring.functions
        ],
    }
