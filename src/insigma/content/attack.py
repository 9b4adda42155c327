"""MITRE ATT&CK as a small table: techniques with their tactics, tactics with their names.

The pack pins ATT&CK v19; the table is package data, so nothing is fetched. Source: `data/attack_v19_*.tsv`, columns
`id name tactics status` (tactics as comma-separated short names; status `current`, `revoked` or `deprecated`) and
`id name shortname`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Tactic:
    """A tactic: `id` such as TA0010, `name` such as Exfiltration, `shortname` such as exfiltration."""

    id: str
    name: str
    shortname: str


@dataclass(frozen=True, slots=True)
class Technique:
    """A technique or sub-technique. `tactics` are short names; `status` is current, revoked or deprecated."""

    id: str
    name: str
    tactics: tuple[str, ...]
    status: str

    @property
    def current(self) -> bool:
        return self.status == "current"


@dataclass(frozen=True, slots=True)
class AttackTable:
    """Techniques by id (upper case, e.g. T1078.004) and tactics by short name."""

    techniques: Mapping[str, Technique]
    tactics: Mapping[str, Tactic]

    def successor(self, technique: Technique) -> Technique | None:
        """The one current technique that carries the name of a revoked one, or None.

        The table does not record what revoked a technique; most were only renumbered and kept their name.
        """
        same = [other for other in self.techniques.values() if other.current and other.name == technique.name]
        return same[0] if len(same) == 1 else None


def _rows(text: str) -> Iterator[dict[str, str]]:
    lines = text.splitlines()
    header = lines[0].split("\t")
    for line in lines[1:]:
        if line.strip():
            yield dict(zip(header, line.split("\t"), strict=True))


def parse_attack(techniques: str, tactics: str) -> AttackTable:
    """The table from the text of both TSV files. Raises ValueError or KeyError for rows of another shape."""
    by_id = {
        row["id"]: Technique(row["id"], row["name"], tuple(row["tactics"].split(",")) if row["tactics"] else (), row["status"])
        for row in _rows(techniques)
    }
    by_name = {row["shortname"]: Tactic(row["id"], row["name"], row["shortname"]) for row in _rows(tactics)}
    return AttackTable(MappingProxyType(by_id), MappingProxyType(by_name))


def load_attack() -> AttackTable:
    """The table that ships with the program: ATT&CK v19."""
    data = files("insigma") / "data"
    techniques = (data / "attack_v19_techniques.tsv").read_text(encoding="utf-8")
    return parse_attack(techniques, (data / "attack_v19_tactics.tsv").read_text(encoding="utf-8"))
