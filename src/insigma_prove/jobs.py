"""The daily jobs behind a detection, run as the days of a replay go by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from insigma.targets.base import Detection
from insigma_prove.companions import rollups, run_rollup, with_tables
from insigma_prove.process import Client
from insigma_prove.trial import QueryRejected

_DAY_MS, _HOUR_MS, _MINUTE_MS = 86_400_000, 3_600_000, 60_000
JOB_AT_MS = 3 * _HOUR_MS
"""When of the day the jobs run."""
LAKE_MS = 15 * _MINUTE_MS
"""How long events take until a job sees them (KQL jobs in the Microsoft Sentinel data lake, "Data lake ingestion latency")."""
ROWS_MS = 30 * _MINUTE_MS
"""How long a job's rows take until rules see them (Troubleshoot KQL queries for the Microsoft Sentinel data lake)."""

Rows = Sequence[Mapping[str, Any]]


class Jobs:
    """The jobs of one detection from `since_ms` on, and the rows that they have written."""

    def __init__(self, detection: Detection, store: Mapping[str, Any], since_ms: int) -> None:
        self._detection = detection
        self._rollups = rollups(detection)
        self._due = since_ms // _DAY_MS * _DAY_MS + JOB_AT_MS
        self._written: list[tuple[int, dict[str, Any]]] = []
        self.store = with_tables(detection, store)

    def run_until(self, moment: int, client: Client, arrived: Callable[[int], Rows]) -> None:
        """Run what is due; `arrived` gives the events that had arrived by a moment. Raises `QueryRejected`."""
        while self._rollups and self._due <= moment:
            client.open(self.store, arrived(self._due - LAKE_MS))
            for companion in self._rollups:
                found = run_rollup(self._detection, companion, client, self._due)
                if "error" in found:
                    raise QueryRejected(found["error"]["stage"], found["error"]["message"])
                self._written += ((self._due + ROWS_MS, row) for row in found["rows"])
            self._due += _DAY_MS

    def rows(self, moment: int) -> list[dict[str, Any]]:
        """What rules see of the jobs' rows at a moment."""
        return [row for readable, row in self._written if readable <= moment]
