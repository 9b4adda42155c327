"""Context not declared

## What it does

Compares the `insurance.context.*` fields that a rule reads (a correlation reads those of its base rules too) with those that
`insurance.context.requires` declares. They must be the same.

## Why it is bad

Onboarding asks for a customer's tables by this list, and the coverage report shows rules that run blind by it. A field that is
read but not declared is one that nobody delivers; one that is declared but not read keeps a rule off for nothing.

## Example

```yaml
# bad
detection:
  selection:
    insurance.context.off_hours: 'yes'
  condition: selection
insurance:
  context: {requires: [], if_unknown: alert}

# good
detection:
  selection:
    insurance.context.off_hours: 'yes'
  condition: selection
insurance:
  context: {requires: [insurance.context.off_hours], if_unknown: alert}
```

## Fix

Write into `requires` exactly what the rule reads.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.scope import CONTEXT_PREFIX, base_rules, correlation_fields, detection_fields, did_you_mean, insurance, texts
from insigma.content.model import AnyRule, Correlation
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic, Place

CODE = "INS407"
_REQUIRES = ("insurance", "context", "requires")


def check_rule(rule: AnyRule, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each context field that is only read or only declared."""
    document = rule.header.document
    if not context.in_pack or not isinstance(insurance(document), dict):
        return
    read = _fields_read(rule)
    declared = dict(texts(document, *_REQUIRES))
    for name, reader in read.items():
        if name not in declared:
            by = "the rule" if reader is document else f"base rule {reader.data.get('name') or reader.path}"
            message = f"{by} reads {name}, which context.requires does not name"
            yield finding(CODE, _place(document), message, f"add {name}", rule.header.label)
    for name, place in declared.items():
        if name not in read:
            hint = did_you_mean(name, [field for field in read if field not in declared], "delete it")
            yield finding(CODE, place, f"context.requires names {name}, which the rule does not read", hint, rule.header.label)


def _place(document: Document) -> Place:
    return document.key_place(*_REQUIRES) if insurance(document, "context") is not None else document.key_place("insurance")


def _fields_read(rule: AnyRule) -> dict[str, Document]:
    """The context fields read, each with the document that reads it first."""
    found: dict[str, Document] = {}
    documents = [base.header.document for base in base_rules(rule)]
    if isinstance(rule, Correlation):
        documents.append(rule.header.document)
    for document in documents:
        for use in (*detection_fields(document), *correlation_fields(document)):
            if use.name.startswith(CONTEXT_PREFIX):
                found.setdefault(use.name, document)
    return found
