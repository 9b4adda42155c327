"""The worker's adapter: one store, three languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from insigma_prove.workers.elastic.esql_joins import LookupIndex
from insigma_prove.workers.elastic.index import Store
from insigma_prove.workers.elastic.jvm import Jvm
from insigma_prove.workers.elastic.mapping import Fields, declared_fields
from insigma_prove.workers.elastic.query_string import LENIENT, query_string
from insigma_prove.workers.elastic.values import Malformed, milliseconds
from insigma_prove.workers.serve import QueryFault, Reply

NOTES = (
    "what Elasticsearch does between a query and Lucene is modelled on its reference and sources, floor 8.18",
    "query_string is lenient, as it is without a default field: what a field's type does not take matches nothing, with a warning",
    "EQL: default result size and paging are left out; sequences come in order of their last event",
    "ES|QL: computed, not pushed down to Lucene; COUNT_DISTINCT is exact up to 3,000; dates are milliseconds",
    "ES|QL: LOOKUP JOIN on one field, with the lookup indices of the store",
)


class ElasticAdapter:
    """Lucene's query_string, EQL and ES|QL on one store."""

    def __init__(self) -> None:
        self._jvm = Jvm()
        self._store = Store(self._jvm, Fields({}, "true"), ())
        self._declared: tuple[Mapping[str, Any], Fields] = ({}, Fields({}, "true"))
        self._lookups: tuple[Mapping[str, Any], Mapping[str, LookupIndex]] = ({}, {})

    def hello(self) -> Reply:
        """The engines, their versions, and what is left out."""
        lucene = self._jvm.version()
        return {
            "engine": "Apache Lucene",
            "version": lucene,
            "languages": {"lucene": "executed", "eql": "executed", "esql": "executed"},
            "versions": {
                "lucene": f"Apache Lucene {lucene}",
                "eql": f"eql {version('eql')} on Apache Lucene {lucene}",
                "esql": f"detection-rules-esql-py {version('detection-rules-esql-py')}, interpreted, automata of Apache Lucene {lucene}",
            },
            "notes": list(NOTES),
        }

    def open(self, store: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> None:
        """Replace the documents. Raises ValueError for a mapping that is not modelled, or a document that it rejects."""
        self._store = Store(self._jvm, self._fields(store), events)
        self._open_lookups(store)

    def run(self, language: str, query: str, times: Mapping[str, str]) -> Reply:
        """Run the query on the events of the requested indices and time range. Raises `QueryFault`."""
        earliest, latest = _moment(times.get("earliest")), _moment(times.get("latest"))
        visible = self._store.visible(times.get("index"), earliest, latest)
        try:
            match language:
                case "lucene":
                    return self._lucene(query, visible)
                case "eql":
                    return self._eql(query, visible)
                case "esql":
                    return self._esql(query, visible)
        except self._jvm.error as error:
            raise QueryFault("run", str(error)) from error
        except RecursionError as error:
            raise QueryFault("unsupported", "the query is nested too deep") from error
        except (AttributeError, LookupError, ArithmeticError, AssertionError) as error:  # the parsers' own failures on odd queries
            raise QueryFault("unsupported", f"the query cannot be read: {type(error).__name__}: {error}") from error
        raise ValueError(f"unknown language {language!r}")

    def check(self, language: str, query: str, store: Mapping[str, Any]) -> None:
        """Parse and type the query on the store's declared fields, where a lenient clause is an error too. Raises `QueryFault`."""
        kept = self._store, self._lookups
        self._store = Store(self._jvm, self._fields(store), ())
        self._open_lookups(store)
        try:
            found = self.run(language, query, {})
        finally:
            self._store, self._lookups = kept
        if lenient := [warning for warning in found.get("warnings", ()) if warning.startswith(LENIENT)]:
            raise QueryFault("type", lenient[0])

    def _fields(self, store: Mapping[str, Any]) -> Fields:
        """The declared fields; those of the last store are kept, as most requests repeat it."""
        if store != self._declared[0]:
            self._declared = (store, declared_fields(store, self._jvm.lower_code_point))
        return self._declared[1]

    def _open_lookups(self, store: Mapping[str, Any]) -> None:
        """The lookup indices of the store, which most requests repeat."""
        bodies = store.get("lookups") or {}
        if bodies != self._lookups[0]:
            self._lookups = bodies, {name: LookupIndex(self._jvm, name, body) for name, body in bodies.items()}

    def _lucene(self, query: str, visible: frozenset[int]) -> Reply:
        warnings: list[str] = []
        hits = self._store.search(query_string(self._jvm, self._store.fields, query, warnings))
        return _reply({"hits": [hit for hit in hits if hit in visible]}, warnings)

    def _eql(self, query: str, visible: frozenset[int]) -> Reply:
        from insigma_prove.workers.elastic.eql_queries import run_eql

        return run_eql(self._store, query, visible)

    def _esql(self, query: str, visible: frozenset[int]) -> Reply:
        from insigma_prove.workers.elastic.esql_commands import Pipeline

        pipeline = Pipeline(self._jvm, self._store.fields, query, self._lookups[1])
        rows = pipeline.run(self._store, visible)
        if pipeline.keeps_events and "_id" in pipeline.columns:
            return _reply({"hits": pipeline.positions(rows)}, pipeline.warnings)
        return _reply({"rows": pipeline.reported(rows)}, pipeline.warnings)


def _reply(result: Reply, warnings: Sequence[str]) -> Reply:
    return {**result, "warnings": list(dict.fromkeys(warnings))} if warnings else result


def _moment(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return milliseconds(text)
    except Malformed as error:
        raise ValueError(str(error)) from error
