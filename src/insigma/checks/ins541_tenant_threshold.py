"""Tenant: threshold

## What it does

Checks each entry of a profile's `thresholds`: a rule of the pack declares a threshold of that name, and the number lies between the
`min` and `max` that the rule gives it. A threshold of a correlation that counts is a whole number.

## Why it is bad

Above `max` the rule is blind: the attack that it is there for stays below the threshold. Below `min` it floods, and nobody reads its
alerts. A threshold that no rule has changes nothing, while the customer believes that it does.

## Example

```yaml
# bad: ins-clm-c01 allows 20 to 180
thresholds:
  clm_unassigned_claims_per_hour: 400
  clm_export_per_day: 3000

# good
thresholds:
  clm_unassigned_claims_per_hour: 120
  clm_export_records_per_day: 3000
```

## Fix

Stay within the bounds. If honest work reaches them, an exception for those who do it, with an owner and an end, loses less than a
number that is right for nobody else.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.profiles import Tuned, profiles, tunable
from insigma.checks.scope import did_you_mean
from insigma.checks.wording import shown
from insigma.content.model import Correlation, CorrelationType
from insigma.content.numbers import canonical_number
from insigma.content.tenants import Tenant
from insigma.diagnostics.model import Diagnostic

CODE = "INS541"
_COUNTING = frozenset({CorrelationType.EVENT_COUNT, CorrelationType.VALUE_COUNT})


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each threshold that no rule has, or that is beyond what its rule allows."""
    known = tunable(context)
    for tenant in profiles(context):
        for name, number in tenant.thresholds.items():
            if name in known:
                yield from _bounds(tenant, name, number, known[name])
            else:
                hint = did_you_mean(name, known, "rules name their thresholds under insurance.thresholds")
                yield finding(CODE, tenant.document.key_place("thresholds", name), f"no rule has a threshold {shown(name)}", hint)


def _bounds(tenant: Tenant, name: str, number: int | float, tuned: Tuned) -> Iterator[Diagnostic]:
    threshold, place = tuned.threshold, tenant.document.place("thresholds", name)
    least, most = canonical_number(threshold.least), canonical_number(threshold.most)
    allowed = f"{tuned.label} allows {least} to {most}; its own number is {canonical_number(threshold.default)}"
    if number < threshold.least:
        message = f"{name} is {canonical_number(number)}, below the least that {tuned.label} allows, {least}"
        yield finding(CODE, place, message, allowed, tuned.label)
    elif number > threshold.most:
        message = f"{name} is {canonical_number(number)}, above the most that {tuned.label} allows, {most}"
        yield finding(CODE, place, message, allowed, tuned.label)
    elif isinstance(tuned.rule, Correlation) and tuned.rule.type in _COUNTING and number != int(number):
        message = f"{name} is {canonical_number(number)}, but {tuned.label} counts"
        yield finding(CODE, place, message, "write a whole number", tuned.label)
