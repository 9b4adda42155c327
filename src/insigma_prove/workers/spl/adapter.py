"""The SPL interpreter behind the adapter protocol (`insigma_prove.workers.serve`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from insigma_prove.workers.serve import QueryFault, Reply
from insigma_prove.workers.spl.clock import epoch
from insigma_prove.workers.spl.commands import Run
from insigma_prove.workers.spl.events import Row, Store
from insigma_prove.workers.spl.functions import Runtime
from insigma_prove.workers.spl.interpreter import checked, parse, rows
from insigma_prove.workers.spl.lookups import Tables
from insigma_prove.workers.spl.pcre import Regexes
from insigma_prove.workers.spl.readings import Readings, readings_of
from insigma_prove.workers.spl.values import reply_value


class SplAdapter:
    """The interpreter with the events it was given last."""

    def __init__(self) -> None:
        self._store = Store(())
        self._readings = Readings()
        self._regexes = Regexes(self._readings.pcre)
        self._tables: Tables = {}

    def hello(self) -> Reply:
        """What this is, and what it is not."""
        return {
            "engine": "insigma's SPL interpreter",
            "version": "1",
            "languages": {"spl": "executed"},
            "notes": ["a model of Splunk's documentation, not Splunk"],
        }

    def open(self, store: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> None:
        """Replace the events. `store` may have `readings` (see `readings.readings_of`) and `lookups`: rows by table."""
        self._readings = readings_of(store)
        self._regexes = Regexes(self._readings.pcre)
        self._store = Store(events)
        self._tables = store.get("lookups", {})

    def run(self, language: str, query: str, times: Mapping[str, str]) -> Reply:
        """The positions of the events that a search finds, whatever columns of them it shows; or the rows of its table."""
        _only_spl(language)
        try:
            search = parse(query)
            found = rows(search, self._store, self._run(times))
        except RecursionError:
            raise QueryFault("unsupported", "the search is nested too deeply to be run here") from None
        if search.tabular:
            return {"rows": _replied(found)}
        return {"hits": sorted({row.position for row in found if row.position is not None})}

    def check(self, language: str, query: str, store: Mapping[str, Any]) -> None:
        """Parse and type a search. Raises `QueryFault`."""
        _only_spl(language)
        readings = readings_of(store)
        try:
            checked(parse(query), Run(Runtime(readings, Regexes(readings.pcre))))
        except RecursionError:
            raise QueryFault("unsupported", "the search is nested too deeply to be run here") from None

    def _run(self, times: Mapping[str, str]) -> Run:
        moments = {name: epoch(times[name]) for name in ("now", "earliest", "latest") if name in times}
        return Run(Runtime(self._readings, self._regexes, moments.get("now")), moments.get("earliest"), moments.get("latest"), self._tables)


def _only_spl(language: str) -> None:
    if language != "spl":
        raise QueryFault("unsupported", f"this engine runs spl, not {language}")


def _replied(found: Sequence[Row]) -> list[dict[str, Any]]:
    """Rows with the same columns each, null where a row has no value."""
    columns = dict.fromkeys(name for row in found for name in row.fields)
    return [{name: reply_value(row.fields.get(name)) for name in columns} for row in found]
