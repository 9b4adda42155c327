"""Metadata

## What it does

Checks that every rule and correlation of the pack has an `insurance` block, and that the block fits
`src/insigma/schemas/metadata.schema.json`.

## Why it is bad

The block says who is concerned, what evidence counts, what is done about it and whom the law wants told. What is missing here is
missing at three in the morning.

## Example

```yaml
# bad
insurance:
  schema: 1
  pack_id: ins-clm-005
  domain: claim
  role: alert

# good
insurance:
  schema: 1
  pack_id: ins-clm-005
  domain: claims
  role: alert
  evidence:
    entities: {actor: user.name, claim: insurance.claim.id}
  response:
    actions: [{code: notify_siu, mode: auto}]
    sla: {triage: 15m, contain: 30m}
  regulatory:
    awareness: candidate
```

## Fix

Fill the block in with thought; `insigma new` writes its frame. Words of closed lists are in the schema, each with what it means.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, Kind, finding, kind_of
from insigma.checks.schema_faults import faults
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS401"


def check_document(document: Document, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for a missing block, or for each part of it that breaks the schema."""
    if not context.in_pack or kind_of(document) is Kind.FILTER:
        return
    if "insurance" not in document.data:
        hint = "add 'insurance:'; insigma new writes its frame"
        yield finding(CODE, document.key_place("title"), "the rule has no insurance block", hint)
        return
    for fault in faults("metadata", document.data["insurance"]):
        key = ("insurance", *fault.path)
        place = document.key_place(*key) if fault.at_key else document.place(*key)
        yield finding(CODE, place, fault.message, fault.hint)
