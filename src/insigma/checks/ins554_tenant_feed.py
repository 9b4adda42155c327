"""Tenant: feed

## What it does

Checks what a profile says of a customer's data.

- `feeds`, `products` and the `logsources` of `critical_functions` name log sources of the taxonomy.
- `lacks` and `fill` of a feed name fields that the log source has; none stands in both. No feed lacks the time of its events, or their log
  source.
- A feed that is `absent` has nothing else to tell: no `lacks`, `fill`, `products` or `delay`.
- `privacy.hash_fields` are fields of the taxonomy.

## Why it is bad

What a feed lacks decides which rules can run, and the coverage report counts by it. Said of a name that does not exist, it switches nothing
off: a rule runs on events that never come, and stays quiet where the report says that it watches.

## Example

```yaml
# bad
feeds:
  insurance_telematic: {absent: true, because: no telematics}
  insurance_claims: {lacks: [insurance.payment.payer.account_hash]}

# good
feeds:
  insurance_telematics: {absent: true, because: no telematics}
  insurance_payment: {lacks: [insurance.payment.payer.account_hash]}
```

## Fix

Write the name as `mappings/taxonomy/logsources.yml` has it. `insigma tenant measure` prints the block from a sample of events.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from insigma.checks.base import Context, finding
from insigma.checks.profiles import profiles
from insigma.checks.scope import did_you_mean, dig, entries, texts
from insigma.checks.wording import shown
from insigma.content.lookups import TIME
from insigma.content.model import Taxonomy, TaxonomyLogSource
from insigma.content.taxonomy import LOGSOURCE_FIELD
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic, Place

CODE = "INS554"
_NEVER_LACKING = (TIME, LOGSOURCE_FIELD)


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each log source and field that the taxonomy does not have, and for feeds that contradict themselves."""
    taxonomy = context.pack.taxonomy
    for tenant in profiles(context):
        document = tenant.document
        for name, place in _logsources(document):
            if name not in taxonomy.logsources:
                hint = did_you_mean(name, taxonomy.logsources, "see mappings/taxonomy/logsources.yml")
                yield finding(CODE, place, f"the taxonomy has no log source {shown(name)}", hint)
        for name, place in texts(document, "privacy", "hash_fields"):
            if name not in taxonomy.fields:
                hint = did_you_mean(name, taxonomy.fields, "see mappings/taxonomy/fields.yml")
                yield finding(CODE, place, f"the taxonomy has no field {shown(name)}", hint)
        for name, entry in entries(document, "feeds").items():
            if name in taxonomy.logsources and isinstance(entry, Mapping):
                yield from _feed(document, taxonomy.logsources[name], entry, taxonomy)


def _logsources(document: Document) -> Iterator[tuple[str, Place]]:
    """Every log source that the profile names beside its targets, and where."""
    for part in ("feeds", "products"):
        yield from ((name, document.key_place(part, name)) for name in entries(document, part))
    for function in entries(document, "critical_functions"):
        yield from texts(document, "critical_functions", function, "logsources")


def _feed(document: Document, source: TaxonomyLogSource, entry: Mapping[str, Any], taxonomy: Taxonomy) -> Iterator[Diagnostic]:
    at = ("feeds", source.name)
    if entry.get("absent") is True:
        for part in ("lacks", "fill", "products", "delay"):
            if part in entry:
                message = f"{source.name} is absent: '{part}' says nothing of it"
                yield finding(CODE, document.key_place(*at, part), message, "take it out, or 'absent'")
    lacking = [(name, place) for name, place in texts(document, *at, "lacks")]
    filled = [(name, document.key_place(*at, "fill", name)) for name in entries(document, *at, "fill")]
    for name, place in (*lacking, *filled):
        yield from _field(name, place, source, taxonomy)
    for name, place in lacking:
        if name in _NEVER_LACKING:
            yield finding(CODE, place, f"no event can lack {name}", "a feed without it is absent: say 'absent: true'")
        if dig(document, *at, "fill", name) is not None:
            yield finding(CODE, place, f"{source.name} lacks {name}, and fills it too", "keep one of them")


def _field(name: str, place: Place, source: TaxonomyLogSource, taxonomy: Taxonomy) -> Iterator[Diagnostic]:
    if name not in taxonomy.fields:
        hint = did_you_mean(name, source.fields, "see mappings/taxonomy/logsources.yml")
        yield finding(CODE, place, f"the taxonomy has no field {shown(name)}", hint)
    elif name not in source.fields:
        message = f"{source.name} does not carry {name} in any case"
        yield finding(CODE, place, message, did_you_mean(name, source.fields, "take it out"))
