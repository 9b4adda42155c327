"""EQL queries as a whole: an event query or a sequence, and its pipes.

Source: "EQL pipe reference" of the Elasticsearch 8.18 reference: head and tail, in order of time; other pipes are refused there.
"""

from __future__ import annotations

from typing import Any

from eql import ast

from insigma_prove.workers.elastic.eql_events import EventQueries
from insigma_prove.workers.elastic.eql_parser import parse_eql
from insigma_prove.workers.elastic.eql_sequences import TIMESTAMP, sequences
from insigma_prove.workers.elastic.index import Store
from insigma_prove.workers.serve import QueryFault, Reply


def run_eql(store: Store, query: str, visible: frozenset[int]) -> Reply:
    """`{"hits": ...}` of an event query or `{"sequences": ...}`. Raises `QueryFault`."""
    tree = parse_eql(query, store.fields)
    match tree.first:
        case ast.EventQuery():
            hits = store.search(EventQueries(store.jvm, store.fields).event_query(tree.first))
            timed = sorted((hit for hit in hits if hit in visible), key=lambda hit: _time(store, hit))
            return {"hits": sorted(_piped(timed, tree.pipes))}
        case ast.Sequence():
            return {"sequences": _piped(sequences(store, tree.first, visible), tree.pipes)}
        case other:
            raise QueryFault("unsupported", f"{type(other).__name__.lower()} is not modelled")


def _time(store: Store, position: int) -> tuple[int, int]:
    moments = [moment for moment in store.rows[position].get(TIMESTAMP, ()) if isinstance(moment, int)]
    return (moments[0] if moments else -(2**63), position)


def _piped(found: list[Any], pipes: Any) -> list[Any]:
    for pipe in pipes or ():
        count = pipe.arguments[0].value if pipe.arguments else 1
        match pipe:
            case ast.PipeCommand(name="head"):
                found = found[:count]
            case ast.PipeCommand(name="tail"):
                found = found[-count:] if count else []
            case _:
                raise QueryFault("parse", f"Pipe [{pipe.name}] is not supported")
    return found
