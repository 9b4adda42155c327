"""File name

## What it does

Checks that the file name of a rule, correlation or filter is made of lower-case ASCII words and digits joined by underscores, and
ends in `.yml`. In a pack the name of a rule or correlation is its title in lower case; of a title that makes more than 90 characters,
words at its front suffice.

## Why it is bad

Everything built from the rule is named after its file: queries, detections, ledger pages. Two names that differ only in case are one
file on Windows and macOS; spaces and accents break scripts and archives. A name that says something else than the title sends whoever
looks for the rule to another one.

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
import unicodedata
from collections.abc import Iterator
from pathlib import PurePosixPath

from insigma.checks.base import Context, Kind, finding, kind_of
from insigma.checks.wording import shown
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic, Place, Severity

CODE = "INS219"
_UNDECODABLE = re.compile("[\ud800-\udfff]")
LONGEST = 90
"""Characters of the longest slug."""
_NAME = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*\.yml", re.ASCII)


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each rule file with another name. A file with several documents is told of once."""
    first: dict[str, Document] = {}
    for document in context.documents:
        first.setdefault(document.path, document)
    for path, document in first.items():
        name = PurePosixPath(path).name
        slug = _slug(document) if context.in_pack else ""
        if name.lower().endswith((".yml", ".yaml")) and not _NAME.fullmatch(name):
            hint = f"rename it to '{slug or _suggestion(name)}.yml'"
            if _UNDECODABLE.search(name):  # what is built takes this name: nothing can be
                yield Diagnostic(Place(path), CODE, f"the name of the file is not UTF-8: {shown(name)}", hint, Severity.ERROR)
                continue
            message = f"file name {shown(name)} is not lower-case words joined by underscores"
            yield finding(CODE, Place(path), message, hint)
        elif slug and not _says(name.removesuffix(".yml"), document.data["title"]):
            message = f"file name {shown(name)} does not say the title"
            yield finding(CODE, Place(path), message, f"rename it to '{slug}.yml', or change the title")


def slug_of(title: str) -> str:
    """The title in lower-case words joined by underscores, however long. Empty where it has no ASCII letter or digit."""
    plain = unicodedata.normalize("NFKD", title).lower()
    plain = "".join(char for char in plain if not unicodedata.combining(char) and char not in "'\u2019")
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def _slug(document: Document) -> str:
    """The slug that the document is to have, or empty where it has no title to tell, or nothing is built from it."""
    title = document.data.get("title")
    if kind_of(document) is Kind.FILTER or not isinstance(title, str):
        return ""
    slug = slug_of(title)
    return slug if len(slug) <= LONGEST else slug[: LONGEST + 1].rpartition("_")[0] or slug[:LONGEST]


def _says(stem: str, title: str) -> bool:
    """Whether a file name is the title; of one that is too long for a name, whole words at its front suffice."""
    slug = slug_of(title)
    return stem == slug if len(slug) <= LONGEST else len(stem) <= LONGEST and f"{slug}_".startswith(f"{stem}_")


def _suggestion(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.rsplit(".", 1)[0].lower()).strip("_") or "rule"
