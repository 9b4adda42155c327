"""The OpenSearch adapter through its process: what a real node stores, finds and refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from insigma.content.model import TargetField
from insigma.packages.elastic.template import LONGEST, index_template
from insigma_prove.engines import engine, missing
from insigma_prove.process import EngineDied, EngineProcess
from tests.targets.elastic_harness import pack

pytestmark = pytest.mark.slow

CASES = yaml.safe_load((Path(__file__).parent / "opensearch.yml").read_text(encoding="utf-8"))
TIME = TargetField("@timestamp", "date", "any")
TYPES = {
    "keyword": TargetField("f", "keyword", "lower", "f.cased"),
    **{name: TargetField("f", name, "any") for name in ("long", "double", "float", "ip")},
}


@pytest.fixture(scope="module")
def node() -> Iterator[EngineProcess]:
    """One node for all tests."""
    spec = engine("opensearch")
    if why := missing(spec):
        pytest.skip(f"OpenSearch judges nothing here: {why} (insigma prove --install --all)")
    with EngineProcess(spec) as process:
        yield process


def store_of(stored: str, **query: Any) -> dict[str, Any]:
    """The packager's template for a field `f` of the type, and settings of `index.query`."""
    mapping = replace(pack()[0], fields={"f": TYPES[stored], "@timestamp": TIME})
    template = index_template(mapping)["template"]
    return {"mappings": template["mappings"], "settings": {"index": {**template["settings"]["index"], "query": query}}}


def hits(node: EngineProcess, query: str, **times: str) -> Any:
    """The positions that match, or what came instead of them."""
    reply = node.run("lucene", query, times)
    return reply["hits"] if reply.keys() == {"hits"} else reply


def test_hello_names_the_engine_and_what_it_does(node: EngineProcess) -> None:
    said = node.hello()
    assert (said["engine"], said["languages"]) == ("OpenSearch", {"lucene": "executed"})
    assert said["version"].split(".")[0] == "2"


@pytest.mark.parametrize("case", CASES, ids=[case["about"] for case in CASES])
def test_values_are_found_as_the_data_say(node: EngineProcess, case: dict[str, Any]) -> None:
    store, values = store_of(case["type"]), case["values"]
    node.open(store, [{"f": value} for value in values])
    found = {query: hits(node, query) for query in case["queries"]}
    assert found == case["queries"]
    assert hits(node, "NOT _exists_:f") == case.get("lost", [])
    assert hits(node, "*:*") == list(range(len(values)))


SILENT = [(case["type"], query) for case in CASES for query in case.get("silent", ())]


@pytest.mark.parametrize(("stored", "query"), SILENT)
def test_a_clause_that_is_no_query_is_silent_and_told_as_a_warning(node: EngineProcess, stored: str, query: str) -> None:
    node.open(store_of(stored), [{"f": 1}])
    reply = node.run("lucene", query, {})
    assert reply["hits"] == []
    assert len(reply["warnings"]) == 1
    assert node.check("lucene", query, store_of(stored))["error"]["stage"] == "type"


@pytest.mark.parametrize(("stored", "query"), SILENT)
def test_it_is_an_error_where_the_index_names_its_default_field(node: EngineProcess, stored: str, query: str) -> None:
    node.open(store_of(stored, default_field=["f"]), [{"f": 1}])
    assert node.run("lucene", query, {})["error"]["stage"] == "type"


def test_a_value_beyond_ignore_above_is_stored_and_absent(node: EngineProcess) -> None:
    # counted in UTF-16 units: a letter beyond the first plane is two
    node.open(store_of("keyword"), [{"f": "x" * LONGEST}, {"f": "x" * (LONGEST + 1)}, {"f": "\U00010400" * (LONGEST // 2 + 1)}])
    assert hits(node, "_exists_:f") == [0]
    assert hits(node, "NOT f:y") == [0, 1, 2]


@pytest.mark.parametrize("query", ["f:(", 'f:"', "f:[1 TO", "AND", "f:-1"])
def test_what_is_no_query_string_is_refused_when_parsed(node: EngineProcess, query: str) -> None:
    node.open(store_of("keyword"), [{"f": "a"}])
    assert node.run("lucene", query, {})["error"]["stage"] == "parse"
    assert node.check("lucene", query, store_of("keyword"))["error"]["stage"] == "parse"


def test_a_regular_expression_beyond_the_limit_is_an_error(node: EngineProcess) -> None:
    node.open(store_of("keyword"), [{"f": "a"}])
    assert node.run("lucene", f"f:/{'a' * 1001}/", {})["error"]["stage"] == "type"


def test_events_are_told_apart_over_indices_and_shapes(node: EngineProcess) -> None:
    events = [{"_index": "logs-b", "f": "a"}, {"_index": "logs-a", "f": "a"}, {"f": ["b", "a"]}]
    node.open(store_of("keyword"), events)
    assert hits(node, "f:a") == [0, 1, 2]
    assert hits(node, "f:a AND NOT f:b") == [0, 1]
    node.open(store_of("keyword"), events[:1])
    assert hits(node, "*:*") == [0]


def test_the_search_is_bounded_by_the_times_given(node: EngineProcess) -> None:
    node.open(store_of("keyword"), [{"@timestamp": f"2026-02-14T10:00:0{second}.000Z", "f": "a"} for second in range(4)])
    assert hits(node, "f:a", earliest="2026-02-14T10:00:01Z", latest="2026-02-14T10:00:02.000Z") == [1, 2]
    assert hits(node, "f:a", earliest="2026-02-14T10:00:03Z") == [3]


def test_an_event_that_is_not_stored_is_told_and_nothing_is_judged_on_the_rest(node: EngineProcess) -> None:
    with pytest.raises(EngineDied, match="event 1: failed to parse field"):
        node.open(store_of("long"), [{"f": 1}, {"f": {"a": 1}}])
    assert node.run("lucene", "*:*", {})["error"]["stage"] == "request"
    node.open(store_of("long"), [])
    assert hits(node, "*:*") == []


def test_another_language_is_not_supported(node: EngineProcess) -> None:
    assert node.run("eql", "any where true", {})["error"]["stage"] == "unsupported"
