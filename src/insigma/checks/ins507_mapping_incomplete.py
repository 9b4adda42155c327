"""Mapping incomplete

## What it does

Checks that each target mapping under `mappings/targets/` maps every field and every log source of the taxonomy, and nothing
that the taxonomy does not know.

## Why it is bad

A rule that reads an unmapped field cannot be compiled for the target. A mapped name that the taxonomy lacks is a misspelling of
one that it has.

## Example

```yaml
# bad
fields:
  event.actoin: {name: event.action, type: keyword, case: lower}

# good
fields:
  event.action: {name: event.action, type: keyword, case: lower}
```

## Fix

Add what is missing, one line each, and mend or delete what is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.scope import did_you_mean, entries
from insigma.checks.wording import shown
from insigma.content.model import TargetMapping
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS507"

_SHOWN = 5


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for what each mapping lacks, and for each name that it has too much."""
    if not context.in_pack:
        return
    taxonomy = context.pack.taxonomy
    for mapping in context.pack.mappings.values():
        yield from _compare(mapping, "fields", "field", tuple(taxonomy.fields))
        yield from _compare(mapping, "logsources", "log source", tuple(taxonomy.logsources))


def _compare(mapping: TargetMapping, section: str, what: str, wanted: tuple[str, ...]) -> Iterator[Diagnostic]:
    document = mapping.document
    written = entries(document, section)
    missing = [name for name in wanted if name not in written]
    if missing:
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        message = f"target {mapping.target} maps no {what} {', '.join(missing[:_SHOWN])}{more}"
        yield finding(CODE, document.key_place(section), message, f"add {'it' if len(missing) == 1 else 'them'} under '{section}'")
    for name in written:
        if name not in wanted:
            yield _unknown(document, section, what, name, [known for known in wanted if known not in written] or list(wanted))


def _unknown(document: Document, section: str, what: str, name: str, near: list[str]) -> Diagnostic:
    place = document.key_place(section, name)
    hint = did_you_mean(name, near, "delete it, or add it to the taxonomy")
    return finding(CODE, place, f"the taxonomy has no {what} {shown(name)}", hint)
