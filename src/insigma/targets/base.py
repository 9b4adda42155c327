"""What every target gives: a detection, or a refusal that says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from insigma.bind.model import BoundAny, Refused

__all__ = ["Companion", "Detection", "Refused", "Schedule", "Target"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a detection runs and how far it looks back, in milliseconds.

    `lookback_ms` = timespan + interval + the longest accepted delay of events.
    """

    interval_ms: int
    lookback_ms: int


@dataclass(frozen=True, slots=True)
class Companion:
    """What a detection needs beside its own query.

    A "function" is saved under `name`, for the query to call. A "rollup" runs every `interval_ms` and appends its rows, of
    `columns` with their types, to the table `name`, which the query reads.
    """

    kind: str
    name: str
    query: str
    interval_ms: int = 0
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Detection:
    """A compiled rule.

    `language` is the query's language ("lucene", "eql", "esql", "spl", "kql"); `window` its window class: "event" for event
    rules, "exact", or "hopping(5m)"; `notes` say where the target departs from the rule's meaning, for the ledger;
    `scope` holds what the query leaves to its wrapper (index patterns and the like); `group_fields` are the columns of
    the result that identify an alert's group; `companions` are what has to be set up beside the query.
    """

    target: str
    language: str
    query: str
    schedule: Schedule
    window: str
    notes: tuple[str, ...] = ()
    scope: Mapping[str, str] = field(default_factory=dict)
    group_fields: tuple[str, ...] = ()
    companions: tuple[Companion, ...] = ()


class Target(Protocol):
    """A compiler for one SIEM. `compile` raises `Refused`."""

    name: str

    def compile(self, rule: BoundAny) -> Detection: ...
