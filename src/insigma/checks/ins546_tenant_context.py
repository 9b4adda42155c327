"""Tenant: context

## What it does

Checks how a profile delivers the flags `insurance.context.*`.

- The flag is one of the taxonomy.
- `mode: lookup` is said of a flag that a table of the pack makes (`mappings/taxonomy/context.yml`); `table`, if given, is that table.
- `insurance.context.off_hours` by lookup needs a `calendar` in the profile, from which its table is filled.
- `table` and `max_age` are said of lookups only.
- A lookup that serves no rule is a warning: no rule that reads the flag has events with the table's keys, and with the fields that its
  columns are compared with. For those rules the flag is as good as absent.

A flag that is `absent` is no fault, whatever it costs: the ledger names the rules that run without it.

## Why it is bad

A flag that is looked up in no table is `unknown` for every event. Rules that lean on it alert on honest work, or are switched off by
their own `if_unknown`, while the profile says that the flag is there.

## Example

```yaml
# bad: no table makes new_device; assigned_to_actor is made from claim_assignment
context:
  insurance.context.new_device: {mode: lookup, table: known_device}
  insurance.context.assigned_to_actor: {mode: lookup, table: claim_assignments}

# good
context:
  insurance.context.new_device: {mode: ingest}
  insurance.context.assigned_to_actor: {mode: lookup, table: claim_assignment, max_age: 15m}
```

## Fix

`docs/context_tables.md` has the tables, their columns, the flags that they make and the rules that they serve. Deliver any other flag with
the event, or say `absent`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from insigma.checks.base import Context, finding
from insigma.checks.profiles import OFF_HOURS, looks_up, profiles, several
from insigma.checks.scope import CONTEXT_PREFIX, did_you_mean, entries
from insigma.checks.wording import shown
from insigma.content.model import Rule
from insigma.content.predicate import fields_of
from insigma.content.tenants import Delivery, Tenant
from insigma.diagnostics.model import Diagnostic, Severity

CODE = "INS546"
_FLAG = re.compile(r"insurance\.context\.[a-z_]+", re.ASCII)
_WORDS: Mapping[Delivery, str] = MappingProxyType({Delivery.INGEST: "delivered with the event", Delivery.ABSENT: "absent"})


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each flag that cannot be delivered as the profile says."""
    flags = [name for name in context.pack.taxonomy.fields if name.startswith(CONTEXT_PREFIX)]
    unserved = _unserved(context)
    for tenant in profiles(context):
        for flag, written in entries(tenant.document, "context").items():
            place = tenant.document.key_place("context", flag)
            if flag not in flags and _FLAG.fullmatch(flag):
                hint = did_you_mean(flag, flags, "see mappings/taxonomy/fields.yml")
                yield finding(CODE, place, f"the taxonomy has no flag {shown(flag)}", hint)
            elif flag in flags and isinstance(written, Mapping):
                yield from _delivered(tenant, flag, written, context)
                if flag in unserved and looks_up(tenant, flag):
                    yield _in_vain(tenant, flag, unserved[flag], context)


def _unserved(context: Context) -> Mapping[str, list[str]]:
    """The flags that rules read and a lookup serves for none of them, with those rules."""
    readers: dict[str, list[str]] = {}
    served: set[str] = set()
    for rule in context.rules:
        source = context.pack.taxonomy.find(rule.logsource) if isinstance(rule, Rule) else None
        for name in fields_of(rule.predicate) if isinstance(rule, Rule) and source is not None else ():
            lookup = context.pack.context.flags.get(name)
            if lookup is not None and source is not None:
                readers.setdefault(name, []).append(rule.header.label)
                served |= {name} if set(lookup.reads) <= set(source.fields) else set()
    return {name: labels for name, labels in readers.items() if name not in served}


def _in_vain(tenant: Tenant, flag: str, labels: list[str], context: Context) -> Diagnostic:
    lookup = context.pack.context.flags[flag]
    message = f"a lookup of {flag} serves no rule: events of {several(labels)} lack {' or '.join(lookup.reads)}"
    fault = finding(CODE, tenant.document.place("context", flag, "mode"), message, "deliver it with the event, or say 'absent'")
    return replace(fault, severity=Severity.WARNING)


def _delivered(tenant: Tenant, flag: str, written: Mapping[str, Any], context: Context) -> Iterator[Diagnostic]:
    document, source = tenant.document, tenant.context.get(flag)
    if source is None:
        return
    lookup = context.pack.context.flags.get(flag)
    if source.delivery is not Delivery.LOOKUP:
        for part in ("table", "max_age"):
            if part in written:
                message = f"'{part}' says nothing where the flag is {_WORDS[source.delivery]}"
                yield finding(CODE, document.key_place("context", flag, part), message, "take it out, or say 'mode: lookup'")
    elif lookup is None:
        message = f"no table makes {flag}: it cannot be looked up"
        yield finding(CODE, document.place("context", flag, "mode"), message, "deliver it with the event, or say 'absent'")
    elif source.table and source.table != lookup.table:
        known = context.pack.context.tables
        told = "makes other flags" if source.table in known else "is no context table of the pack"
        message = f"{flag} is made from {lookup.table}, and {shown(source.table)} {told}"
        yield finding(CODE, document.place("context", flag, "table"), message, f"write 'table: {lookup.table}'")
    elif flag == OFF_HOURS and not entries(document, "calendar"):
        message = f"{flag} is looked up, and the profile has no calendar to fill its table from"
        yield finding(CODE, document.place("context", flag, "mode"), message, "add a calendar, or deliver the flag otherwise")
