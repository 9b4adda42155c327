"""Evidence field

## What it does

Checks that the fields which the metadata names (`evidence.entities`, `evidence.measures`, `regulatory.dora.recurrence_key`) are
carried by the rule's log source; for a correlation, by that of one of its base rules. A measure that sums or takes a maximum
needs a numeric field.

## Why it is bad

The alert handler reads these fields from the events to say who is concerned and how many clients are affected. Where they are
not carried, the form for the regulator stays empty at the hour when it is due.

## Example

```yaml
# bad
logsource: {category: insurance_rating}
insurance:
  evidence:
    entities: {actor: user.name, claim: insurance.claim.id}

# good
logsource: {category: insurance_rating}
insurance:
  evidence:
    entities: {actor: user.name}
```

## Fix

Name a field of the log source, or leave the entity or measure out.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.scope import FieldUse, did_you_mean, entries, insurance, logsources_of, speaks_taxonomy, texts
from insigma.checks.wording import shown
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS409"

_EVIDENCE = ("insurance", "evidence")
_RECURRENCE = ("insurance", "regulatory", "dora", "recurrence_key")
_ALERT_ITSELF = "pack_id"


def check_document(document: Document, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each field of the metadata that no log source of the rule carries."""
    if not context.in_pack or not speaks_taxonomy(document, context):
        return
    sources = logsources_of(document, context)
    carried = {name for source in sources for name in source.fields}
    if not sources:
        return
    for what, use in _uses(document):
        if use.name not in carried:
            message = f"{what} names {shown(use.name)}, which {' and '.join(source.name for source in sources)} does not carry"
            yield finding(CODE, use.place, message, did_you_mean(use.name, carried, "name a field of the log source, or leave it out"))
    yield from _not_numeric(document, context)


def _uses(document: Document) -> Iterator[tuple[str, FieldUse]]:
    for role in entries(document, *_EVIDENCE, "entities"):
        yield from ((f"entity {role}", FieldUse(*found)) for found in texts(document, *_EVIDENCE, "entities", role))
    for measure in entries(document, *_EVIDENCE, "measures"):
        yield from ((f"measure {measure}", FieldUse(*found)) for found in texts(document, *_EVIDENCE, "measures", measure, "field"))
    yield from (("recurrence_key", FieldUse(*found)) for found in texts(document, *_RECURRENCE) if found[0] != _ALERT_ITSELF)


def _not_numeric(document: Document, context: Context) -> Iterator[Diagnostic]:
    for measure in entries(document, *_EVIDENCE, "measures"):
        function = insurance(document, "evidence", "measures", measure, "fn")
        name = insurance(document, "evidence", "measures", measure, "field")
        field = context.pack.taxonomy.fields.get(name) if isinstance(name, str) else None
        if function in ("sum", "max") and field is not None and not field.type.numeric:
            place = document.place(*_EVIDENCE, "measures", measure, "field")
            message = f"measure {measure} takes the {function} of {field.name}, which is of type {field.type.value}"
            yield finding(CODE, place, message, "name a numeric field, or count distinct values")
