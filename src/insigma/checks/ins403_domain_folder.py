"""Domain folder

## What it does

Checks that a rule of the pack stands in `rules/<domain>/`, where `<domain>` is its `insurance.domain`.

## Why it is bad

Owners, reviews, tenants and reports select rules by domain. A rule in another domain's folder is reviewed by the wrong people
and missing from the right report.

## Example

```yaml
# bad: rules/billing/late_refund.yml
insurance:
  domain: claims

# good: rules/claims/late_refund.yml
insurance:
  domain: claims
```

## Fix

Move the file (and its fixture), or mend the domain.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, Kind, finding, kind_of
from insigma.checks.scope import insurance
from insigma.checks.wording import shown
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS403"


def check_document(document: Document, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding if the folder of the rule is not its domain."""
    domain = insurance(document, "domain")
    if not context.in_pack or kind_of(document) is Kind.FILTER or not isinstance(domain, str):
        return
    *folders, _ = context.pack.relative(document.path).split("/")
    if folders[-1:] != [domain]:
        folder = "/".join(folders) or "."
        message = f"domain is {shown(domain)}, but the rule stands in {folder}"
        yield finding(CODE, document.place("insurance", "domain"), message, f"move it to rules/{domain}/, or mend the domain")
