"""Technique without tactic

## What it does

Checks that for each ATT&CK technique among the tags at least one of its tactics is among them too.

## Why it is bad

A technique serves several tactics; the tactic tag says which one the rule is about. Without a fitting one, matrices and reports
put the rule into a column where it does not belong, or into none.

## Example

```yaml
# bad
tags:
  - attack.exfiltration
  - attack.t1213

# good
tags:
  - attack.collection
  - attack.t1213
```

## Fix

Add the tactic of the technique that the rule is about, or take the technique that fits the tactic.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.ins208_unknown_technique import PREFIX, TECHNIQUE
from insigma.checks.scope import texts
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS209"


def check_document(document: Document, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each current technique none of whose tactics is tagged."""
    named = [(tag[len(PREFIX) :].lower(), place) for tag, place in texts(document, "tags") if tag.lower().startswith(PREFIX)]
    tactics = {name for name, _ in named if name in context.attack.tactics}
    for name, place in named:
        technique = context.attack.techniques.get(name.upper()) if TECHNIQUE.fullmatch(name) else None
        if technique is not None and technique.current and not tactics & set(technique.tactics):
            wanted = " or ".join(f"'{PREFIX}{tactic}'" for tactic in technique.tactics)
            message = f"technique {technique.id} ({technique.name}) stands without a tactic of its own"
            yield finding(CODE, place, message, f"add {wanted}")
