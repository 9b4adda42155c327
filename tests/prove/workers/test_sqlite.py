"""The SQLite adapter through its process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from insigma_prove.engines import engine
from insigma_prove.process import EngineDied, EngineProcess

FROM = "SELECT * FROM <TABLE_NAME> WHERE "
EVENTS: list[dict[str, Any]] = [
    {"user.name": "Ann", "n": 5, "ok": True, "timestamp": "2026-02-14T10:00:00Z"},
    {"user.name": "ANN", "n": "5", "ok": False, "timestamp": "2026-02-14T10:04:00Z"},
    {"user.name": "Ünn", "n": 5.5, "timestamp": "2026-02-14T10:20:00Z"},
    {"user.name": None, "timestamp": "2026-02-14T10:21:00Z"},
]


@pytest.fixture(scope="module")
def process() -> Iterator[EngineProcess]:
    with EngineProcess(engine("sqlite")) as started:
        yield started


@pytest.fixture
def database(process: EngineProcess) -> EngineProcess:
    process.open({"columns": {"absent": ""}}, EVENTS)
    return process


@pytest.mark.parametrize(
    ("condition", "positions"),
    [
        ("`user.name`='ann'", [0, 1]),
        ("`user.name` LIKE 'a%' ESCAPE '\\'", [0, 1]),
        ("`user.name`='ünn'", []),
        ("`user.name` GLOB 'An*'", [0]),
        ("`user.name` REGEXP 'n+$'", [0, 2]),
        ("n=5", [0]),
        ("n > 5", [1, 2]),
        ("(ok='true' OR ok=1)", [0]),
        ("`user.name` IS NULL", [3]),
        ("absent IS NULL", [0, 1, 2, 3]),
        ("NOT COALESCE(`user.name`='ann', 0)", [2, 3]),
        ("`user.name`='<TABLE_NAME>'", []),
    ],
)
def test_a_selecting_query_gives_the_positions_of_events(database: EngineProcess, condition: str, positions: list[int]) -> None:
    assert database.run("sqlite", FROM + condition, {}) == {"hits": positions}


def test_another_query_gives_rows(database: EngineProcess) -> None:
    reply = database.run("sqlite", "SELECT ok, COUNT(*) AS events FROM <TABLE_NAME> GROUP BY ok ORDER BY ok", {})
    assert reply == {"rows": [{"ok": None, "events": 2}, {"ok": "false", "events": 1}, {"ok": "true", "events": 1}]}


def stock(text: str) -> str:
    backend = pytest.importorskip("sigma.backends.sqlite").sqliteBackend()
    return str(backend.convert(pytest.importorskip("sigma.collection").SigmaCollection.from_yaml(text))[0])


RULE = """
title: Named
name: named
logsource: {category: test}
detection:
  s: {user.name|startswith: an}
  f: {n: '5'}
  condition: CONDITION
"""
BURST = """---
title: Burst
correlation: {type: event_count, rules: [named], group-by: [user.name], timespan: 5m, condition: {gte: 2}}
"""


def test_queries_of_the_stock_backend_run_as_they_are(database: EngineProcess) -> None:
    assert database.run("sqlite", stock(RULE.replace("CONDITION", "s and not f")), {}) == {"hits": [0]}
    assert database.run("sqlite", stock(RULE.replace("CONDITION", "not s")), {}) == {"hits": [2, 3]}


def test_a_correlation_of_the_stock_backend_gives_its_alerts(database: EngineProcess) -> None:
    reply = database.run("sqlite", stock(RULE.replace("CONDITION", "s") + BURST), {})
    assert [(row["group_keys"].lower(), row["metric_value"]) for row in reply["rows"]] == [('{"user.name":"ann"}', 2)]


@pytest.mark.parametrize(
    ("query", "stage"),
    [
        (FROM, "parse"),
        ("SELEC", "parse"),
        ("SELECT 1; SELECT 2", "parse"),
        (FROM + "nowhere=1", "type"),
        (FROM + "nowhere(1)", "type"),
        ("SELECT * FROM elsewhere", "type"),
        ("DELETE FROM <TABLE_NAME>", "run"),
        ("ATTACH '/nowhere/else.db' AS other", "run"),
        (FROM + "n REGEXP '('", "run"),
    ],
)
def test_a_query_that_sqlite_refuses_is_an_error(database: EngineProcess, query: str, stage: str) -> None:
    assert database.run("sqlite", query, {})["error"]["stage"] == stage
    assert database.run("sqlite", FROM + "n=5", {}) == {"hits": [0]}


def test_check_knows_only_the_columns_of_the_store(process: EngineProcess) -> None:
    store = {"columns": {"n": "INTEGER"}}
    assert process.check("sqlite", FROM + "n=5", store) == {"ok": True}
    assert process.check("sqlite", FROM + "m=5", store)["error"]["stage"] == "type"
    assert process.check("spl", FROM + "n=5", store)["error"]["stage"] == "unsupported"


def test_the_type_of_a_column_is_that_of_the_store(process: EngineProcess) -> None:
    process.open({"columns": {"n": "TEXT"}}, [{"n": 5}])
    assert process.run("sqlite", FROM + "n='5'", {}) == {"hits": [0]}


@pytest.mark.parametrize("event", [{"a": [1]}, {"a": {"b": 1}}, {"a": 2**70}, {"a": 1, "A": 2}])
def test_an_event_that_is_no_row_is_refused_and_nothing_is_judged(process: EngineProcess, event: dict[str, Any]) -> None:
    with pytest.raises(EngineDied, match="does not take the events"):
        process.open({}, [{"b": 1}, event])
    assert process.run("sqlite", "SELECT 1 AS one", {})["error"]["stage"] == "request"


def test_times_beside_the_query_are_not_supported(database: EngineProcess) -> None:
    assert database.run("sqlite", FROM + "n=5", {"earliest": "2026-02-14T10:00:00Z"})["error"]["stage"] == "unsupported"
