"""Boolean value

## What it does

Finds `true` and `false` as values in rules with `taxonomy: insurance`, except under `exists` and on fields of type boolean.

## Why it is bad

Flags of the taxonomy are words: `'yes'`, `'no'` and `'unknown'`. `true` equals none of them, so the selection never matches.

## Example

```yaml
# bad
detection:
  selection:
    insurance.context.off_hours: true
  condition: selection

# good
detection:
  selection:
    insurance.context.off_hours: 'yes'
  condition: selection
```

## Fix

Write the word, in quotes: YAML readers turn a bare yes or no into a boolean.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.scope import speaks_taxonomy
from insigma.checks.walk import detection_items
from insigma.content.model import Field, FieldType
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS308"


def check_document(document: Document, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each YAML boolean where the field has words or numbers."""
    if not speaks_taxonomy(document, context):
        return
    for item in detection_items(document):
        field = context.pack.taxonomy.fields.get(item.field or "")
        is_boolean = field is not None and field.type is FieldType.BOOLEAN
        if isinstance(item.value, bool) and "exists" not in item.modifiers and not is_boolean:
            written = str(item.value).lower()
            message = f"{item.field or 'a keyword'} is compared with the boolean {written}"
            yield finding(CODE, document.place(*item.value_path), message, _hint(item.value, field))


def _hint(value: bool, field: Field | None) -> str:
    word = "yes" if value else "no"
    if field is not None and word in (field.values or ()):
        return f"write '{word}', in quotes"
    return f"values are {field.type.value}s" if field is not None else "write the value as text, in quotes"
