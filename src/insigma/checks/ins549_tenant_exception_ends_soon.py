"""Tenant: exception ends soon

## What it does

Warns of an exception that expires within 30 days, and of a disabled rule whose review is due within 30 days. `insigma check --at DAY`
asks for another day than today.

## Why it is bad

On the day after, the build of this customer fails (INS548, INS552): that is what the dates are for. Whoever has to decide needs time to
look at what the exception left out.

## Example

```yaml
# bad, from the 1st of December 2026 on
exceptions:
  - {id: EXC-2026-014, rules: [ins-med-004], where: {user.name: audit.medrev}, expires: 2026-12-31, ...}

# good: approved anew
exceptions:
  - {id: EXC-2027-002, rules: [ins-med-004], where: {user.name: audit.medrev}, granted: 2026-12-20, expires: 2027-06-18, ...}
```

## Fix

Ask the owner whether it is still needed. If so, have it approved anew; if not, take it out now.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.profiles import civil, listed, profiles
from insigma.diagnostics.model import Diagnostic

CODE = "INS549"
SOON_DAYS = 30


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a warning for each exception and each review that is due soon."""
    today = civil(context.day)
    if today is None:
        return
    for tenant in profiles(context):
        document = tenant.document
        for part, at in (("expires", ("exceptions",)), ("review", ("rules", "disabled"))):
            for key, entry in listed(document, *at):
                due, name = civil(entry.get(part)), entry.get("id")
                if due is None or not isinstance(name, str) or not 0 <= (due - today).days <= SOON_DAYS:
                    continue
                when = {0: "today", 1: "tomorrow"}.get((due - today).days, f"in {(due - today).days} days")
                message = f"{name} expires {when}" if part == "expires" else f"the review of the disabled rule {name} is due {when}"
                hint = "have it approved anew, or take it out" if part == "expires" else "enable it, or set another day of review"
                yield finding(CODE, document.place(*key, part), message, hint)
