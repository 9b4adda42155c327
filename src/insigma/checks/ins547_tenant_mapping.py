"""Tenant: mapping

## What it does

Checks the blocks below a profile's `targets`.

- There is a target, and the pack maps it.
- Log sources are those of the taxonomy and of the target's mapping. Each is in one place: one table, one index or index pattern, not
  both an `index` and a `data_stream`.
- Names are such as the target takes: indexes and source types of Splunk, index patterns of Elasticsearch, tables and columns of Sentinel,
  fields of each. A table of Sentinel that is neither one of Azure's nor ends in `_CL` is a warning.
- `field_overrides` are of canonical fields that the target's mapping has. Their types are the target's own words, their names do not
  begin with `insigma_` (columns of looked-up fields do), and no two fields are stored under one name, unless they are stored alike and no
  log source has both. In Elastic, no field has the name of an object, and `cased` is a sub-field of the name.

## Why it is bad

A search of the wrong index finds nothing, and says so by staying quiet. Of two tables one would be searched and the other not. Two fields
under one name make a rule compare a user with a claim. A name with a quote or a space in it ends a query early; the compiler
refuses it, for every rule that reads the log source.

## Example

```yaml
# bad
targets:
  elastic:
    index: {insurance_claims: logs-claims-*}
    data_stream: {insurance_claims: logs-insurance.claims-prod}
  splunk:
    index: {insurance_claim: 'Ins Claims'}
    field_overrides: {insurance.claim.id: number, insurance.policy.number: number}

# good
targets:
  elastic:
    data_stream: {insurance_claims: logs-insurance.claims-prod}
  splunk:
    index: {insurance_claims: ins_claims}
    field_overrides: {insurance.claim.id: claim_number, insurance.policy.number: policy_number}
```

## Fix

Write the name as the target has it. Events of one log source in two places are brought together there: by a comma between two index
patterns in Elastic, by one index that both feeds write to in Splunk, by one table that both collection rules write to in Sentinel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from insigma.checks.base import Context, finding
from insigma.checks.overrides import override_faults
from insigma.checks.profiles import profiles
from insigma.checks.scope import did_you_mean, entries
from insigma.checks.target_limits import LIMITS, NATIVE_TABLES, Limits
from insigma.checks.wording import one_of, shown
from insigma.content.model import TargetMapping, Taxonomy
from insigma.content.tenants import Tenant
from insigma.diagnostics.model import Diagnostic, Severity

CODE = "INS547"


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each place, field name or target that a customer cannot have."""
    for tenant in profiles(context, default=False):
        document = tenant.document
        if not entries(document, "targets"):
            message = f"the profile of {tenant.id} has no target"
            yield finding(CODE, document.place("tenant", "id"), message, f"add 'targets:' with {one_of(LIMITS)}")
        for target in entries(document, "targets"):
            mapping, limits = context.pack.mappings.get(target), LIMITS.get(target)
            if limits is None:
                continue
            if mapping is None:
                hint = f"the pack maps {', '.join(context.pack.mappings) or 'none'}; add mappings/targets/{target}.yml"
                yield finding(CODE, document.key_place("targets", target), f"the pack does not map the target {shown(target)}", hint)
                continue
            yield from _places(tenant, mapping, limits, context.pack.taxonomy)
            for fault in override_faults(tenant, mapping, limits, context.pack.taxonomy):
                yield finding(CODE, fault.place, fault.message, fault.hint)


def _places(tenant: Tenant, mapping: TargetMapping, limits: Limits, taxonomy: Taxonomy) -> Iterator[Diagnostic]:
    """What is wrong with where log sources are."""
    document, target = tenant.document, mapping.target
    for part in (*limits.places, "delay"):
        for source, written in entries(document, "targets", target, part).items():
            key = ("targets", target, part, source)
            if source not in taxonomy.logsources:
                hint = did_you_mean(source, taxonomy.logsources, "see mappings/taxonomy/logsources.yml")
                yield finding(CODE, document.key_place(*key), f"the taxonomy has no log source {shown(source)}", hint)
            elif source not in mapping.logsources:
                message = f"the {target} mapping has no log source {shown(source)}"
                yield finding(CODE, document.key_place(*key), message, f"add it to mappings/targets/{target}.yml")
            elif part in limits.places:
                yield from _place(tenant, key, written, limits)
    yield from _both(tenant, target)


def _place(tenant: Tenant, key: tuple[str, ...], written: Any, limits: Limits) -> Iterator[Diagnostic]:
    place, part, source = tenant.document.place(*key), key[2], key[3]
    (pattern, hint), what = limits.places[part], part.replace("_", " ")
    if isinstance(written, list):
        message = f"{source} has {'one' if len(written) == 1 else len(written)} in a list: a detection reads a single {what}"
        yield finding(CODE, place, message, f"bring its events together in one {what}; `insigma explain INS547` says how")
    elif isinstance(written, str) and not pattern.fullmatch(written):
        yield finding(CODE, place, f"{shown(written)} cannot be the {what} of {source}", hint)
    elif part == "table" and isinstance(written, str) and not written.endswith("_CL") and written not in NATIVE_TABLES:
        hint = did_you_mean(written, sorted(NATIVE_TABLES), "the name of a table of one's own ends in _CL")
        fault = finding(CODE, place, f"{shown(written)} is not known as a table of Azure's, and does not end in _CL", hint)
        yield replace(fault, severity=Severity.WARNING)


def _both(tenant: Tenant, target: str) -> Iterator[Diagnostic]:
    """A log source that has an index and a data stream."""
    streams = entries(tenant.document, "targets", target, "data_stream")
    for source in entries(tenant.document, "targets", target, "index"):
        if target == "elastic" and source in streams:
            place = tenant.document.key_place("targets", target, "data_stream", source)
            line = tenant.document.key_place("targets", target, "index", source).line
            yield finding(CODE, place, f"{source} has a data stream here and an index on line {line}", "keep one of them")
