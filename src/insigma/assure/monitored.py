"""Which critical systems of a customer are monitored (domain README, section 5: coverage of critical systems, target 100 %).

    monitored share = systems with a healthy feed, an enabled P1 rule and a passing test / critical systems in the register

The register is `critical_functions` of the profile; its systems are the services, and the log sources of a function watch all
of its services. One that several functions use is one system, and monitored if it is for each of them.

- A feed is healthy where each log source of the function is there, and no field of it that every event must have, or that a
  rule groups or counts by, was measured as filled in less than 95 % of the events (`feeds` in the profile, written by `insigma
  tenant measure`). Rules that the profile switches off ask for no field. What has not been measured counts as filled, and is told.
- A P1 rule wakes somebody at once: its role is `alert` and its level high or critical, as it holds for the customer. The README
  asks for one and does not define it. It is enabled where it runs for the customer and at least one of its targets has a query,
  and is of the function where it, or a rule under it, reads one of the function's log sources.
- The README wants a passing test in the last 90 days. A fixture that passes now counts, with the pack's own lists and thresholds.

The ladder asks the same of each log source by itself: is it there (collected), is it filled (parsed), does an enabled P1 rule
read it (detected), does one whose fixture passes (tested). A rung counts only what stands on the rung below.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from insigma.assure.coverage import alerts, logsources
from insigma.content.model import AnyRule, Correlation, Taxonomy
from insigma.content.tenants import CriticalFunction, Feed, Tenant
from insigma.specialise.needs import LEAST_FILL

P1_LEVELS = frozenset({"high", "critical"})
RUNGS = ("collected", "parsed", "detected", "tested")


@dataclass(frozen=True, slots=True)
class Function:
    """One critical function: its systems, how far each of its log sources comes, and what it lacks to be monitored.

    `rungs` gives for each log source how many of `RUNGS` it has climbed; `rules` are the tested P1 rules, `unmeasured` the log
    sources that nobody has measured.
    """

    name: str
    systems: tuple[str, ...]
    rungs: Mapping[str, int]
    rules: tuple[str, ...]
    missing: tuple[str, ...]
    unmeasured: tuple[str, ...]

    def share(self, rung: str) -> float:
        """The share of log sources that have climbed the rung; 0 without log sources."""
        height = RUNGS.index(rung) + 1
        return sum(climbed >= height for climbed in self.rungs.values()) / len(self.rungs) if self.rungs else 0.0


@dataclass(frozen=True, slots=True)
class System:
    """One critical system: the functions that use it, and what each of them lacks (nothing where it is monitored)."""

    name: str
    functions: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def monitored(self) -> bool:
        return not self.missing


@dataclass(frozen=True, slots=True)
class Monitoring:
    """All critical functions of a customer, by name, and its critical systems, by name."""

    functions: tuple[Function, ...]
    systems: tuple[System, ...]

    @property
    def monitored(self) -> int:
        return sum(system.monitored for system in self.systems)


def is_p1(rule: AnyRule) -> bool:
    """Whether the rule, as it holds for a customer, wakes somebody at once."""
    return alerts(rule) and rule.header.level in P1_LEVELS


def percent(share: float) -> str:
    """A share for people, cut off and not rounded: what is below a bound does not look as if it had reached it."""
    return f"{math.floor(share * 1000 + 1e-9) / 10:g} %"


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a customer, as they hold for it: those that it has not switched off, and the labels of those of them that run
    and of those whose fixtures pass."""

    wanted: Sequence[AnyRule]
    running: Collection[str]
    tested: Collection[str]


def monitoring_of(tenant: Tenant, rules: Rules, taxonomy: Taxonomy) -> Monitoring:
    """The monitoring of a customer's critical systems."""
    made = [_function(tenant.critical[name], tenant, rules, taxonomy) for name in sorted(tenant.critical)]
    systems: dict[str, list[Function]] = {}
    for function in made:
        for name in function.systems:
            systems.setdefault(name, []).append(function)
    found = (System(name, tuple(function.name for function in systems[name]), tuple(_lacking(systems[name]))) for name in sorted(systems))
    return Monitoring(tuple(made), tuple(found))


