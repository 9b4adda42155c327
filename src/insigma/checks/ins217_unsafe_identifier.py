r"""Unsafe identifier

## What it does

Checks every field name that a rule, correlation or filter uses: keys of selections, values of `fieldref`, the list `fields`,
`group-by`, the counted field, aliases and what they stand for. A field name begins with a letter, a digit, `_` or `@` and goes on
with letters, digits and `_ . - @ : / [ ]`, all ASCII.

## Why it is bad

Field names go into queries, tables and suppression settings of every target. Quotes, pipes, spaces, backslashes or control characters
there change the query, by accident or by intent: `group-by: ["user.name\" | delete"]` is an attack, not a field.

## Example

```yaml
# bad
correlation:
  group-by:
    - 'user.name" | outputlookup x'

# good
correlation:
  group-by:
    - user.name
```

## Fix

Use the name as the taxonomy has it. A product whose fields have spaces is mapped to canonical names by an adapter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.scope import FieldUse, correlation_fields, detection_fields, entries, listed_fields
from insigma.checks.wording import shown
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS217"
_IDENTIFIER = re.compile(r"[A-Za-z0-9_@][A-Za-z0-9_.@:/\[\]-]*", re.ASCII)


def check_document(document: Document, _context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each field name that holds a character no field has."""
    for used in _uses(document):
        if not _IDENTIFIER.fullmatch(used.name):
            yield finding(
                CODE, used.place, f"{shown(used.name)} is not the name of a field", "letters, digits and _ . - @ : / [ ] make a field name"
            )


def _uses(document: Document) -> Iterator[FieldUse]:
    yield from detection_fields(document)
    yield from listed_fields(document)
    yield from correlation_fields(document)
    for alias in entries(document, "correlation", "aliases"):
        yield FieldUse(alias, document.key_place("correlation", "aliases", alias))
