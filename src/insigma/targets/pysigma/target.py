"""Rules as a stock pySigma backend compiles them, each parsed afresh and converted by a backend object of its own.

Parsing and converting change pySigma's objects (converting one collection twice maps its fields twice), so nothing is
shared between rules. What a query means is the backend's affair: every detection is marked unverified.
"""

from __future__ import annotations

import copy
import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from insigma.bind.model import Refused
from insigma.content.durations import duration_ms
from insigma.targets.base import Detection, Schedule
from insigma.targets.pysigma.discovery import installed_backends
from insigma.targets.pysigma.isolation import closed, restored
from insigma.targets.pysigma.placeholders import Lists, filled

UNVERIFIED = "unverified: as the stock backend emits it"
INTERVAL_MS = 300_000


class PySigmaTarget:
    """Compiles source documents with one installed backend. `name` is "pysigma:<backend>"."""

    def __init__(self, backend: str, lists: Lists | None = None) -> None:
        """Raises `Refused` for a backend that is not installed. `lists` fill the placeholders of rules."""
        known = installed_backends()
        if backend not in known:
            raise Refused(f"no pySigma backend '{backend}' is installed; there are: {', '.join(known) or 'none'}")
        self.name = f"pysigma:{backend}"
        self._backend = backend
        self._module, _, self._class = known[backend].partition(":")
        self._lists = lists or {}

    def compile_documents(self, documents: Sequence[Mapping[str, Any]]) -> Detection:
        """The detection of one rule: its document or, for a correlation, those of its base rules with it.

        Raises `Refused` with the backend's own words for whatever it does not do.
        """
        if not documents:
            raise Refused("there is no document to compile")
        ordered = sorted((filled(document, self._lists) for document in documents), key=lambda document: "correlation" in document)
        query = self._converted(ordered)
        timespan = max(_timespan_ms(document) for document in ordered)
        return Detection(
            target=self.name,
            language=self._backend,
            query=query,
            schedule=Schedule(INTERVAL_MS, INTERVAL_MS + timespan),
            window="unverified",
            notes=(UNVERIFIED,),
        )

    def _converted(self, documents: list[dict[str, Any]]) -> str:
        # Foreign code: backends raise SigmaError, NotImplementedError, and in their untried corners anything else. Whatever it
        # is, it concerns this rule and this backend only, so it becomes a refusal and the other rules go on.
        with closed():
            try:
                queries = self._run(documents)
            except Exception as error:
                raise Refused(str(error).strip() or "the backend fails without a word") from error
        if len(queries) != 1:
            raise Refused(f"{self.name} gives {len(queries)} queries for the rule where one is needed")
        if not isinstance(queries[0], str) or not queries[0].strip():
            raise Refused(f"{self.name} gives no query text for the rule")
        return queries[0]

    def _run(self, documents: list[dict[str, Any]]) -> list[Any]:
        from sigma.collection import SigmaCollection  # importing pySigma costs 0.2 s, and not every run needs it

        backend_class = getattr(importlib.import_module(self._module), self._class)
        with restored(self._module):
            collection = SigmaCollection.from_dicts(copy.deepcopy(documents))
            return list(backend_class().convert(collection))


def _timespan_ms(document: Mapping[str, Any]) -> int:
    body = document.get("correlation")
    return duration_ms(body.get("timespan")) or 0 if isinstance(body, Mapping) else 0
