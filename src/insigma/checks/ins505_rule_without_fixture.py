"""Rule without fixture

## What it does

Checks that every rule and correlation of the pack has a fixture under `tests/fixtures/` which names it, by `name` or `id`.
A fixture that names no rule of the pack is told as INS111.

## Why it is bad

Nothing shows that the rule finds what it says, and nothing will tell when a change breaks it.

## Example

```yaml
# good: tests/fixtures/claims/bulk_claim_export.yml
rule: ins-clm-003
cases:
  - name: two thousand claims in one export
    kind: match
    expect: match
    events:
      - {at: "2026-02-14T10:40:00Z", event.action: claim-export, insurance.record_count: 2000}
```

## Fix

Write the fixture; `insigma new` makes a frame of both. docs/semantics.md says what events and expectations mean.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, Kind, finding, kind_of
from insigma.checks.scope import dig
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS505"


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each rule that no fixture names."""
    if not context.in_pack:
        return
    yield from _lost(context)
    proved = {str(fixture.rule).lower() for fixture in context.pack.fixtures} | set(_named(context.pack.documents))
    for document in context.documents:
        if kind_of(document) is not Kind.FILTER and not _names(document) & proved:
            name = document.data.get("name") or document.data.get("id") or "..."
            yield finding(CODE, document.key_place("title"), "the rule has no fixture", f"write {_path(document)} with 'rule: {name}'")


def _lost(context: Context) -> Iterator[Diagnostic]:
    """Fixtures that name no rule, in the words of `insigma test`, so that it is one finding where both tell it."""
    known = {name for document in context.documents if kind_of(document) is not Kind.FILTER for name in _names(document)}
    known |= {name.lower() for rule in context.rules for name in (rule.header.id, rule.header.name) if name is not None}
    for fixture in context.pack.fixtures:
        if fixture.rule.lower() not in known:
            message, hint = f"no rule has the id or name '{fixture.rule}'", "is the rule among the faulty ones?"
            yield finding("INS111", fixture.document.place("rule"), message, hint)


def _names(document: Document) -> set[str]:
    return {str(document.data[key]).lower() for key in ("name", "id") if document.data.get(key)}


def _named(documents: tuple[Document, ...]) -> Iterator[str]:
    """What fixtures name that were read but could not be built; other findings speak of them."""
    for document in documents:
        if "cases" in document.data and isinstance(dig(document, "rule"), str):
            yield document.data["rule"].lower()


def _path(document: Document) -> str:
    head, separator, tail = document.path.rpartition("rules/")
    return f"{head}tests/fixtures/{tail}" if separator else f"tests/fixtures/{document.path}"
