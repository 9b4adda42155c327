"""Tenant: surge

## What it does

Checks the surges of a profile.

- `from` and `to` are days of the calendar, in this order, and no two surges have one id.
- Each multiplier is of a threshold that a rule declares, and that rule may be relaxed: the threshold is `surge_relaxable`, the rule
  is not in `never_relax`, and the surge is about a line of business of the rule.
- A factor below 1 is a warning: it makes the rule alert sooner in the busiest weeks, which is more often 0.2 for 2.0 than meant. So are
  two surges that multiply one threshold on the same days: their factors are multiplied with each other, and together they relax more
  than either of those who declared them thought of. Surges that are over are left alone.
- A product beyond the rule's `max` is a note: `max` holds.

## Why it is bad

A surge that ends before it begins never is. A multiplier on what may not be relaxed does nothing, and people wonder in the storm why
alerts go on. Rules about payments and controls are never relaxed for a reason: fraud follows disaster money.

## Example

```yaml
# bad
never_relax: [ins-clm-c03, ins-pay-*]
surge:
  - {id: CAT-2026-07, type: cat, from: 2026-09-30, to: 2026-07-14, multipliers: {pay_high_value_new_payee: 2.0}}

# good
never_relax: [ins-clm-c03, ins-pay-*]
surge:
  - {id: CAT-2026-07, type: cat, from: 2026-07-14, to: 2026-09-30, multipliers: {clm_unassigned_claims_per_hour: 2.0}}
```

## Fix

Multiply volume thresholds only. Where two surges meet, leave the threshold to one of them, or part the days. To change a number for
good, write it under `thresholds`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from insigma.checks.base import Context, finding
from insigma.checks.profiles import Tuned, civil, listed, profiles, tunable, unreal_days
from insigma.checks.scope import did_you_mean
from insigma.checks.wording import shown
from insigma.content.numbers import canonical_number
from insigma.content.tenants import Surge, Tenant
from insigma.content.yaml_reader import Document, Key
from insigma.diagnostics.model import Diagnostic, Severity
from insigma.specialise.thresholds import concerns, never_relaxed

CODE = "INS544"


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each surge without proper days and each multiplier that may not be or does nothing."""
    known = tunable(context)
    for tenant in profiles(context):
        placed = _placed(tenant)
        yield from _days(tenant.document)
        yield from _twice(tenant.document)
        for key, surge in placed:
            for name, factor in surge.multipliers.items():
                yield from _multiplier(tenant, surge, (*key, "multipliers", name), factor, known)
        yield from _overlaps(placed, tenant, known, context.day)


def _placed(tenant: Tenant) -> list[tuple[Key, Surge]]:
    """The surges that could be read, each with its key."""
    parts = ("id", "type", "from", "to")
    whole = [key for key, entry in listed(tenant.document, "surge") if all(_is_said(entry.get(part)) for part in parts)]
    return list(zip(whole, tenant.surges, strict=True))


def _is_said(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _days(document: Document) -> Iterator[Diagnostic]:
    for key, entry in listed(document, "surge"):
        for written, place in unreal_days(document, key, "from", "to"):
            yield finding(CODE, place, f"there is no {written}", "write a day of the calendar")
        first, last = civil(entry.get("from")), civil(entry.get("to"))
        if first is not None and last is not None and last < first:
            message = f"the surge ends on {last.isoformat()}, before it begins on {first.isoformat()}"
            yield finding(CODE, document.place(*key, "to"), message, "exchange the days; both belong to the surge")


def _twice(document: Document) -> Iterator[Diagnostic]:
    seen: dict[str, int] = {}
    for key, entry in listed(document, "surge"):
        name, place = entry.get("id"), document.place(*key, "id")
        if isinstance(name, str) and name in seen:
            message = f"a surge {shown(name)} stands here and on line {seen[name]}"
            yield finding(CODE, place, message, "give each an id of its own: the ledger names them by it")
        elif isinstance(name, str):
            seen[name] = place.line


def _multiplier(tenant: Tenant, surge: Surge, key: Key, factor: float, known: Mapping[str, Tuned]) -> Iterator[Diagnostic]:
    document, name = tenant.document, str(key[-1])
    tuned = known.get(name)
    if tuned is None:
        hint = did_you_mean(name, known, "rules name their thresholds under insurance.thresholds")
        yield finding(CODE, document.key_place(*key), f"no rule has a threshold {shown(name)}", hint)
        return
    label = tuned.label
    if not tuned.threshold.relaxable:
        message = f"{name} of {label} may not be relaxed by a surge"
        yield finding(CODE, document.key_place(*key), message, "the rule does not say surge_relaxable: take the multiplier out", label)
    elif never_relaxed(tuned.rule, tenant):
        message = f"{label} is in never_relax: the multiplier of {name} does nothing"
        yield finding(CODE, document.key_place(*key), message, "take the multiplier out, or the rule out of never_relax", label)
    elif not concerns(surge, tuned.rule):
        message = f"the surge is about {', '.join(surge.lobs)}, and {label} is not: the multiplier of {name} does nothing"
        yield finding(CODE, document.key_place(*key), message, "take it out, or give the surge the rule's line of business", label)
    else:
        yield from _size(tenant, key, factor, tuned)


def _size(tenant: Tenant, key: Key, factor: float, tuned: Tuned) -> Iterator[Diagnostic]:
    """A factor that tightens, or that asks for more than the rule gives."""
    place, name = tenant.document.place(*key), str(key[-1])
    number = tenant.thresholds.get(name, tuned.threshold.default)
    if factor < 1:
        message = f"a factor of {canonical_number(factor)} tightens {name}: {tuned.label} alerts sooner in the surge"
        fault = finding(CODE, place, message, "write a factor above 1, or a lower number under thresholds", tuned.label)
        yield replace(fault, severity=Severity.WARNING)
    elif number * factor > tuned.threshold.most >= number:
        product, most = canonical_number(number * factor), canonical_number(tuned.threshold.most)
        message = f"{name} would be {product} in the surge: {tuned.label} allows {most}, which holds"
        yield replace(finding(CODE, place, message, "a smaller factor says the same", tuned.label), severity=Severity.NOTE)


def _overlaps(placed: list[tuple[Key, Surge]], tenant: Tenant, known: Mapping[str, Tuned], day: str | None) -> Iterator[Diagnostic]:
    """A warning at the later of two surges that both multiply a threshold on one day that is not over."""
    for index, (key, surge) in enumerate(placed):
        for _, other in placed[:index]:
            first, last = max(surge.first, other.first), min(surge.last, other.last)
            if first > last or (day is not None and last < day):
                continue
            for name in surge.multipliers:
                tuned = known.get(name)
                if tuned is None or name not in other.multipliers or not _both(surge, other, tuned, tenant):
                    continue
                message = f"{other.id} multiplies {name} too, from {first} to {last}: the factors are multiplied with each other"
                place = tenant.document.key_place(*key, "multipliers", name)
                fault = finding(CODE, place, message, "leave it to one of them, or part the days", tuned.label)
                yield replace(fault, severity=Severity.WARNING)


def _both(surge: Surge, other: Surge, tuned: Tuned, tenant: Tenant) -> bool:
    """Whether both relax the rule."""
    relaxed = tuned.threshold.relaxable and not never_relaxed(tuned.rule, tenant)
    return relaxed and all(concerns(each, tuned.rule) and each.multipliers[tuned.threshold.name] != 1 for each in (surge, other))
