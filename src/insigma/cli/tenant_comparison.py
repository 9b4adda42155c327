"""What two customers get differently, as data: what `insigma tenant diff` writes as JSON, and makes its text of.

Everywhere `a` and `b` are the two, in the order of the command line. Only what differs is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from insigma.cli.tenant_summary import calendar_object, hours_text, tenant_targets
from insigma.content.durations import duration_text
from insigma.content.lookups import Hours
from insigma.content.model import AnyRule, Correlation, Pack, TargetField, TargetLogSource, TargetMapping
from insigma.content.tenants import Delivery, Tenant, TenantList
from insigma.release.outcomes import Outcome
from insigma.release.tenants import Workbench, build_tenant
from insigma.specialise.context import lookup_of
from insigma.specialise.mapping import tenant_mapping
from insigma.specialise.tenant import Memo, Special, Specialiser
from insigma.specialise.thresholds import effective, thresholds_of

Pair = tuple[Any, Any]


@dataclass(frozen=True, slots=True)
class Side:
    """One customer: its rules as they hold for it, by label, and its outcomes by target and label."""

    pack: Pack
    specialiser: Specialiser
    specials: Mapping[str, Special]
    outcomes: Mapping[tuple[str, str], Outcome]

    @property
    def tenant(self) -> Tenant:
        return self.specialiser.tenant


def sides(tenants: Sequence[Tenant], pack: Pack, day: str | None) -> list[Side]:
    """The customers, each specialised and compiled for the targets that all of them have."""
    memo, bench = Memo.empty(), Workbench()
    shared = [name for name in pack.mappings if all(name in tenant_targets(tenant, pack) for tenant in tenants)]
    found = []
    for tenant in tenants:
        specialiser = Specialiser(pack, tenant, day, memo)
        build = build_tenant(specialiser, pack, shared, bench, {})
        outcomes = {(outcome.target, outcome.rule.header.label): outcome for outcome in build.outcomes}
        found.append(Side(pack, specialiser, {special.rule.header.label: special for special in build.specials}, outcomes))
    return found


def compared(a: Side, b: Side, pack: Pack, day: str | None) -> dict[str, Any]:
    """Everything that differs between the two."""
    rules = sorted(pack.rules, key=lambda rule: rule.header.label)
    changed = {rule.header.label: list(_rule(rule, a, b)) for rule in rules}
    under = {rule.header.label: [name for name in _built_on(rule) if changed[name]] for rule in rules}
    return {
        "a": a.tenant.id,
        "b": b.tenant.id,
        "day": day,
        "of": len(rules),
        "rules": [_told(rule, changed[label], under[label]) for rule in rules if changed[label := rule.header.label] or under[label]],
        "lists": list(_lists(rules, a, b)),
        "context": list(_context(rules, a, b)),
        "feeds": list(_feeds(a, b)),
        "profile": list(_profile(a.tenant, b.tenant)),
        "targets": {name: _target(name, a, b, pack) for name in pack.mappings if _has(name, a, pack) or _has(name, b, pack)},
    }


def _told(rule: AnyRule, changes: list[dict[str, Any]], under: list[str]) -> dict[str, Any]:
    return {"rule": rule.header.label, "title": rule.header.title, "changes": changes, "built_on": under}


def _built_on(rule: AnyRule) -> Iterator[str]:
    """The rules that a correlation builds on, through chains."""
    for member in rule.members if isinstance(rule, Correlation) else ():
        yield member.header.label
        yield from _built_on(member)


def _change(what: str, pair: Pair) -> Iterator[dict[str, Any]]:
    if pair[0] != pair[1]:
        yield {"what": what, "a": pair[0], "b": pair[1]}


def _rule(rule: AnyRule, a: Side, b: Side) -> Iterator[dict[str, Any]]:
    label = rule.header.label
    one, other = a.specials[label], b.specials[label]
    yield from _change("state", (_state(one), _state(other)))
    yield from _change("severity", (one.rule.header.level, other.rule.header.level))
    numbers = [effective(rule, side.tenant, side.specialiser.surges) for side in (a, b)]
    for threshold in thresholds_of(rule):
        values = [found.get(threshold.name, (threshold.default, ""))[0] for found in numbers]
        yield from _change(f"threshold {threshold.name}", (values[0], values[1]))
    if isinstance(one.rule, Correlation) and isinstance(other.rule, Correlation):
        yield from _change("timespan", (duration_text(one.rule.timespan_ms), duration_text(other.rule.timespan_ms)))
    if label in a.specialiser.intervals or label in b.specialiser.intervals:
        yield from _change("interval", (_interval(label, a), _interval(label, b)))
    excepted = [_exceptions(label, side) for side in (a, b)]
    for name in sorted({*excepted[0], *excepted[1]}):
        yield from _change(f"exception {name}", (excepted[0].get(name), excepted[1].get(name)))
    facts = a.specialiser.facts(rule)
    for name in facts.lists:
        yield from _change(f"list {name}", _list_pair(a.tenant.all_lists.get(name), b.tenant.all_lists.get(name)))
    for name in facts.flags:
        yield from _change(f"flag {name}", (_delivery(name, a), _delivery(name, b)))
    for name in facts.logsources:
        yield from _change(f"log source {name}", (_feed(name, a), _feed(name, b)))


def _state(special: Special) -> str:
    return special.state + (f": {'; '.join(special.needs) or special.reason}" if special.needs or special.reason else "")


def _interval(label: str, side: Side) -> str:
    return side.specialiser.intervals.get(label, side.tenant.interval)


def _exceptions(label: str, side: Side) -> dict[str, str]:
    ids = {name for name, _ in side.specialiser.exceptions().get(label, ())}
    return {entry.id: f"until {entry.expires}" for entry in side.tenant.exemptions if entry.id in ids}


def _list_pair(one: TenantList | None, other: TenantList | None) -> Pair:
    """Two lists in few words, which are equal only if the lists are. The values themselves are told once, with the lists."""
    pair = _list(one), _list(other)
    if pair[0] != pair[1] or one is None or other is None or one.values == other.values:
        return pair
    same = set(one.values or ()) == set(other.values or ())
    return pair[0], f"{pair[1]}{' in another order' if same else ' of its own'}"


def _list(entry: TenantList | None) -> str | None:
    if entry is None:
        return None
    size = "" if entry.values is None else f", {len(entry.values)} values" if len(entry.values) != 1 else ", 1 value"
    return ("lookup" if entry.lookup else "inline") + size + (f", every {entry.refresh}" if entry.refresh and entry.lookup else "")


def _lists(rules: Sequence[AnyRule], a: Side, b: Side) -> Iterator[dict[str, Any]]:
    """The lists that differ in delivery or values."""
    readers: dict[str, list[str]] = {}
    for rule in rules:
        for name in a.specialiser.facts(rule).lists:
            readers.setdefault(name, []).append(rule.header.label)
    given = (a.tenant.all_lists, b.tenant.all_lists)
    for name in sorted({*readers, *given[0], *given[1]}):
        entries = [lists.get(name) for lists in given]
        values = [set(entry.values or ()) if entry is not None else set() for entry in entries]
        pair = _list_pair(entries[0], entries[1])
        if pair[0] != pair[1]:
            yield {
                "list": name,
                "a": pair[0],
                "b": pair[1],
                "only_a": sorted(values[0] - values[1]),
                "only_b": sorted(values[1] - values[0]),
                "rules": readers.get(name, []),
            }


def _delivery(flag: str, side: Side) -> str:
    """How the flag comes; one that no table of the pack makes is as good as absent."""
    source = side.tenant.context.get(flag)
    if source is None or source.delivery is not Delivery.LOOKUP:
        return (Delivery.INGEST if source is None else source.delivery).value
    lookup = lookup_of(flag, side.tenant, side.pack)
    if lookup is None:
        return Delivery.ABSENT.value
    groups = lookup.verdict.groups if isinstance(lookup.verdict, Hours) else ()
    hours = f", hours of {', '.join(name for name, _, _ in groups)}" if groups else ""
    return f"lookup {lookup.table}, at most {lookup.refresh} old{hours}"


def _context(rules: Sequence[AnyRule], a: Side, b: Side) -> Iterator[dict[str, Any]]:
    readers: dict[str, list[str]] = {}
    for rule in rules:
        for name in a.specialiser.facts(rule).flags:
            readers.setdefault(name, []).append(rule.header.label)
    for name in sorted({*readers, *a.tenant.context, *b.tenant.context}):
        pair = _delivery(name, a), _delivery(name, b)
        if pair[0] != pair[1]:
            yield {"flag": name, "a": pair[0], "b": pair[1], "rules": readers.get(name, [])}


def _feed(name: str, side: Side) -> str:
    feed = side.tenant.feeds.get(name)
    if feed is None:
        return "complete"
    said = ["absent"] if feed.absent else []
    said += [f"lacks {', '.join(feed.lacks)}"] if feed.lacks else []
    said += [f"{field} in {share:.0%} of events" for field, share in sorted(feed.fill.items())]
    said += [f"up to {duration_text(feed.delay_ms)} late"] if feed.delay_ms else []
    return "; ".join(said) or "complete"


def _feeds(a: Side, b: Side) -> Iterator[dict[str, Any]]:
    for name in sorted({*a.tenant.feeds, *b.tenant.feeds}):
        pair = _feed(name, a), _feed(name, b)
        if pair[0] != pair[1]:
            yield {"logsource": name, "a": pair[0], "b": pair[1]}


def _profile(a: Tenant, b: Tenant) -> Iterator[dict[str, Any]]:
    """What is about no single rule: how often searches run, working hours, and the regimes whose clocks rules keep."""
    yield from _change("interval", (a.interval, b.interval))
    hours = [_hours(tenant) for tenant in (a, b)]
    for name in sorted({*hours[0], *hours[1]}):
        yield from _change(name, (hours[0].get(name), hours[1].get(name)))
    for name in sorted({*a.regulators, *b.regulators}):
        pair = tuple(tenant.regulators.get(name, not tenant.regulators) for tenant in (a, b))
        yield from _change(f"regulator {name}", (pair[0], pair[1]))


def _hours(tenant: Tenant) -> dict[str, str]:
    calendar = calendar_object(tenant.calendar)
    if calendar is None:
        return {}
    groups = {f"hours of {entry['group']}": hours_text(entry) for entry in calendar["groups"]}
    return {"hours": hours_text(calendar["default"]), **groups, "years of the calendar": ", ".join(map(str, calendar["years"]))}


def _has(target: str, side: Side, pack: Pack) -> bool:
    return target in tenant_targets(side.tenant, pack)


def _target(name: str, a: Side, b: Side, pack: Pack) -> dict[str, Any]:
    """Places, fields and settings of a target that both have, and how many of their queries differ."""
    if not (_has(name, a, pack) and _has(name, b, pack)):
        return {"only": a.tenant.id if _has(name, a, pack) else b.tenant.id}
    one, other = (tenant_mapping(pack.mappings[name], side.tenant) for side in (a, b))
    return {
        "settings": list(_settings(name, a.tenant, b.tenant, one, other)),
        "places": list(_places(one, other)),
        "fields": list(_fields(one, other)),
        "queries": _queries(name, a, b),
    }


def _settings(name: str, a: Tenant, b: Tenant, one: TargetMapping, other: TargetMapping) -> Iterator[dict[str, Any]]:
    """What is said of a target as a whole: a workspace, an app, how often searches run."""
    blocks = [{**mapping.options, **_plain(tenant.targets.get(name, {}))} for tenant, mapping in ((a, one), (b, other))]
    for key in sorted({*blocks[0], *blocks[1]}):
        yield from _change(key, (blocks[0].get(key), blocks[1].get(key)))


def _plain(block: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in block.items() if isinstance(value, (str, int, bool))}


def _places(one: TargetMapping, other: TargetMapping) -> Iterator[dict[str, Any]]:
    for name in sorted(one.logsources):
        old, new = _place(one.logsources[name]), _place(other.logsources[name])
        for key in sorted({*old, *new}):
            if old.get(key) != new.get(key):
                yield {"logsource": name, "setting": key, "a": old.get(key), "b": new.get(key)}


def _place(source: TargetLogSource) -> dict[str, str]:
    return {**source.settings, "delay": duration_text(source.delay_ms) if source.delay_ms else "none"}


def _fields(one: TargetMapping, other: TargetMapping) -> Iterator[dict[str, Any]]:
    for name in sorted(one.fields):
        if one.fields[name] != other.fields[name]:
            yield {"field": name, "a": _stored(one.fields[name]), "b": _stored(other.fields[name])}


def _stored(field: TargetField) -> str:
    cased = f", also {field.cased_name}" if field.cased_name else ""
    return f"{field.name} ({field.type}{', lower case' if field.case == 'lower' else ''}{', array' if field.array else ''}{cased})"


def _queries(target: str, a: Side, b: Side) -> dict[str, Any]:
    """The rules by whether their queries are the same, differ, or are there for only one; and those that run at other times."""
    found: dict[str, list[str]] = {"same": [], "differ": [], "only_a": [], "only_b": [], "other_schedule": []}
    for label in sorted(a.specials):
        one, other = (side.outcomes[target, label].packed for side in (a, b))
        if one is None or other is None:
            if one is not other:
                found["only_b" if one is None else "only_a"].append(label)
            continue
        left, right = one.detection, other.detection
        same = (left.language, left.query, left.scope, left.companions) == (right.language, right.query, right.scope, right.companions)
        found["same" if same else "differ"].append(label)
        if left.schedule != right.schedule:
            found["other_schedule"].append(label)
    return {"same": len(found.pop("same")), **found}
