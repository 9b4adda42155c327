"""Requests as REST calls: events become documents of an index with the packager's mapping, a query one `query_string`.

The query is asked as Kibana's detection engine asks it: `analyze_wildcard` and nothing else set. With that, and with
`index.query.default_field` left at `*`, the node is lenient: a clause that it cannot build (letters for a number, a
wildcard on a number, a regular expression with too many states) matches nothing and no error is told. So each query is
asked a second time with leniency off; what is refused then comes back as a warning, and `check` refuses it.

Source: "Query string query" of the OpenSearch documentation; `QueryStringQueryBuilder` of Elasticsearch and OpenSearch, where
leniency is forced when the default field is `*`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from insigma_prove.workers.opensearch.node import Answer, Node, NodeFailed
from insigma_prove.workers.serve import QueryFault, Reply

LANGUAGE = "lucene"
DEFAULT_INDEX = "events"
CHECK_INDEX = "check"
NO_FIELD = "insigma-no-such-field"
_LINES = "application/x-ndjson"
_PARSE = "Failed to parse query ["


@dataclass(slots=True)
class OpenSearchAdapter:
    """One node. `indices` hold the events, `count` of them if all are stored; `checked` is the store that checks are made against."""

    node: Node
    indices: tuple[str, ...] = ()
    count: int | None = None
    checked: str | None = None

    def hello(self) -> Reply:
        """The engine's name and version."""
        notes = ["Fork of Elasticsearch 7.10 on Lucene 9.12, the Lucene of Elasticsearch 8.18."]
        return {"engine": "OpenSearch", "version": self.node.version, "languages": {LANGUAGE: "executed"}, "notes": notes}

    def open(self, store: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> None:
        """Store the events anew. Raises `QueryFault` (stage "run") where OpenSearch refuses the mapping or an event."""
        self.count = None
        self._delete(self.indices)
        self.indices = ()
        names = tuple(dict.fromkeys(str(event.get("_index", DEFAULT_INDEX)) for event in events)) or (DEFAULT_INDEX,)
        if CHECK_INDEX in names:
            raise ValueError(f"'{CHECK_INDEX}' is the name of an index that this adapter keeps for itself")
        for name in names:
            self._create(name, store, len(events))
            self.indices = (*self.indices, name)
        if events:
            self._index(events)
        self.count = len(events)

    def run(self, language: str, query: str, times: Mapping[str, str]) -> Reply:
        """The positions of the events that match, between `earliest` and `latest`, both included. Raises `QueryFault`."""
        _known(language)
        if self.count is None:
            raise ValueError("no events have been opened")
        asked, strict = self._ask(self.indices, query, times, self.count)
        if asked.status != 200:
            raise _fault(asked)
        _whole(asked)
        reply: Reply = {"hits": sorted(int(hit["_id"]) for hit in asked.body["hits"]["hits"])}
        if strict.status != 200:
            reply["warnings"] = [f"matches nothing where it should be an error: {_reason(strict)}"]
        return reply

    def check(self, language: str, query: str, store: Mapping[str, Any]) -> None:
        """Build the query against the mapping, with leniency off. Raises `QueryFault`."""
        _known(language)
        self._prepare_check(store)
        for answer in self._ask((CHECK_INDEX,), query, {}, 0):
            if answer.status != 200:
                raise _fault(answer)

    def _prepare_check(self, store: Mapping[str, Any]) -> None:
        wanted = json.dumps(store, sort_keys=True)
        if wanted == self.checked:
            return
        if self.checked is not None:
            self._delete((CHECK_INDEX,))
            self.checked = None
        self._create(CHECK_INDEX, store, 0)
        self.checked = wanted

    def _create(self, name: str, store: Mapping[str, Any], count: int) -> None:
        settings = dict(store.get("settings") or {})
        own = {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1", "max_result_window": max(count, 10_000)}
        settings["index"] = {**settings.get("index", {}), **own}
        body = {"settings": settings, "mappings": store.get("mappings") or {}}
        _done(self._rest("PUT", f"/{name}", json.dumps(body)))

    def _delete(self, names: Iterable[str]) -> None:
        for name in names:
            _done(self._rest("DELETE", f"/{name}"))

    def _index(self, events: Sequence[Mapping[str, Any]]) -> None:
        lines: list[str] = []
        for position, event in enumerate(events):
            lines.append(json.dumps({"index": {"_index": event.get("_index", DEFAULT_INDEX), "_id": str(position)}}))
            lines.append(json.dumps({key: value for key, value in event.items() if key != "_index"}))
        answer = self._rest("POST", "/_bulk?refresh=true", "\n".join(lines) + "\n", _LINES)
        _done(answer)
        refused = [item["index"] for item in answer.body["items"] if "error" in item["index"]]
        if refused:
            told = "; ".join(f"event {item['_id']}: {_chain(item['error'])}" for item in refused[:3])
            raise QueryFault("run", f"OpenSearch does not store {len(refused)} of {len(events)} events: {told}")

    def _ask(self, names: Sequence[str], query: str, times: Mapping[str, str], size: int) -> tuple[Answer, Answer]:
        """What the node answers as Kibana asks it, and with leniency off."""
        plain = {"query": query, "analyze_wildcard": True}
        lines: list[str] = []
        for wanted, words in ((size, plain), (0, {**plain, "lenient": False, "default_field": NO_FIELD})):
            lines.append(json.dumps({"index": list(names)}))
            lines.append(json.dumps({"size": wanted, "_source": False, "sort": ["_doc"], "query": _between(words, times)}))
        answer = self._rest("POST", "/_msearch", "\n".join(lines) + "\n", _LINES)
        _done(answer)
        first, second = answer.body["responses"]
        return Answer(first["status"], first), Answer(second["status"], second)

    def _rest(self, method: str, path: str, body: str | None = None, kind: str = "application/json") -> Answer:
        try:
            return self.node.ask(method, path, body, kind)
        except NodeFailed as failure:
            raise QueryFault("run", str(failure)) from failure


def _known(language: str) -> None:
    if language != LANGUAGE:
        raise QueryFault("unsupported", f"OpenSearch runs {LANGUAGE} here, not {language}")


def _between(words: Mapping[str, Any], times: Mapping[str, str]) -> dict[str, Any]:
    """The query, and the time range of the search where there is one."""
    bounds = {bound: times[name] for name, bound in (("earliest", "gte"), ("latest", "lte")) if name in times}
    query: dict[str, Any] = {"query_string": words}
    if not bounds:
        return query
    return {"bool": {"must": [query], "filter": [{"range": {"@timestamp": {**bounds, "format": "strict_date_optional_time"}}}]}}


def _done(answer: Answer) -> None:
    if answer.status != 200:
        raise QueryFault("run", _reason(answer))


def _whole(answer: Answer) -> None:
    """Results of some shards only are no results."""
    if answer.body.get("timed_out") or answer.body["_shards"]["failed"]:
        raise QueryFault("run", f"only some shards answered: {json.dumps(answer.body['_shards'])}")


def _fault(answer: Answer) -> QueryFault:
    """Where the text is no query string "parse", where it does not suit the mapping "type", else "run"."""
    causes = answer.body.get("error", {}).get("root_cause", [])
    if not any(cause.get("type") == "query_shard_exception" for cause in causes):
        return QueryFault("run", _reason(answer))
    syntax = any(str(cause.get("reason", "")).startswith(_PARSE) for cause in causes)
    return QueryFault("parse" if syntax else "type", _reason(answer))


def _reason(answer: Answer) -> str:
    error = answer.body.get("error", {})
    if not isinstance(error, dict):
        return str(error)
    shards = error.get("failed_shards") or []
    return _chain(shards[0]["reason"] if shards else error)


def _chain(error: Mapping[str, Any] | None) -> str:
    """What went wrong and what caused it, each told once."""
    told: list[str] = []
    while error:
        reason = str(error.get("reason") or error.get("type"))
        if not any(reason in earlier for earlier in told):
            told.append(reason)
        error = error.get("caused_by")
    return ": ".join(told)
