"""Unknown use case

## What it does

Checks `insurance.use_cases` against the table of use cases: A1 to A12 and B1 to B26.

## Why it is bad

The coverage report is computed from them. An id that names nothing is coverage on paper only.

## Example

```yaml
# bad
insurance:
  use_cases: [B99]

# good
insurance:
  use_cases: [B9, B10]
```

## Fix

Name the use cases that an alert of the rule serves; see `src/insigma/data/use_cases.tsv`.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.scope import texts
from insigma.checks.wording import shown
from insigma.content.use_cases import load_use_cases
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS412"


def check_document(document: Document, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each id that the table lacks."""
    if not context.in_pack:
        return
    known = load_use_cases()
    for identifier, place in texts(document, "insurance", "use_cases"):
        if identifier not in known:
            yield finding(CODE, place, f"there is no use case {shown(identifier)}", "see src/insigma/data/use_cases.tsv")
