"""Timespan bounds

## What it does

Checks `insurance.timespan`, which says how far a customer may change the timespan of a correlation: `min` and `max` are there, both are
times, and the rule's own timespan lies between them (or is one of them). Rules that are no correlation have none. An alerting
correlation without bounds is a warning.

## Why it is bad

A profile may set another timespan only within these bounds. A timespan that is too short blinds a rule as surely as a threshold that is
too high: the steps of the attack no longer meet in one window. One that is too long floods it, or is more than a target can search.
Without bounds nobody can fit the rule to their own pace, such as that of their pay runs.

## Example

```yaml
# bad
correlation:
  timespan: 1h
insurance:
  timespan: {min: 2h}

# good
correlation:
  timespan: 1h
insurance:
  timespan: {min: 30m, max: 4h}
```

## Fix

Ask what pace of attack the rule looks for: below `min` it is missed, above `max` honest work adds up to the same. Microsoft Sentinel
looks back 14 days; a correlation that reaches further needs a daily roll-up there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from insigma.checks.base import Context, Kind, finding, kind_of
from insigma.checks.scope import dig, entries, insurance
from insigma.content.durations import duration_ms
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic, Severity

CODE = "INS413"

_AT = ("insurance", "timespan")
_HINT = "say how far a customer may go: {min: 30m, max: 4h}"


def check_document(document: Document, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each fault of the bounds, and for an alerting correlation whose timespan nobody may change.

    Bounds that are no durations at all are the schema's matter (INS401), a timespan that is none the reader's (INS112).
    """
    if not context.in_pack:
        return
    if kind_of(document) is not Kind.CORRELATION:
        if insurance(document, "timespan") is not None:
            message = "only a correlation has a timespan that a customer could change"
            yield finding(CODE, document.key_place(*_AT), message, "take the bounds out")
    elif isinstance(insurance(document, "timespan"), dict):
        yield from _bounds(document)
    elif insurance(document, "timespan") is None and insurance(document, "role") in ("alert", "signal"):
        place = document.key_place("correlation", "timespan")
        fault = finding(CODE, place, "the timespan of an alerting correlation has no bounds", f"add insurance.timespan and {_HINT}")
        yield replace(fault, severity=Severity.WARNING)


def _bounds(document: Document) -> Iterator[Diagnostic]:
    written = entries(document, *_AT)
    missing = [bound for bound in ("min", "max") if bound not in written]
    if missing:
        yield finding(CODE, document.key_place(*_AT), f"the timespan has no {' and no '.join(missing)}", _HINT)
    own = dig(document, "correlation", "timespan")
    timespan, low, high = duration_ms(own), duration_ms(written.get("min")), duration_ms(written.get("max"))
    for bound, milliseconds in (("min", low), ("max", high)):
        if milliseconds == 0:
            yield finding(CODE, document.place(*_AT, bound), f"{bound} {written[bound]} is no time at all", "nothing happens in no time")
    if low is not None and high is not None and low > high:
        message = f"min {written['min']} is above max {written['max']}"
        yield finding(CODE, document.place(*_AT, "min"), message, "exchange them")
    elif timespan is not None and low is not None and timespan < low:
        message = f"min {written['min']} is above the rule's own timespan, {own}"
        yield finding(CODE, document.place(*_AT, "min"), message, "lower min, or lengthen the timespan of the rule")
    elif timespan is not None and high is not None and timespan > high:
        message = f"max {written['max']} is below the rule's own timespan, {own}"
        yield finding(CODE, document.place(*_AT, "max"), message, "raise max, or shorten the timespan of the rule")