def _lacking(functions: Sequence[Function]) -> Iterator[str]:
    several = len(functions) > 1
    for function in functions:
        yield from (f"{function.name}: {what}" if several else what for what in function.missing)


def _function(function: CriticalFunction, tenant: Tenant, rules: Rules, taxonomy: Taxonomy) -> Function:
    sources = tuple(dict.fromkeys(function.logsources))
    enabled_p1 = (rule for rule in rules.wanted if is_p1(rule) and rule.header.label in rules.running)
    urgent = {rule.header.label: frozenset(logsources(rule, taxonomy)) for rule in enabled_p1}
    rungs: dict[str, int] = {}
    missing: list[str] = []
    for name in sources:
        wrong = tuple(_unhealthy(name, tenant, rules.wanted, taxonomy))
        missing += wrong
        readers = [label for label, read in urgent.items() if name in read]
        steps = (_there(name, tenant, taxonomy), not wrong, bool(readers), any(label in rules.tested for label in readers))
        rungs[name] = next((height for height, taken in enumerate(steps) if not taken), len(RUNGS))
    enabled = sorted(label for label, read in urgent.items() if not read.isdisjoint(sources))
    passing = tuple(label for label in enabled if label in rules.tested)
    if not sources:
        missing.append("the profile names no log source that watches it")
    elif not enabled:
        missing.append(f"no enabled P1 rule reads {' or '.join(sources)}")
    elif not passing:
        missing.append(f"no fixture of its P1 rules passes: {', '.join(enabled)}")
    unmeasured = tuple(name for name in sources if _there(name, tenant, taxonomy) and not _measured(name, tenant))
    return Function(function.name, tuple(dict.fromkeys(function.services)), rungs, passing, tuple(missing), unmeasured)


def _there(logsource: str, tenant: Tenant, taxonomy: Taxonomy) -> bool:
    feed = tenant.feeds.get(logsource)
    return logsource in taxonomy.logsources and not (feed is not None and feed.absent)


def _measured(logsource: str, tenant: Tenant) -> bool:
    """Whether the profile says how well the log source is filled, if only that it is (`fill: {}`)."""
    feeds = tenant.document.data.get("feeds")
    written = feeds.get(logsource) if isinstance(feeds, dict) else None
    return isinstance(written, dict) and not written.keys().isdisjoint({"fill", "lacks"})


def _unhealthy(logsource: str, tenant: Tenant, wanted: Sequence[AnyRule], taxonomy: Taxonomy) -> Iterator[str]:
    """What is wrong with the log source, in words."""
    source, feed = taxonomy.logsources.get(logsource), tenant.feeds.get(logsource)
    if source is None:
        yield f"{logsource} is no log source of the taxonomy"
    elif feed is not None and feed.absent:
        yield f"{logsource} is absent" + (f" ({feed.because})" if feed.because else "")
    elif feed is not None:
        needed = dict.fromkeys((*source.required, *(name for rule in wanted for name in grouped(rule, logsource, taxonomy))))
        yield from (told for name in needed if (told := _low(name, feed)))


def _low(field: str, feed: Feed) -> str:
    """What is wrong with the fill of a field; empty where nothing is."""
    share = 0.0 if field in feed.lacks else feed.fill.get(field, 1.0)
    if share >= LEAST_FILL:
        return ""
    return f"{feed.logsource}: {field} is filled in {percent(share)} of events, {percent(LEAST_FILL)} are needed"


def grouped(rule: AnyRule, logsource: str, taxonomy: Taxonomy) -> Iterator[str]:
    """The fields of the log source that the rule groups or counts by, through chains."""
    if not isinstance(rule, Correlation):
        return
    for position, member in enumerate(rule.members):
        if logsource in logsources(member, taxonomy):
            yield from (rule.field_of(name, position) for name in (*rule.group_by, *rule.condition.fields))
        yield from grouped(member, logsource, taxonomy)
