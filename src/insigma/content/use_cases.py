"""The use cases of an insurance SOC: id, who serves it (`rules` or the `program`), and its name in words.

Package data: `data/use_cases.tsv`, with the columns `id by name`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class UseCase:
    """`by_rules` says that detection rules serve it; the others are served by the program or by the customer's operation."""

    id: str
    name: str
    by_rules: bool


def load_use_cases() -> Mapping[str, UseCase]:
    """Every use case by its id, in the order of the table."""
    text = (files("insigma") / "data" / "use_cases.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines()[1:] if line.strip())
    return MappingProxyType({identifier: UseCase(identifier, name, by == "rules") for identifier, by, name in rows})
