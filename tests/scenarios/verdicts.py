"""What the whole pack says of a day, and how that differs from what a scenario states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from insigma.assure.coverage import alerts
from insigma.assure.fixtures import reference_rules
from insigma.content.folding import fold
from insigma.content.lists import default_lists
from insigma.content.model import Pack
from insigma.evaluate.engine import Engine
from insigma.evaluate.events import text_of

_NOT_FIELDS = frozenset({"rule", "because", "count", "value"})


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert: of an event rule each matching event, of a correlation the group (`fields`), its value and number of events."""

    rule: str
    fields: Mapping[str, Any]
    value: int | float | None = None
    count: int | None = None


def judge(pack: Pack, events: Sequence[Mapping[str, Any]]) -> tuple[Alert, ...]:
    """Every alert of every rule that alerts, rules evaluated together in one pass."""
    reference = reference_rules(pack, default_lists(pack))
    rules = tuple({id(rule): rule for rule in reference.rules.values() if alerts(rule)}.values())
    engine = Engine(rules, pack.taxonomy)
    for event in events:
        engine.feed(event)
    found: list[Alert] = []
    for verdict in engine.verdicts():
        label = verdict.rule.header.label
        if verdict.alerts:
            found += (Alert(label, one.group, one.alert.value, len(one.alert.indexes)) for one in verdict.alerts)
        elif not hasattr(verdict.rule, "members"):
            found += (Alert(label, events[index]) for index in verdict.indexes)
    return tuple(sorted(found, key=lambda alert: (alert.rule, str(sorted(alert.fields.items())))))


def differences(stated: Sequence[Mapping[str, Any]], found: Sequence[Alert]) -> Iterator[str]:
    """Alerts that are stated and did not fire, or fired otherwise, and alerts that nobody stated. None: the day is as stated.

    An entry names a rule and fields that the alert has; `count` is, for an event rule, how many of its events there are
    (1 unless said), for a correlation how many events the alert has; `value` is a correlation's value.
    """
    left = list(found)
    for entry in stated:
        alike = [alert for alert in left if alert.rule == entry["rule"] and _has(alert, entry)]
        single = [alert for alert in alike if alert.count is None]
        wanted = entry.get("count", 1) if single else 1
        if len(alike) != wanted:
            yield f"stated {wanted}, found {len(alike)}: {dict(entry)}"
        left = [alert for alert in left if alert not in alike]
    yield from (f"nobody stated: {alert.rule} {_brief(alert)}" for alert in left)


def _has(alert: Alert, entry: Mapping[str, Any]) -> bool:
    fields = all(_same(alert.fields.get(name), value) for name, value in entry.items() if name not in _NOT_FIELDS)
    if alert.count is None:
        return fields
    return fields and entry.get("count", alert.count) == alert.count and entry.get("value", alert.value) == alert.value


def _same(actual: Any, wanted: Any) -> bool:
    return actual is not None and fold(text_of(actual)) == fold(text_of(wanted))


def _brief(alert: Alert) -> str:
    if alert.count is not None:
        return f"{dict(alert.fields)} value {alert.value}, {alert.count} events"
    shown = ("@timestamp", "user.name", "event.action", "insurance.claim.id", "insurance.api.client_id", "service.name")
    return str({name: alert.fields[name] for name in shown if name in alert.fields})


def touched(entry: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> int:
    """How many events have the fields of an entry: what must stay quiet must at least be there."""
    fields = {name: value for name, value in entry.items() if name not in _NOT_FIELDS}
    return sum(all(_same(event.get(name), value) for name, value in fields.items()) for event in events)
