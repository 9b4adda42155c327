"""Tag

## What it does

Checks that `tags` is a list and that each tag is written `namespace.name` in lower case, and points out a namespace that is
almost `attack`, `d3fend` or `detection`. Other namespaces are free: Sigma has `car`, `cve`, `stp` and `tlp`, people have their own.

## Why it is bad

Coverage reports, navigators and the targets' own technique fields are filled from tags. A tag in another form is dropped on the
way, and the rule looks as if it covered nothing.

## Example

```yaml
# bad
tags:
  - T1213
  - atack.collection

# good
tags:
  - attack.t1213
  - attack.collection
```

## Fix

Write tags as Sigma's tags appendix has them: `attack.t1213`, `attack.collection`, `cve.2021-44228`, `tlp.amber`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from insigma.checks.base import Context, finding
from insigma.checks.spelling import misspelt
from insigma.checks.wording import kind_of_value, shown
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS207"
NAMESPACES = ("attack", "d3fend", "detection")
"""Long enough for a slip to be told from a namespace of somebody's own: `cwe` is not a misspelt `cve`."""
_TAG = re.compile(r"(?:d3fend\.[A-Za-z0-9._-]+|[a-z0-9_-]+\.[a-z0-9._-]+)", re.ASCII)
_TECHNIQUE = re.compile(r"[tT][0-9]{4}(?:\.[0-9]{3})?", re.ASCII)


def check_document(document: Document, _context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each tag that is not written as Sigma has it."""
    tags = document.data.get("tags")
    if tags is None:
        return
    if not isinstance(tags, list):
        yield finding(
            CODE, document.place("tags"), f"'tags' is {kind_of_value(tags)}, where a list is meant", "write one tag a line after '- '"
        )
        return
    for index, tag in enumerate(tags):
        said = _fault(tag)
        if said is not None:
            yield finding(CODE, document.place("tags", index), *said)


def _fault(tag: Any) -> tuple[str, str] | None:
    """What is wrong with a tag, and what to do; None if nothing is."""
    if not isinstance(tag, str):
        return f"a tag is {kind_of_value(tag)}, where text is meant", "tags are written namespace.name"
    if not _TAG.fullmatch(tag) or _TECHNIQUE.fullmatch(tag):
        return f"tag {shown(tag)} is not written namespace.name in lower case", _hint(tag)
    namespace, _, name = tag.partition(".")
    near = misspelt(namespace, NAMESPACES)
    return None if near is None else (f"tag {shown(tag)} has an unknown namespace", f"did you mean '{near}.{name}'?")


def _hint(tag: str) -> str:
    if _TECHNIQUE.fullmatch(tag):
        return f"did you mean 'attack.{tag.lower()}'?"
    mended = re.sub(r"\s+", "-", tag.strip().lower())
    return f"did you mean '{mended}'?" if _TAG.fullmatch(mended) else "for example attack.t1213"
