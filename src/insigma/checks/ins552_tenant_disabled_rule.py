"""Tenant: disabled rule

## What it does

Checks each entry of a profile's `rules.disabled`: it has an owner and a day of review, the day is one of the calendar and has not passed,
and no rule is disabled twice. `insigma check --at DAY` asks for another day than today.

## Why it is bad

A rule is switched off in a busy week and stays off for years, because nobody is asked. The day of review is the day on which somebody is:
the build fails until the owner has decided again.

## Example

```yaml
# bad
rules:
  disabled: [{id: ins-inf-006, reason: no telematics}]

# good
rules:
  disabled: [{id: ins-inf-006, reason: no telematics, owner: soc.lead, review: 2027-03-31}]
```

## Fix

Name who answers for it, and a day within the year. If a log source is not there at all, say so under `feeds`: then all rules that
need it are told together, and come back with it.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.profiles import civil, listed, profiles, unreal_days
from insigma.checks.wording import shown
from insigma.diagnostics.model import Diagnostic
from insigma.specialise.facts import labels_of

CODE = "INS552"


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each disabled rule that nobody will ask about again."""
    labels, today = labels_of(context.rules), civil(context.day)
    for tenant in profiles(context):
        document = tenant.document
        seen: dict[str, int] = {}
        for key, entry in listed(document, "rules", "disabled"):
            name, place = entry.get("id"), document.place(*key, "id")
            if not isinstance(name, str):
                continue
            label = labels.get(name, name)
            if label in seen:
                message = f"{shown(name)} is disabled here and on line {seen[label]}"
                yield finding(CODE, place, message, "keep one of them")
            seen.setdefault(label, place.line)
            missing = [told for part, told in (("owner", "owner"), ("review", "day of review")) if not entry.get(part)]
            if missing:
                message = f"the disabled rule {shown(name)} has no {' and no '.join(missing)}"
                yield finding(CODE, place, message, "add {owner: who decided, review: YYYY-MM-DD}")
            for written, at in unreal_days(document, key, "review"):
                yield finding(CODE, at, f"there is no {written}", "write a day of the calendar")
            review = civil(entry.get("review"))
            if review is not None and today is not None and review < today:
                message = f"the review of the disabled rule {shown(name)} was due on {review}"
                yield finding(CODE, document.place(*key, "review"), message, "enable it, or have its owner set another day")
