r"""Wildcard and modifier

## What it does

Checks for a wildcard `*` where the modifier already says "anything": at either end of a `contains` value, at the end of a
`startswith` value, at the beginning of an `endswith` value.

## Why it is bad

It adds nothing, and it raises the question whether a literal asterisk was meant (then it needs a backslash). A value that is
nothing but `*` asks only whether the field is there.

## Example

```yaml
# bad
detection:
  selection:
    file.name|endswith: '*.csv'
  condition: selection

# good
detection:
  selection:
    file.name|endswith: '.csv'
  condition: selection
```

## Fix

Drop the wildcard; write `\*` if an asterisk is meant, and `field|exists: true` if the field only has to be there.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.vocabulary import ENCODINGS
from insigma.checks.walk import detection_items
from insigma.checks.wording import shown
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS215"
_LEADING = frozenset({"contains", "endswith"})
_TRAILING = frozenset({"contains", "startswith"})
_OTHER_LANGUAGE = ENCODINGS | {"re"}


def check_document(document: Document, _context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each value with a wildcard that its modifier makes idle."""
    for item in detection_items(document):
        modifiers = set(item.modifiers)
        if not isinstance(item.value, str) or modifiers & _OTHER_LANGUAGE:
            continue
        leading = bool(modifiers & _LEADING) and item.value.startswith("*")
        trailing = bool(modifiers & _TRAILING) and _ends_with_wildcard(item.value)
        if leading or trailing:
            modifier = next(name for name in item.modifiers if name in _LEADING | _TRAILING)
            message = f"the '*' in {shown(item.value)} repeats what '{modifier}' says"
            yield finding(CODE, document.place(*item.value_path), message, _hint(item.value, leading, trailing))


def _ends_with_wildcard(value: str) -> bool:
    before = value[:-1]
    backslashes = len(before) - len(before.rstrip("\\"))
    return value.endswith("*") and backslashes % 2 == 0


def _hint(value: str, leading: bool, trailing: bool) -> str:
    rest = value[1 if leading else 0 : -1 if trailing and len(value) > 1 else None]
    if rest.strip("*"):
        return f"write {shown(rest)}; an asterisk itself is written '\\*'"
    return "write '|exists: true' if the field only has to be there"
