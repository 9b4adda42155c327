"""Adapter: undeclared

## What it does

Checks that every setting and every table that a binding uses is declared under `settings` and `tables`, and that none is declared in vain.

## Why it is bad

A run asks the customer for the settings that are declared. One that is used without being declared is never given, so its field stays
empty; one that is declared and not used is asked for and thrown away.

## Example

```yaml
# bad
settings:
  organisation: {description: Tenant that owns the events.}
bindings:
  - fields:
      organization.id: {setting: organization}

# good
settings:
  organization: {description: Tenant that owns the events.}
bindings:
  - fields:
      organization.id: {setting: organization}
```

## Fix

Declare what is used, delete what is not.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.adapters import adapters, bindings
from insigma.checks.base import Context, finding
from insigma.checks.scope import did_you_mean
from insigma.checks.wording import shown
from insigma.diagnostics.model import Diagnostic

CODE = "INS526"


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each setting or table that is used and not declared, or declared and not used."""
    used: dict[str, set[str]] = {}
    for found in bindings(context):
        seen = used.setdefault(found.document.path, set())
        for bound in found.binding.fields:
            zone = bound.time.zone_setting if bound.time is not None else None
            uses = (("settings", "setting", bound.setting), ("settings", "zone_setting", zone), ("tables", "table", bound.table))
            for part, key, name in uses:
                if name is None:
                    continue
                seen.add(f"{part}.{name}")
                declared = found.mapping.settings if part == "settings" else found.mapping.tables
                if name not in declared:
                    hint = did_you_mean(name, declared, f"declare it under '{part}'")
                    yield finding(CODE, found.place("fields", bound.name, key), f"{shown(name)} is not declared under '{part}'", hint)
    for mapping in adapters(context):
        for part, declared in (("settings", mapping.settings), ("tables", mapping.tables)):
            for name in declared:
                if f"{part}.{name}" not in used.get(mapping.document.path, set()):
                    place = mapping.document.key_place(part, name)
                    yield finding(CODE, place, f"{shown(name)} is declared under '{part}' and used by no field", "delete it")
