"""LOOKUP JOIN in the Elastic adapter, by the Elasticsearch 8.18 reference and the cases of its own tests (lookup-join.csv-spec)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from insigma_prove.engines import engine, missing
from insigma_prove.process import EngineDied, EngineProcess

KEYWORD = {"type": "keyword"}
FOLD = {"analysis": {"normalizer": {"fold": {"type": "custom", "filter": ["lowercase"]}}}}


def lookup(properties: dict[str, Any], *documents: dict[str, Any], mode: str = "lookup") -> dict[str, Any]:
    return {"mappings": {"properties": properties}, "settings": {"index": {"mode": mode, **FOLD}}, "documents": list(documents)}


STORE = {
    "mappings": {"properties": {"n": {"type": "long"}, "k": KEYWORD, "t": {"type": "text"}, "name": KEYWORD}},
    "settings": {},
    "lookups": {
        "languages": lookup(
            {"n": {"type": "long"}, "name": KEYWORD, "country": KEYWORD},
            {"n": 1, "name": "English", "country": "Canada"},
            {"n": 1, "country": "United Kingdom"},
            {"n": 2, "name": "German", "country": ["Austria", "Germany"]},
            {"n": [6, 7], "name": "Mv-Lang"},
            {"name": "Null-Lang"},
        ),
        "grades": lookup(
            {"k": {"type": "keyword", "normalizer": "fold"}, "g": {"properties": {"grade": {"type": "double", "ignore_malformed": True}}}},
            {"k": "ANNA", "g": {"grade": "1.5"}},
            {"k": "ben", "g.grade": "none"},
        ),
        "text": lookup({"t": {"type": "text"}}),
        "integers": lookup({"n": {"type": "integer"}}),
        "empty": lookup({"k": KEYWORD, "x": KEYWORD}),
    },
}
EVENTS: list[dict[str, Any]] = [
    {"_index": "a", "n": 1, "k": "anna", "name": "own"},
    {"_index": "a", "n": 2, "k": "Ben"},
    {"_index": "a", "n": 6, "k": "cleo", "name": "own"},
    {"_index": "a", "n": [1, 2], "k": ["anna", "ben"]},
    {"_index": "a"},
]


@pytest.fixture(scope="module")
def process() -> Iterator[EngineProcess]:
    spec = engine("elastic")
    if why := missing(spec):
        pytest.skip(f"the engines for Lucene, EQL and ES|QL are not here: {why} (make engines)")
    with EngineProcess(spec) as running:
        running.open(STORE, EVENTS)
        yield running


def rows(process: EngineProcess, query: str) -> Any:
    """The rows of the query, each as a list, or its error."""
    reply = process.run("esql", f"FROM a | {query}", {})
    return [list(row.values()) for row in reply["rows"]] if "rows" in reply else reply["error"]


def test_a_left_join_with_a_row_for_each_match(process: EngineProcess) -> None:
    assert rows(process, "LOOKUP JOIN languages ON n | KEEP k, name, country") == [
        ["anna", "English", "Canada"],
        ["anna", None, "United Kingdom"],
        ["Ben", "German", ["Austria", "Germany"]],
        ["cleo", None, None],
        [["anna", "ben"], None, None],
        [None, None, None],
    ]


def test_an_event_that_several_match_is_several_rows(process: EngineProcess) -> None:
    assert rows(process, "LOOKUP JOIN languages ON n | STATS c = COUNT(*)") == [[6]]
    reply = process.run("esql", "FROM a METADATA _id | LOOKUP JOIN languages ON n | LIMIT 100", {})
    assert reply["hits"] == [0, 1, 2, 3, 4]
    assert reply["warnings"] == ["LOOKUP JOIN encountered multi-value"]


def test_the_join_field_stays_and_others_are_overwritten(process: EngineProcess) -> None:
    """Columns of the lookup index move to the end, in its own order of names."""
    reply = process.run("esql", "FROM a | LOOKUP JOIN languages ON n | LIMIT 1", {})
    assert list(reply["rows"][0].items())[-3:] == [("t", None), ("name", "English"), ("country", "Canada")]
    assert reply["rows"][0]["n"] == 1


def test_a_term_goes_through_the_normalizer_of_the_lookup_index(process: EngineProcess) -> None:
    query = "LOOKUP JOIN grades ON k | KEEP k, g.grade"
    assert rows(process, query)[:3] == [["anna", 1.5], ["Ben", None], ["cleo", None]]
    warnings = process.run("esql", f"FROM a | {query}", {})["warnings"]
    assert "[k] has a normalizer that changes 'Ben': only a term query joins it" in warnings


def test_a_computed_key_and_several_joins(process: EngineProcess) -> None:
    query = 'EVAL k = CASE(n == 1, "ANNA") | LOOKUP JOIN grades ON k | EVAL n = n * 2 | LOOKUP JOIN languages ON n | DROP g.*, t, country'
    assert rows(process, query)[:3] == [["ANNA", 2, "German"], [None, 4, None], [None, 12, None]]


def test_an_index_without_documents_joins_nothing(process: EngineProcess) -> None:
    assert rows(process, "LOOKUP JOIN empty ON k | KEEP x") == [[None]] * 5


@pytest.mark.parametrize(
    ("query", "stage", "told"),
    [
        ("LOOKUP JOIN nothing ON n", "type", "Unknown index [nothing]"),
        ("LOOKUP JOIN languages ON k", "type", "k"),
        ("LOOKUP JOIN languages ON missing", "type", "missing"),
        ("LOOKUP JOIN integers ON n", "type", "of type [long] is incompatible"),
        ("LOOKUP JOIN text ON t", "type", "incompatible"),
        ("LOOKUP JOIN languages ON n, name", "parse", ""),
        ("LOOKUP JOIN languages", "parse", ""),
        ("DROP n | LOOKUP JOIN languages ON n", "type", "n"),
    ],
)
def test_joins_that_are_refused(process: EngineProcess, query: str, stage: str, told: str) -> None:
    error = rows(process, query)
    assert error["stage"] == stage
    assert told in error["message"]


def test_an_index_that_is_not_in_lookup_mode_is_an_error(process: EngineProcess) -> None:
    with pytest.raises(EngineDied, match="index languages is not in lookup mode"):
        process.open({**STORE, "lookups": {"languages": lookup({"n": KEYWORD}, mode="standard")}}, [])
    process.open(STORE, EVENTS)
