"""Related

## What it does

Checks that `related` is a list of entries with an `id` that is a UUID and a `type` that Sigma knows: `derived`, `obsolete`, `merged`,
`renamed`, `similar`.

## Why it is bad

Tools follow these links to find what replaced a rule that is gone. A name instead of an id, or a relation of one's own, leads
nowhere.

## Example

```yaml
# bad
related:
  - id: ins-clm-001
    type: replaces

# good
related:
  - id: c7b04a8c-1466-522d-82c8-945ac1688b81
    type: obsolete
```

## Fix

Give the other rule's UUID and one of the five relations: this rule is `derived` from it, makes it `obsolete`, was `merged` with it,
was `renamed` from that id, or is `similar`.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.ins202_id import is_uuid, uuid_hint
from insigma.checks.scope import did_you_mean, dig
from insigma.checks.wording import kind_of_value, one_of, shown
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS220"
RELATIONS = ("derived", "obsolete", "merged", "renamed", "similar")


def check_document(document: Document, _context: Context) -> Iterator[Diagnostic]:
    """Yield what is wrong with the related rules."""
    related = document.data.get("related")
    if related is None:
        return
    if not isinstance(related, list):
        message = f"'related' is {kind_of_value(related)}, where a list is meant"
        yield finding(CODE, document.place("related"), message, "write '- id: ...' and 'type: ...' for each")
        return
    for index in range(len(related)):
        yield from _entry(document, index)


def _entry(document: Document, index: int) -> Iterator[Diagnostic]:
    entry = dig(document, "related", index)
    place = document.place("related", index)
    if not isinstance(entry, dict):
        yield finding(
            CODE, place, f"a related rule is {kind_of_value(entry)}, where id and type are meant", "write '- id: ...' and 'type: ...'"
        )
        return
    for key in ("id", "type"):
        if entry.get(key) is None:
            yield finding(CODE, place, f"the related rule has no '{key}'", f"add '{key}: ...'")
    written, relation = entry.get("id"), entry.get("type")
    if written is not None and not is_uuid(written):
        yield finding(CODE, document.place("related", index, "id"), f"{shown(written)} is not a UUID", uuid_hint(written))
    if relation is not None and relation not in RELATIONS:
        hint = did_you_mean(str(relation), RELATIONS, one_of(RELATIONS))
        yield finding(CODE, document.place("related", index, "type"), f"{shown(relation)} is not a relation", hint)
