"""The loop that every adapter runs: one JSON request a line in, one JSON reply a line out.

Requests are `{"op": "hello"}`, `{"op": "open", "store": {...}, "events": [...]}`, `{"op": "run", "language": ..., "query": ...}`
(optionally with "now", "earliest" and "latest", ISO 8601, "index", "answer": "rows" to have rows of events too, and "order": "stored"
to spare the proof that the answer does not depend on the order of rows) and
`{"op": "check", "language": ..., "query": ..., "store": {...}}`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TextIO, TypeAlias

Reply: TypeAlias = dict[str, Any]


class QueryFault(Exception):
    """The engine does not take the query, or (stage "unsupported") this adapter cannot run it.

    `stage` is "parse", "type", "run" or "unsupported".
    """

    def __init__(self, stage: str, message: str) -> None:
        super().__init__(message)
        self.stage = stage


class Adapter(Protocol):
    """One engine."""

    def hello(self) -> Reply:
        """`{"engine": name, "version": ..., "languages": {language: "executed" | "typed" | "parsed"}}`."""
        ...

    def open(self, store: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> None:
        """Replace what is stored. `store` says how (mappings, tables); events are in the target's stored shape."""
        ...

    def run(self, language: str, query: str, times: Mapping[str, str]) -> Reply:
        """`{"hits": [...]}`, `{"rows": [...]}` or `{"sequences": [...]}`. Raises `QueryFault`."""
        ...

    def check(self, language: str, query: str, store: Mapping[str, Any]) -> None:
        """Parse and type the query without events. Raises `QueryFault`."""
        ...


def serve(adapter: Adapter, requests: TextIO | None = None, replies: TextIO | None = None) -> None:
    """Answer requests until the input ends. What an engine itself prints goes to standard error, never among the replies."""
    source, sink = requests or sys.stdin, replies or _kept_for_replies()
    for line in source:
        sink.write(json.dumps(_answer(adapter, line), ensure_ascii=True, separators=(",", ":")) + "\n")
        sink.flush()


def _kept_for_replies() -> TextIO:
    """Standard output for the replies alone: DuckDB, for one, draws a progress bar there when a query takes long."""
    kept = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return kept


def _answer(adapter: Adapter, line: str) -> Reply:
    try:
        return _dispatch(adapter, json.loads(line))
    except QueryFault as fault:
        return _fault(fault.stage, str(fault))
    except (ValueError, KeyError, TypeError) as error:
        return _fault("request", f"{type(error).__name__}: {error}")


def _dispatch(adapter: Adapter, request: Mapping[str, Any]) -> Reply:
    match request["op"]:
        case "hello":
            return adapter.hello()
        case "open":
            adapter.open(request["store"], request["events"])
            return {"ok": True}
        case "run":
            times = {key: request[key] for key in ("now", "earliest", "latest", "index", "answer", "order") if request.get(key)}
            return adapter.run(request["language"], request["query"], times)
        case "check":
            adapter.check(request["language"], request["query"], request["store"])
            return {"ok": True}
        case other:
            raise ValueError(f"unknown op {other!r}")


def _fault(stage: str, message: str) -> Reply:
    return {"error": {"stage": stage, "message": message}}
