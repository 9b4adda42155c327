"""MITRE Fight Fraud Framework (F3) v1.1 as a small table: technique id to name, with our own supplement.

F3 is bank-centred, so the pack adds a local list `INSF-nn` for what only an insurer suffers (to be offered upstream).
Package data: `data/f3_v1.1_techniques.tsv` (from center-for-threat-informed-defense/fight-fraud-framework, Apache-2.0)
and `data/f3_local.tsv`; both have the columns `id name tactics`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from types import MappingProxyType

_TABLES = ("f3_v1.1_techniques.tsv", "f3_local.tsv")


def load_f3() -> Mapping[str, str]:
    """Technique id to name: `F1xxx` and the ATT&CK ids that F3 reuses, then `INSF-nn`."""
    data = files("insigma") / "data"
    return parse_f3(*((data / name).read_text(encoding="utf-8") for name in _TABLES))


def parse_f3(*tables: str) -> Mapping[str, str]:
    """The mapping from the text of TSV tables with a header line. Raises ValueError if a row has no name."""
    return MappingProxyType({identifier: name for table in tables for identifier, name in _rows(table)})


def _rows(table: str) -> Iterator[tuple[str, str]]:
    for line in table.splitlines()[1:]:
        if line.strip():
            identifier, name, *_ = line.split("\t")
            yield identifier, name
