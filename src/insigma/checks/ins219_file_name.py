"""File name

## What it does

Checks that the file name of a rule, correlation or filter is made of lower-case ASCII words and digits joined by underscores, and
ends in `.yml`.

## Why it is bad

Everything built from the rule is named after its file: queries, detections, ledger pages. Two names that differ only in case are one
file on Windows and macOS; spaces and accents break scripts and archives.

## Example

```text
bad   rules/claims/Claim-Export (final).yaml
good  rules/claims/suspicious_cumulative_claim_data_export.yml
```

```yaml
# the name follows from the title
title: Suspicious Cumulative Claim Data Export
```

## Fix

Rename the file: the title in lower case, words joined by underscores.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from insigma.checks.base import Context, finding
from insigma.checks.wording import shown
from insigma.diagnostics.model import Diagnostic, Place, Severity

CODE = "INS219"
_UNDECODABLE = re.compile("[\ud800-\udfff]")
_NAME = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*\.yml", re.ASCII)


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each rule file with another name. A file with several documents is told of once."""
    for path in dict.fromkeys(document.path for document in context.documents):
        name = PurePosixPath(path).name
        if name.lower().endswith((".yml", ".yaml")) and not _NAME.fullmatch(name):
            hint = f"rename it to '{_suggestion(name)}'"
            if _UNDECODABLE.search(name):  # what is built takes this name: nothing can be
                yield Diagnostic(Place(path), CODE, f"the name of the file is not UTF-8: {shown(name)}", hint, Severity.ERROR)
                continue
            message = f"file name {shown(name)} is not lower-case words joined by underscores"
            yield finding(CODE, Place(path), message, hint)


def _suggestion(name: str) -> str:
    stem = re.sub(r"[^a-z0-9]+", "_", name.rsplit(".", 1)[0].lower()).strip("_")
    return f"{stem or 'rule'}.yml"
