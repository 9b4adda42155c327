"""What holds for one customer on one day, as data: what `insigma tenant show` writes as JSON, and makes its text of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from insigma.content.context import CALENDAR
from insigma.content.durations import duration_text
from insigma.content.model import AnyRule, Correlation, Pack
from insigma.content.profiles import WEEKDAYS
from insigma.content.tenants import Calendar, Delivery, Shift, Surge, Tenant
from insigma.specialise.facts import labels_of
from insigma.specialise.lists import LIST_COLUMN
from insigma.specialise.needs import LEAST_FILL
from insigma.specialise.tenant import ACTIVE, DISABLED, LACKING, Special, Specialiser, if_unknown
from insigma.specialise.thresholds import effective, thresholds_of, timespan_bounds

STATES = (ACTIVE, LACKING, DISABLED)


def summary(specialiser: Specialiser, specials: Sequence[Special], pack: Pack, day: str) -> dict[str, Any]:
    """Everything, by its parts; rules are named by their labels. `specials` are all rules of the pack, in its order."""
    tenant = specialiser.tenant
    states = Counter(special.state for special in specials)
    return {
        "tenant": tenant.id,
        "legal_entity": tenant.legal_entity,
        "profile": pack.relative(tenant.document.path),
        "day": day,
        "targets": {name: _settings(tenant.targets.get(name, {})) for name in tenant_targets(tenant, pack)},
        "regulators": {name: tenant.regulators[name] for name in sorted(tenant.regulators)},
        "calendar": calendar_object(tenant.calendar),
        "surges": [_surge(surge, day) for surge in tenant.surges],
        "rules": {state: states[state] for state in STATES},
        "thresholds": list(_thresholds(specialiser, pack)),
        "timespans": list(_timespans(tenant, pack)),
        "intervals": {"all": tenant.interval, "rules": dict(sorted(specialiser.intervals.items()))},
        "severities": list(_severities(specialiser, specials, pack)),
        "exceptions": [_exception(tenant, number, pack, day) for number in range(len(tenant.exemptions))],
        "disabled": list(_disabled(specialiser, specials, pack)),
        "context": _context(specialiser, specials, pack),
        "lists": list(_lists(specialiser, pack)),
        "tables": list(_tables(specials, tenant, pack)),
        "feeds": list(_feeds(tenant)),
    }


def tenant_targets(tenant: Tenant, pack: Pack) -> tuple[str, ...]:
    """The targets that the tenant is built for: those that its profile names; all that the pack maps where it names none."""
    return tuple(name for name in pack.mappings if not tenant.targets or name in tenant.targets)


def _settings(block: Mapping[str, Any]) -> dict[str, Any]:
    """What a target's block says of the target as a whole."""
    return {key: value for key, value in sorted(block.items()) if isinstance(value, (str, int, bool))}


def calendar_object(calendar: Calendar | None) -> dict[str, Any] | None:
    """The working hours of everybody and of groups."""
    if calendar is None:
        return None
    groups = [{"group": each.group, "field": each.field, **_shift(each.shift)} for each in calendar.groups]
    return {"default": _shift(calendar.default), "groups": groups, "years": list(calendar.years)}


def _shift(shift: Shift) -> dict[str, Any]:
    opens, closes = shift.opens, shift.closes if shift.closes <= 1440 else shift.closes - 1440
    return {
        "timezone": shift.timezone,
        "weekdays": [name for number, name in enumerate(WEEKDAYS) if number in shift.weekdays],
        "hours": f"{opens // 60:02d}:{opens % 60:02d}-{closes // 60:02d}:{closes % 60:02d}",
        "holidays": shift.holidays,
    }


def hours_text(shift: Mapping[str, Any]) -> str:
    """Working hours for people."""
    off = f", holidays {shift['holidays']}" if shift["holidays"] else ""
    return f"{' '.join(shift['weekdays'])} {shift['hours']} {shift['timezone']}{off}"


