"""Schema

## What it does

Validates each file of a pack against the JSON Schema of its kind, which its place tells:

| place | schema |
|---|---|
| `insigma.yml` | pack |
| `rules/**` | rule, correlation or filter |
| `tests/fixtures/**` | fixture |
| `mappings/taxonomy/fields.yml`, `logsources.yml` | taxonomy-fields, taxonomy-logsources |
| `mappings/targets/*` | target-mapping |
| `mappings/tenants/*` | tenant |
| `mappings/products/*` | product-mapping |

Every fault is told at its own place: missing and unknown keys, values of a wrong kind, words outside of a closed list. Faults of rules
that have a code of their own (INS1xx, INS2xx, INS401) are told there.

## Why it is bad

An unknown key is kept and ignored, so a misspelt one does nothing without a word: a case that is never run, a field that is
mapped as if it had no case policy. A value of a wrong kind means something else than it says.

## Example

```yaml
# bad
rule: ins-clm-c01
cases:
  - name: eighty unassigned claims in forty minutes
    kind: hit
    expects: match
    events: []

# good
rule: ins-clm-c01
cases:
  - name: eighty unassigned claims in forty minutes
    kind: match
    expect: {alerts: [{user.name: j.kowalska}]}
    events:
      - {at: "2026-02-14T10:40:00Z", every: 30s, repeat: 80, event.action: claim-view, user.name: j.kowalska, insurance.claim.id: "CLM-{n}"}
```

## Fix

Do what the hint says. An editor that is given the schema (`src/insigma/schemas/`, published under its `$id`) tells while you type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from insigma.checks.base import Context, finding, kind_of
from insigma.checks.profiles import lists_of_places
from insigma.checks.schema_faults import Fault, faults
from insigma.content.fixtures import read_fixture
from insigma.content.mappings import read_mapping
from insigma.content.products import read_product
from insigma.content.profile_limits import beyond_limits
from insigma.content.profiles import read_tenant
from insigma.content.taxonomy import read_taxonomy
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic, Place

CODE = "INS509"
RULE_SCHEMAS = frozenset({"rule", "correlation", "filter"})
_KINDS = (
    (re.compile(r"insigma\.ya?ml"), "pack"),
    (re.compile(r"tests/fixtures/.+"), "fixture"),
    (re.compile(r"mappings/taxonomy/context\.ya?ml"), "taxonomy-context"),
    (re.compile(r"mappings/taxonomy/fields\.ya?ml"), "taxonomy-fields"),
    (re.compile(r"mappings/taxonomy/logsources\.ya?ml"), "taxonomy-logsources"),
    (re.compile(r"mappings/targets/.+"), "target-mapping"),
    (re.compile(r"mappings/tenants/.+"), "tenant"),
    (re.compile(r"mappings/products/.+"), "product-mapping"),
)
_TOLD_ELSEWHERE = frozenset(
    {
        "title",
        "id",
        "level",
        "status",
        "date",
        "modified",
        "tags",
        "description",
        "falsepositives",
        "references",
        "related",
        "logsource",
        "detection",
        "correlation",
        "filter",
        "insurance",
    }
)
"""Parts of a rule whose faults have a code of their own."""


def schema_of(document: Document, context: Context) -> str | None:
    """The name of the schema for a document of the pack, or None where its place has none."""
    path = context.pack.relative(document.path)
    if path.startswith("rules/"):
        return kind_of(document).value
    return next((name for pattern, name in _KINDS if pattern.fullmatch(path)), None)


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield every fault of every document of the pack, but for those that the readers or other checks tell."""
    if not context.in_pack:
        return
    for document in context.pack.documents:
        name = schema_of(document, context)
        found = faults(name, document.data) if name is not None and not _is_too_large(name, document) else ()
        if not found:
            continue
        told = _told_by_reader(name, document, context)
        for fault in found:
            place = document.key_place(*fault.path) if fault.at_key else document.place(*fault.path)
            if place not in told and not (name in RULE_SCHEMAS and _has_own_code(fault)):
                yield finding(CODE, place, fault.message, fault.hint)


def _is_too_large(name: str, document: Document) -> bool:
    """Whether it is a profile that is not read on, of which the reader tells."""
    return name == "tenant" and beyond_limits(document) is not None


def _has_own_code(fault: Fault) -> bool:
    """Faults of the parts with a code; and a missing key, which is missing from the document itself."""
    return not fault.path or fault.path[0] in _TOLD_ELSEWHERE


def _told_by_reader(name: str | None, document: Document, context: Context) -> frozenset[Place]:
    """Where the document's reader, or INS547, tells of a fault."""
    found: tuple[Diagnostic, ...] = ()
    others: frozenset[Place] = frozenset()
    match name:
        case "fixture":
            found = read_fixture(document)[1]
        case "target-mapping":
            found = read_mapping(document)[1]
        case "tenant":
            found, others = read_tenant(document)[1], frozenset(lists_of_places(document))
        case "product-mapping":
            found = tuple(one for one in read_product(document)[1] if one.code == CODE)
        case "taxonomy-fields" | "taxonomy-logsources":
            parts = {schema_of(other, context): other for other in context.pack.documents}
            if "taxonomy-fields" in parts and "taxonomy-logsources" in parts:
                found = read_taxonomy(parts["taxonomy-fields"], parts["taxonomy-logsources"])[1]
    return frozenset(diagnostic.place for diagnostic in found) | others
