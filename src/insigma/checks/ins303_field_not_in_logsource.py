"""Field not in log source

## What it does

Checks that the log source of a rule carries every field that the rule names, as required or optional. The list `fields` of a
correlation may name what any of its base rules' log sources carries (`group-by` is judged by INS310).

## Why it is bad

The field exists, but never in these events. A selection on it matches nothing, a filter on it filters nothing, and both look
right in review.

## Example

```yaml
# bad: insurance_billing events know no claim
logsource:
  category: insurance_billing
detection:
  selection:
    insurance.claim.status: approved
  condition: selection

# good
logsource:
  category: insurance_claims
detection:
  selection:
    insurance.claim.status: approved
  condition: selection
```

## Fix

Choose the log source that carries the field, or correlate two rules. If the feed does carry it, add it to the log source in
`mappings/taxonomy/logsources.yml`.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, Kind, finding, kind_of
from insigma.checks.scope import FieldUse, detection_fields, listed_fields, logsources_of, speaks_taxonomy
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS303"


def check_document(document: Document, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each known field that no log source of the rule carries."""
    sources = logsources_of(document, context) if speaks_taxonomy(document, context) else ()
    if not sources:
        return
    carried = {name for source in sources for name in source.fields}
    for use in _uses(document):
        if use.name in context.pack.taxonomy.fields and use.name not in carried:
            said = " and ".join(source.name for source in sources)
            yield finding(CODE, use.place, f"{said} does not carry '{use.name}'", _hint(use, context))


def _uses(document: Document) -> Iterator[FieldUse]:
    if kind_of(document) is not Kind.CORRELATION:
        yield from detection_fields(document)
    yield from listed_fields(document)


def _hint(use: FieldUse, context: Context) -> str:
    carriers = [source.name for source in context.pack.taxonomy.logsources.values() if use.name in source.fields]
    more = f" and {len(carriers) - 3} more" if len(carriers) > 3 else ""
    return f"carried by {', '.join(carriers[:3])}{more}" if carriers else "no log source carries it"