def _surge(surge: Surge, day: str) -> dict[str, Any]:
    state = "in force" if surge.first <= day <= surge.last else "over" if surge.last < day else "planned"
    multipliers = dict(sorted(surge.multipliers.items()))
    return {"id": surge.id, "type": surge.kind, "from": surge.first, "to": surge.last, "state": state, "multipliers": multipliers}


def _thresholds(specialiser: Specialiser, pack: Pack) -> Iterator[dict[str, Any]]:
    tenant = specialiser.tenant
    for rule in _by_label(pack):
        found = effective(rule, tenant, specialiser.surges)
        for threshold in thresholds_of(rule):
            if threshold.name in found or tenant.thresholds.get(threshold.name, threshold.default) != threshold.default:
                here, surge = found.get(threshold.name, (threshold.default, ""))
                yield {
                    "threshold": threshold.name,
                    "rule": rule.header.label,
                    "pack": threshold.default,
                    "profile": tenant.thresholds.get(threshold.name, threshold.default),
                    "here": here,
                    "min": threshold.least,
                    "max": threshold.most,
                    "surge": surge,
                }


def _timespans(tenant: Tenant, pack: Pack) -> Iterator[dict[str, Any]]:
    labels = labels_of(pack.rules)
    here = {labels.get(name, name): value for name, value in tenant.timespans.items()}
    for rule in _by_label(pack):
        own = here.get(rule.header.label)
        if isinstance(rule, Correlation) and own is not None and own != rule.timespan_ms:
            bounds = timespan_bounds(rule)
            yield {
                "rule": rule.header.label,
                "pack": duration_text(rule.timespan_ms),
                "here": duration_text(own),
                "min": duration_text(bounds[0]) if bounds else "",
                "max": duration_text(bounds[1]) if bounds else "",
            }


def _severities(specialiser: Specialiser, specials: Sequence[Special], pack: Pack) -> Iterator[dict[str, Any]]:
    labels = labels_of(pack.rules)
    reasons = {labels.get(change.rule, change.rule): change.reason for change in specialiser.tenant.levels}
    for rule, special in _pairs(specials, pack):
        label = rule.header.label
        if special.rule.header.level != rule.header.level and (label in reasons or special.state == ACTIVE):
            why = f"without {', '.join(specialiser.absent(rule))}"
            yield {"rule": label, "pack": rule.header.level, "here": special.rule.header.level, "because": reasons.get(label, why)}


def _exception(tenant: Tenant, number: int, pack: Pack, day: str) -> dict[str, Any]:
    exemption = tenant.exemptions[number]
    labels = labels_of(pack.rules)
    return {
        "id": exemption.id,
        "rules": [labels.get(name, name) for name in exemption.rules],
        "where": exemption.where,
        "reason": exemption.reason,
        "owner": exemption.owner,
        "approved_by": exemption.approved_by,
        "expires": exemption.expires,
        "days_left": days_between(day, exemption.expires),
    }


def days_between(first: str, last: str) -> int | None:
    """The days from one ISO 8601 day to another, negative if the other is over; None where one of them is no day."""
    try:
        return (date.fromisoformat(last) - date.fromisoformat(first)).days
    except ValueError:
        return None


def _disabled(specialiser: Specialiser, specials: Sequence[Special], pack: Pack) -> Iterator[dict[str, Any]]:
    """The rules that are switched off, by the profile with owner and day of review, or because a flag is absent."""
    labels = labels_of(pack.rules)
    rules = specialiser.tenant.document.data.get("rules")
    written = rules.get("disabled") if isinstance(rules, dict) else None
    entries = [entry for entry in written if isinstance(entry, dict)] if isinstance(written, list) else []
    said = {labels.get(str(entry.get("id")), ""): entry for entry in entries}
    for rule, special in _pairs(specials, pack):
        if special.state == DISABLED:
            entry = said.get(rule.header.label, {})
            owner, review = (str(entry.get(key, "")) for key in ("owner", "review"))
            yield {"rule": rule.header.label, "reason": special.reason, "owner": owner, "review": review}


