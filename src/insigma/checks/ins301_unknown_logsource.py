"""Unknown log source

## What it does

Checks that the `category` of a rule with `taxonomy: insurance` is one of the log sources in
`mappings/taxonomy/logsources.yml`.

## Why it is bad

Every compiled query is scoped to the log source of its rule. A category that the taxonomy does not know maps to no index
and no table: the rule would run against everything, or against nothing.

## Example

```yaml
# bad
taxonomy: insurance
logsource:
  category: insurance_claim

# good
taxonomy: insurance
logsource:
  category: insurance_claims
```

## Fix

Use a category of the taxonomy. If the insurer has a feed that fits none, add a log source to the taxonomy and to every
target mapping first.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, Kind, finding, kind_of
from insigma.checks.scope import did_you_mean, dig, entries, speaks_taxonomy
from insigma.checks.wording import shown
from insigma.content.model import LogSource
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS301"


def check_document(document: Document, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding if an event rule or filter names no log source of the taxonomy."""
    if kind_of(document) is Kind.CORRELATION or not speaks_taxonomy(document, context) or not entries(document, "logsource"):
        return
    category = dig(document, "logsource", "category")
    categories = [source.logsource.category or "" for source in context.pack.taxonomy.logsources.values()]
    if category is None:
        yield finding(CODE, document.key_place("logsource"), "the log source has no category", "name one, such as insurance_claims")
    elif not isinstance(category, str) or context.pack.taxonomy.find(LogSource(category)) is None:
        hint = did_you_mean(str(category), categories, "see mappings/taxonomy/logsources.yml")
        place = document.place("logsource", "category")
        yield finding(CODE, place, f"taxonomy {context.pack.taxonomy.name} has no log source {shown(category)}", hint)
