"""The JSON Schemas (draft 2020-12) of every file that Insigma reads, and of the machine-readable files that it writes.

They are published under the address in their `$id`, so that an editor can use them. `load` gives one as data;
`insigma.schemas.faults` says in words what is wrong with a document.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

NAMES = (
    "changes",
    "correlation",
    "diagnostics",
    "diff",
    "filter",
    "fixture",
    "header",
    "ledger",
    "lock",
    "metadata",
    "pack",
    "product-mapping",
    "rule",
    "target-mapping",
    "taxonomy-context",
    "taxonomy-fields",
    "taxonomy-logsources",
    "tenant",
)


def load(name: str) -> dict[str, Any]:
    """The schema called `name` (one of `NAMES`), fresh from package data. Raises FileNotFoundError for another name."""
    schema: dict[str, Any] = json.loads((files(__name__) / f"{name}.schema.json").read_text(encoding="utf-8"))
    return schema