def _context(specialiser: Specialiser, specials: Sequence[Special], pack: Pack) -> dict[str, Any]:
    """The flags that rules read, by how they are delivered; for those that are missing, what becomes of the rules."""
    read: dict[str, list[str]] = {}
    without: dict[str, dict[str, list[str]]] = {}
    for rule, special in _pairs(specials, pack):
        for name in specialiser.facts(rule).flags:
            read.setdefault(name, []).append(rule.header.label)
        for name in specialiser.absent(rule) if _concerned(rule, special) else ():
            effect = LACKING if special.state == LACKING else if_unknown(rule)
            without.setdefault(name, {}).setdefault(effect, []).append(rule.header.label)
    found: dict[str, Any] = {delivery.value: [] for delivery in Delivery}
    for name in sorted(read):
        source, known = specialiser.tenant.context.get(name), pack.context.flags.get(name)
        entry: dict[str, Any] = {"flag": name, "rules": read[name], "without": without.get(name, {})}
        if source is not None and source.delivery is Delivery.LOOKUP:
            entry |= {"table": known.table if known else source.table, "max_age": source.max_age or (known.refresh if known else "")}
        found[(Delivery.INGEST if source is None else source.delivery).value].append(entry)
    return found


def _concerned(rule: AnyRule, special: Special) -> bool:
    """Whether a missing flag makes a difference: none to a rule that the profile switches off."""
    return special.state != DISABLED or if_unknown(rule) == "suppress"


def _lists(specialiser: Specialiser, pack: Pack) -> Iterator[dict[str, Any]]:
    """The lists that the profile gives, or that rules use and it does not give."""
    used: dict[str, list[str]] = {}
    for rule in _by_label(pack):
        for name in specialiser.facts(rule).lists:
            used.setdefault(name, []).append(rule.header.label)
    given = specialiser.tenant.all_lists
    for name in sorted({*used, *given}):
        entry = given.get(name)
        yield {
            "list": name,
            "mode": "missing" if entry is None else "lookup" if entry.lookup else "inline",
            "values": None if entry is None or entry.values is None else len(entry.values),
            "rules": used.get(name, []),
            "owner": entry.owner if entry else "",
            "refresh": entry.refresh if entry else "",
        }


def _tables(specials: Sequence[Special], tenant: Tenant, pack: Pack) -> Iterator[dict[str, Any]]:
    """The tables that running rules read, with who fills them."""
    readers: dict[str, list[str]] = {}
    for special in sorted(specials, key=lambda special: special.rule.header.label):
        for name in {lookup.table: None for lookup in special.lookups} if special.state == ACTIVE else ():
            readers.setdefault(name, []).append(special.rule.header.label)
    refresh = {lookup.table: lookup.refresh for special in specials for lookup in special.lookups}
    for name in sorted(readers):
        known, own = pack.context.tables.get(name), tenant.all_lists.get(name)
        built = (name == CALENDAR and tenant.calendar is not None) if known else own is not None and own.values is not None
        yield {
            "table": name,
            "filled_by": "build" if built else "customer",
            "keys": list(known.key_columns) if known else [LIST_COLUMN],
            "columns": dict(known.columns) if known else {LIST_COLUMN: "string"},
            "refresh": refresh[name],
            "source": known.source if known else own.source if own else "",
            "rules": readers[name],
        }


def _feeds(tenant: Tenant) -> Iterator[dict[str, Any]]:
    for name, feed in sorted(tenant.feeds.items()):
        yield {
            "logsource": name,
            "absent": feed.absent,
            "because": feed.because,
            "lacks": list(feed.lacks),
            "filled_too_rarely": {field: share for field, share in sorted(feed.fill.items()) if share < LEAST_FILL},
            "delay": duration_text(feed.delay_ms) if feed.delay_ms else "",
            "products": list(feed.products),
        }


def _by_label(pack: Pack) -> list[AnyRule]:
    return sorted(pack.rules, key=lambda rule: rule.header.label)


def _pairs(specials: Sequence[Special], pack: Pack) -> list[tuple[AnyRule, Special]]:
    """Each rule of the pack with what it is here, by label."""
    return sorted(zip(pack.rules, specials, strict=True), key=lambda pair: pair[0].header.label)
