"""What engines have shown: the pack's `proofs/<target>.json`, written by `insigma prove`, read by `insigma build`.

What they have shown of a customer's detections is in `proofs/tenants/<tenant>/<target>.json`.

A row holds as long as the query, its window class and the fixture's cases are those that were run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from insigma.content.model import Fixture
from insigma.targets.base import Detection

FOLDER = "proofs"
GRADES = ("executed", "typed", "parsed")
"""How much an engine has shown, the most first."""


@dataclass(frozen=True, slots=True)
class ProofRow:
    """One detection that an engine agrees with. `query` and `events` are digests; `cases` how many cases were run."""

    rule: str
    target: str
    language: str
    grade: str
    engine: str
    query: str
    events: str
    cases: int


def digest_of_query(detection: Detection) -> str:
    """A digest of everything of a detection that an engine is asked."""
    return _digest([detection.language, detection.query, detection.window, sorted(detection.scope.items())])


def digest_of_events(fixture: Fixture) -> str:
    """A digest of a fixture's cases."""
    data = fixture.document.data
    return _digest([data.get("defaults"), data.get("cases")])


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:32]


def proofs_folder(tenant: str | None = None) -> str:
    """Where the proofs of the pack, or of a customer's detections, are kept below the pack's folder."""
    return FOLDER if tenant is None else f"{FOLDER}/tenants/{tenant}"


def read_proofs(root: Path, tenant: str | None = None) -> tuple[ProofRow, ...]:
    """The rows under the pack's folder: the pack's own, or those of a customer. Raises ValueError for a file that is none of ours."""
    folder = proofs_folder(tenant)
    found: list[ProofRow] = []
    for path in sorted((root / folder).glob("*.json")):
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            found += (_row(row) for row in document["proofs"])
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{folder}/{path.name} is not as insigma prove writes it ({error}): run insigma prove again") from error
    return tuple(found)


def _row(written: Mapping[str, Any]) -> ProofRow:
    row = ProofRow(**written)
    if row.grade not in GRADES:
        raise ValueError(f"no grade '{row.grade}'")
    for name in ProofRow.__slots__:
        if type(written[name]) is not (int if name == "cases" else str):
            raise ValueError(f"'{name}' is {written[name]!r}")
    return row


def as_document(rows: Iterable[ProofRow]) -> str:
    """The file of one target's rows."""
    ordered = sorted(rows, key=lambda row: (row.rule, row.language, row.engine))
    entries = [{field: getattr(row, field) for field in ProofRow.__slots__} for row in ordered]
    return json.dumps({"version": 1, "proofs": entries}, indent=1, ensure_ascii=False) + "\n"


class Proofs:
    """The rows by query, for the ledger."""

    def __init__(self, rows: Iterable[ProofRow], fixtures: Iterable[Fixture], labels: Mapping[str, str]) -> None:
        """`labels` gives the label of a rule for each name that a fixture may use."""
        self._rows: dict[tuple[str, str], list[ProofRow]] = {}
        for row in rows:
            self._rows.setdefault((row.target, row.query), []).append(row)
        self._events = {labels[fixture.rule]: digest_of_events(fixture) for fixture in fixtures if fixture.rule in labels}

    def with_rows(self, rows: Iterable[ProofRow]) -> Proofs:
        """These and further rows, for the same fixtures."""
        found = Proofs((*(row for own in self._rows.values() for row in own), *rows), (), {})
        found._events = self._events
        return found

    def of(self, label: str, detection: Detection) -> tuple[str, str]:
        """The best grade that engines have given the detection with who gave it, or "unchecked" and why."""
        rows = [row for row in self._rows.get((detection.target, digest_of_query(detection)), []) if row.rule == label]
        if not rows:
            return "unchecked", "no engine has judged this query: run insigma prove"
        current = [row for row in rows if row.events == self._events.get(label)]
        if not current:
            return "unchecked", "its fixture has changed since: run insigma prove"
        best = min(GRADES.index(row.grade) for row in current)
        return GRADES[best], "; ".join(row.engine for row in current if GRADES.index(row.grade) == best)
