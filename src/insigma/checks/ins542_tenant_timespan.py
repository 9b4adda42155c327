"""Tenant: timespan

## What it does

Checks the times that a profile sets.

- `timespans`: the rule is a correlation, declares how far a customer may go (`insurance.timespan: {min, max}`), and the timespan lies
  within.
- `schedules.interval`, `targets.<target>.interval` and `schedules.rules`: every target of the profile can keep the interval. Splunk runs
  searches by cron lines, so that an interval divides an hour or a day evenly; Sentinel runs rules every 5 minutes to 14 days, in
  whole minutes; Kibana keeps whole seconds.
- `schedules.rules`: no correlation runs less often than its timespan is long.

## Why it is bad

A timespan that is too short blinds a rule as surely as a threshold that is too high; one that is too long floods it, or is more than the
target can search. An interval that a target cannot keep has the rule refused there. A correlation that runs less often than its
timespan is long tells of an attack when it is over.

## Example

```yaml
# bad: ins-clm-c01 allows 45m to 4h; no cron line says every 7 minutes
timespans: {ins-clm-c01: 5m}
schedules: {interval: 7m, rules: {ins-brk-c03: 1h}}
targets: {splunk: {}}

# good
timespans: {ins-clm-c01: 45m}
schedules: {interval: 10m, rules: {ins-brk-c03: 5m}}
targets: {splunk: {}}
```

## Fix

Stay within the bounds; they stand in the rule, with the reason. 5m, 10m, 15m, 30m, 1h and 1d can be kept everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.profiles import named_rule, profiles, rules_by_name
from insigma.checks.scope import dig, entries
from insigma.checks.target_limits import LIMITS, spelt
from insigma.content.durations import duration_ms
from insigma.content.model import AnyRule, Correlation
from insigma.content.tenants import Tenant
from insigma.content.yaml_reader import Key
from insigma.diagnostics.model import Diagnostic
from insigma.specialise.thresholds import timespan_bounds

CODE = "INS542"


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each timespan that its rule does not allow, and each interval that a target or a rule does not."""
    names = rules_by_name(context)
    for tenant in profiles(context):
        for name, written in entries(tenant.document, "timespans").items():
            rule, milliseconds = named_rule(names, name), duration_ms(written)
            if rule is not None and milliseconds is not None:
                yield from _timespan(tenant, name, rule, milliseconds)
        targets = tuple(tenant.targets) or tuple(context.pack.mappings)
        yield from _kept(tenant, ("schedules", "interval"), [name for name in targets if not _own_interval(tenant, name)])
        for target in tenant.targets:
            yield from _kept(tenant, ("targets", target, "interval"), [target])
        for name in entries(tenant.document, "schedules", "rules"):
            key = ("schedules", "rules", name)
            yield from _kept(tenant, key, targets)
            yield from _often_enough(tenant, key, named_rule(names, name))


def _timespan(tenant: Tenant, name: str, rule: AnyRule, milliseconds: int) -> Iterator[Diagnostic]:
    place, label = tenant.document.place("timespans", name), rule.header.label
    bounds = timespan_bounds(rule)
    if not isinstance(rule, Correlation):
        hint = "an event rule judges each event by itself; take the entry out"
        yield finding(CODE, tenant.document.key_place("timespans", name), f"{label} is no correlation: it has no timespan", hint, label)
    elif bounds is None:
        message = f"{label} does not say how far its timespan may be changed"
        hint = "leave it as it is, or give the rule insurance.timespan: {min, max}"
        yield finding(CODE, tenant.document.key_place("timespans", name), message, hint, label)
    elif not bounds[0] <= milliseconds <= bounds[1]:
        side = "below the least" if milliseconds < bounds[0] else "above the most"
        limit = bounds[0] if milliseconds < bounds[0] else bounds[1]
        message = f"a timespan of {spelt(milliseconds)} is {side} that {label} allows, {spelt(limit)}"
        hint = f"{label} allows {spelt(bounds[0])} to {spelt(bounds[1])}; its own timespan is {spelt(rule.timespan_ms)}"
        yield finding(CODE, place, message, hint, label)


def _own_interval(tenant: Tenant, target: str) -> bool:
    return "interval" in tenant.targets.get(target, {})


def _kept(tenant: Tenant, key: Key, targets: list[str] | tuple[str, ...]) -> Iterator[Diagnostic]:
    """A finding for each of the targets that cannot keep the interval at `key`."""
    milliseconds = duration_ms(dig(tenant.document, *key))
    for target in targets if milliseconds is not None else ():
        if target in LIMITS and milliseconds is not None and not LIMITS[target].keeps(milliseconds):
            message = f"{target} cannot keep an interval of {spelt(milliseconds)}"
            yield finding(CODE, tenant.document.place(*key), message, LIMITS[target].interval_hint)


def _often_enough(tenant: Tenant, key: Key, rule: AnyRule | None) -> Iterator[Diagnostic]:
    """A finding where a correlation's own interval is longer than its timespan, as the profile has it."""
    milliseconds = duration_ms(dig(tenant.document, *key))
    if not isinstance(rule, Correlation) or milliseconds is None:
        return
    names = (rule.header.label, rule.header.id)
    timespan = next((tenant.timespans[name] for name in names if name is not None and name in tenant.timespans), rule.timespan_ms)
    if milliseconds > timespan:
        label = rule.header.label
        message = f"{label} would run every {spelt(milliseconds)}, but its timespan is {spelt(timespan)}"
        yield finding(CODE, tenant.document.place(*key), message, f"run it every {spelt(timespan)} or more often", label)
