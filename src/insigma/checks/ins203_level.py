"""Level

## What it does

Checks that `level` is one of Sigma's: `informational`, `low`, `medium`, `high`, `critical`. A missing level is
[INS221](INS221.md).

## Why it is bad

The level decides who is woken. A word that no target knows becomes its default severity, or an error at deployment.

## Example

```yaml
# bad
level: urgent

# good
level: high
```

## Fix

Choose the level by what the analyst shall do: `critical` act at once, `high` look promptly, `medium` review, `low` matters only
beside other signs, `informational` feeds correlations.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.scope import did_you_mean
from insigma.checks.wording import kind_of_value, one_of, shown
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS203"
LEVELS = ("informational", "low", "medium", "high", "critical")


def check_document(document: Document, _context: Context) -> Iterator[Diagnostic]:
    """Yield a finding if there is a level and it is none of Sigma's."""
    level = document.data.get("level")
    if level is None or level in LEVELS:
        return
    said = shown(level) if isinstance(level, str) else kind_of_value(level)
    yield finding(CODE, document.place("level"), f"{said} is not a level", did_you_mean(str(level), LEVELS, one_of(LEVELS)))
