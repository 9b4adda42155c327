"""False positives

## What it does

Checks that a rule or correlation names its false positives, and that no entry is an empty phrase: nothing at all, `none`, `n/a`,
`TODO`, `pentest`. In a pack `unknown` and `unlikely` are empty phrases too. Outside a pack the key may be missing. Filters, and
rules of level `informational`, need none.

## Why it is bad

Honest work that looks like theft is the normal case in an insurer: the adjuster on a large loss, the catastrophe team, the month-end
run. An analyst who is not told how to tell them apart either stops claims work or stops looking. Nothing has no false positives.

## Example

```yaml
# bad
falsepositives:
  - Unknown

# good
falsepositives:
  - File review for quality or subrogation; the reviewer writes findings and can name the sample list.
```

## Fix

Name the honest process and the sign by which it is told apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from insigma.checks.base import Context, Kind, finding, kind_of
from insigma.checks.wording import kind_of_value, shown
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS212"
_EMPTY = frozenset({"", "none", "na", "nothing", "no", "todo", "tbd", "fixme", "xxx", "pentest", "penetrationtest", "falsepositives"})
_SHRUGS = frozenset({"unknown", "unlikely"})
_HINT = "name the honest process that looks the same, and how to tell it apart"


def check_document(document: Document, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding if false positives are missing, and for each one that says nothing."""
    if kind_of(document) is Kind.FILTER:
        return
    written = document.data.get("falsepositives")
    place = document.place("falsepositives")
    if written is None or written == []:
        named = "falsepositives" in document.data
        if named or (context.in_pack and document.data.get("level") != "informational"):
            yield finding(CODE, place, f"'falsepositives' is {'empty' if named else 'missing'}", _HINT)
    elif isinstance(written, (str, list)):
        for index, entry in enumerate([written] if isinstance(written, str) else written):
            said = _fault(entry, context.in_pack)
            if said is not None:
                yield finding(CODE, document.place("falsepositives", index), said, _HINT)
    else:
        yield finding(CODE, place, f"'falsepositives' is {kind_of_value(written)}, where a list is meant", "write one a line after '- '")


def _fault(entry: Any, strict: bool) -> str | None:
    if not isinstance(entry, str):
        return f"a false positive is {kind_of_value(entry)}, where text is meant"
    plain = re.sub(r"\W+", "", entry).casefold()
    if plain in _EMPTY or (strict and plain in _SHRUGS):
        return f"the false positive {shown(entry)} says nothing"
    return None
