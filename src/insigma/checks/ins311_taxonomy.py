"""Taxonomy

## What it does

Checks that every rule and correlation of a pack says `taxonomy:` with the name of the pack's taxonomy, and that a filter which names
one names this one. Outside of a pack only a name that is nearly the known one is a finding.

## Why it is bad

The fields, values and log sources of a rule are checked against the taxonomy that it names (INS301 to INS310). Where the name is
missing or misspelt all of that is skipped: the rule looks clean, reads fields that no event has, and never alerts.

## Example

```yaml
# bad
title: Bulk Claim Export
taxonomy: insurence

# good
title: Bulk Claim Export
taxonomy: insurance
```

## Fix

Write the name that stands in `mappings/taxonomy/fields.yml`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from insigma.checks.base import Context, Kind, finding, kind_of
from insigma.checks.scope import did_you_mean
from insigma.checks.wording import shown
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS311"
_NEAR = 0.8


def check_document(document: Document, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for a taxonomy that is missing or wrong in a pack, or that is misspelt outside of one."""
    name = context.pack.taxonomy.name
    if not name:  # told where the taxonomy is read
        return
    if "taxonomy" not in document.data:
        kind = kind_of(document)
        if context.in_pack and kind is not Kind.FILTER:
            yield finding(CODE, document.key_place("title"), f"the {kind.value} has no 'taxonomy'", f"add 'taxonomy: {name}'")
        return
    written = document.data["taxonomy"]
    if not isinstance(written, str) or written == name:
        return
    if context.in_pack or difflib.get_close_matches(written.casefold(), [name.casefold()], 1, _NEAR):
        said = "is not that of the pack" if context.in_pack else "is none that is known"
        hint = did_you_mean(written, [name], f"write 'taxonomy: {name}'")
        yield finding(CODE, document.place("taxonomy"), f"taxonomy {shown(written)} {said}", hint)
