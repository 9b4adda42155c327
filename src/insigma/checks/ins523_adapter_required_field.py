"""Adapter: required field

## What it does

Checks that a binding fills every required field of its log source, or names it under `unfilled` with the reason why the source does not
give it. A field is not both, and only required fields are declared unfilled.

## Why it is bad

Rules take required fields for granted: compiled queries put no guard around them. A feed without one is blind for the rules that read it,
which the person who connects the feed has to know beforehand and not after the theft.

## Example

```yaml
# bad: nothing says where the claim's status comes from
  - name: claim_reads
    logsource: insurance_claims
    fields:
      insurance.claim.id: {from: request.uri, extract: '/claims/([^/?]+)'}

# good
  - name: claim_reads
    logsource: insurance_claims
    fields:
      insurance.claim.id: {from: request.uri, extract: '/claims/([^/?]+)'}
    unfilled:
      insurance.claim.status: The gateway sees the request, not the claim.
```

## Fix

Bind the field, from a setting where it is the same for the whole feed, or say under `unfilled` why it cannot be bound.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.adapters import Found, bindings
from insigma.checks.base import Context, finding
from insigma.content.taxonomy import LOGSOURCE_FIELD
from insigma.diagnostics.model import Diagnostic

CODE = "INS523"


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each required field that is left open, and for each needless entry of `unfilled`."""
    for found in bindings(context):
        if found.source is not None:
            yield from _binding(found, context)


def _binding(found: Found, context: Context) -> Iterator[Diagnostic]:
    required = found.source.required if found.source is not None else ()
    filled = {bound.name for bound in found.binding.fields}
    known = context.pack.taxonomy.fields
    for name in required:
        defaulted = name in known and known[name].null_default is not None
        if name != LOGSOURCE_FIELD and name not in filled and name not in found.binding.unfilled and not defaulted:
            hint = (
                f"bind it under 'fields', or say under 'unfilled' why the source does not give it ({found.binding.logsource} requires it)"
            )
            yield finding(CODE, found.place("name"), f"binding {found.binding.name} fills no {name}", hint)
    for name in found.binding.unfilled:
        place = found.key_place("unfilled", name)
        if name in filled:
            yield finding(CODE, place, f"{name} is filled and declared unfilled", "delete one")
        elif name in known and name not in required:
            yield finding(CODE, place, f"{name} is not required in {found.binding.logsource}", "delete it: optional fields need no excuse")
        elif name == "@timestamp":
            yield finding(CODE, place, "an event has a time", "an event without one is no event: bind @timestamp")
