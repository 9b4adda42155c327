"""The Elastic adapter through its process: what its languages say, by the Elasticsearch 8.18 reference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from insigma.content.model import TargetField
from insigma.packages.elastic.template import index_template
from insigma_prove.engines import engine, missing
from insigma_prove.process import EngineDied, EngineProcess
from tests.targets.elastic_harness import pack

NODE = yaml.safe_load((Path(__file__).parent / "opensearch.yml").read_text(encoding="utf-8"))
"""What a real OpenSearch node answers; Elasticsearch's query_string has the same roots."""

KEYWORD = {"type": "keyword"}
STORE = {
    "mappings": {
        "properties": {
            "@timestamp": {"type": "date"},
            "event": {"properties": {"category": KEYWORD}},
            "user": {
                "properties": {
                    "name": {"type": "keyword", "normalizer": "fold", "ignore_above": 20, "fields": {"cased": {"type": "keyword"}}},
                    "roles": {"type": "keyword", "normalizer": "fold"},
                }
            },
            "raw": KEYWORD,
            "n": {"type": "long", "ignore_malformed": True},
            "d": {"type": "double"},
            "f": {"type": "float"},
            "ip": {"type": "ip", "ignore_malformed": True},
            "ok": {"type": "boolean"},
            "text": {"type": "text"},
        }
    },
    "settings": {
        "index": {
            "analysis": {
                "char_filter": {"sharp": {"type": "mapping", "mappings": ["ẞ => ß", "ſ => s"]}},
                "normalizer": {"fold": {"type": "custom", "char_filter": ["sharp"], "filter": ["lowercase"]}},
            }
        }
    },
}
EVENTS: list[dict[str, Any]] = [
    {"_index": "logs-a", "@timestamp": "2026-02-14T10:00:00Z", "user.name": "Anna", "n": 1, "ip": "10.0.0.1", "raw": "C:\\Temp"},
    {
        "_index": "logs-a",
        "@timestamp": "2026-02-14T10:01:00Z",
        "user": {"name": "ANNA", "roles": ["Admin", "ops"]},
        "n": [1, 9],
        "ok": True,
    },
    {
        "_index": "logs-b",
        "@timestamp": "2026-02-14T10:02:00Z",
        "user.name": "Straẞe",
        "d": 0.1,
        "f": 0.7,
        "raw": "a*b",
        "ip": "2001:db8::1",
    },
    {"_index": "logs-b", "@timestamp": "2026-02-14T10:03:00Z", "user.name": None, "n": "many", "raw": "", "text": "The quick brown Fox"},
    {
        "_index": "other",
        "@timestamp": "2026-02-14T10:04:00Z",
        "user.name": "x" * 21,
        "n": -5,
        "ip": "nowhere",
        "raw": 'say "hi" <b> \t$',
        "ok": False,
    },
]


@pytest.fixture(scope="module")
def process() -> Iterator[EngineProcess]:
    spec = engine("elastic")
    if why := missing(spec):
        pytest.skip(f"the engines for Lucene, EQL and ES|QL are not here: {why} (make engines)")
    with EngineProcess(spec) as running:
        yield running


@pytest.fixture
def elastic(process: EngineProcess) -> EngineProcess:
    process.open(STORE, EVENTS)
    return process


def found(elastic: EngineProcess, language: str, query: str, **times: str) -> Any:
    """The positions, rows or sequences that the query gives, or the stage at which it is refused."""
    reply = elastic.run(language, query, times)
    if "error" in reply:
        return reply["error"]["stage"]
    return reply.get("hits", reply.get("sequences", reply.get("rows")))


def test_hello_names_the_versions_that_run(process: EngineProcess) -> None:
    said = process.hello()
    assert (said["engine"], said["version"]) == ("Apache Lucene", "10.5.1")
    assert said["languages"] == {"lucene": "executed", "eql": "executed", "esql": "executed"}
    assert "eql 1.0.1" in said["versions"]["eql"]
    assert "detection-rules-esql-py 0.1.0" in said["versions"]["esql"]


@pytest.mark.parametrize("case", NODE, ids=[case["about"] for case in NODE])
def test_lucene_finds_what_a_real_node_finds(process: EngineProcess, case: dict[str, Any]) -> None:
    kind = case["type"]
    field = TargetField("f", "keyword", "lower", "f.cased") if kind == "keyword" else TargetField("f", kind, "any")
    template = index_template(replace(pack()[0], fields={"f": field}))["template"]
    process.open(template, [{"f": value} for value in case["values"]])
    wanted = {**case["queries"], **{query: [] for query in case.get("silent", ())}, "NOT _exists_:f": case.get("lost", [])}
    assert {query: found(process, "lucene", query) for query in wanted} == wanted


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ('user.name:"anna"', [0, 1]),
        ("user.name:ANN?", [0, 1]),
        ('user.name.cased:"anna"', []),
        ("user.name:STRAßE", [2]),
        ("NOT user.name:anna", [2, 3, 4]),
        ("raw:C\\:\\\\*", [0]),
        ('raw:""', [3]),
        ('raw:"say \\"hi\\" <b> \\u0009$"', [4]),
        ("raw:/a\\*b/", [2]),
        ("n:>=1 AND n:<2", [0, 1]),
        ("n:\\>0", [0, 1]),
        ("n:[* TO 0]", [4]),
        ("n:many", []),
        ("_exists_:n", [0, 1, 4]),
        ("_exists_:user", [0, 1, 2, 4]),
        ("user.name:*", [0, 1, 2]),
        ("f:0.7", [2]),
        ("d:0.1", [2]),
        ('ip:"10.0.0.0/8"', [0]),
        ('ip:"::/0"', [0, 2]),
        ("ok:true", [1]),
        ("user.roles:(admin AND ops)", [1]),
        ("text:fox", [3]),
        ('text:"quick brown"', [3]),
        ('text:"brown quick"', []),
        ("anna", [0, 1]),
        ("*:*", [0, 1, 2, 3, 4]),
        ("nowhere.mapped:x OR ok:false", [4]),
        ("", []),
        ("n:(", "parse"),
        (f"raw:/{'a' * 1001}/", "run"),
    ],
)
def test_query_string(elastic: EngineProcess, query: str, hits: object) -> None:
    assert found(elastic, "lucene", query) == hits


@pytest.mark.parametrize(
    ("condition", "hits"),
    [
        ('user.name == "ANNA"', [0, 1]),
        ('user.name.cased == "ANNA"', [1]),
        ('user.name.cased : "anna"', [0, 1]),
        ('user.name.cased : ("AN*", "x")', [0, 1]),
        ('user.name.cased : "STRASSE"', []),
        ('user.name like "a??a"', [0, 1]),
        ('user.name.cased like "a*"', []),
        ('user.name.cased like~ "a*"', [0, 1]),
        ('user.name regex "an+a"', [0, 1]),
        ('user.name regex "an"', []),
        ('user.name.cased regex~ ("an.*", "q")', [0, 1]),
        ('user.name.cased in ("Anna", "Bob")', [0]),
        ('user.name.cased in~ ("anna", "bob")', [0, 1]),
        ('user.name.cased not in ("Anna")', [1, 2, 3, 4]),
        ('user.name != "anna"', [2, 3, 4]),
        ('not user.name == "anna"', [2, 3, 4]),
        ("not (n <= 1)", [2, 3]),
        ("n > 1", [1]),
        ("-5 == n", [4]),
        ("n == null", [2, 3]),
        ("n != null and ok == null", [0]),
        ('raw == "a*b"', [2]),
        ('raw like "a?b"', [2]),
        ('raw == """C:\\Temp"""', [0]),
        ('raw == "say \\"hi\\" <b> \\u{09}$"', [4]),
        ('raw : "}\\u{7f}}"', []),
        ('stringContains(raw, "*")', [0, 2, 3, 4]),
        ('startsWith~(raw, "c:")', [0]),
        ('endsWith(raw, "b")', [2]),
        ('cidrMatch(ip, "10.0.0.0/8", "2001:db8::/32")', [0, 2]),
        ('wildcard(user.name, "ann*")', [0, 1]),
        ('@timestamp >= "2026-02-14T10:03:00Z"', [3, 4]),
        ('?nope == "x" or ok == true', [1]),
        ('not ?nope == "x"', []),
        ("?nope == null", [0, 1, 2, 3, 4]),
        ("false", []),
        ("nope == 1", "type"),
        ('n == "x"', "type"),
        ('ip : "10.*"', "type"),
        ("user.name == raw", "type"),
        ('ip == "nowhere"', "run"),
        ('text == "x"', "type"),
        ("user.name = 1", "parse"),
        ('raw == "\\x"', "parse"),
        ("length(raw) > 1", "unsupported"),
    ],
)
def test_eql_conditions(elastic: EngineProcess, condition: str, hits: object) -> None:
    assert found(elastic, "eql", f"any where {condition}") == hits


def test_an_eql_category_is_a_condition_on_event_category(process: EngineProcess) -> None:
    process.open(STORE, [{"event.category": "process"}, {"event.category": ["file", "process"]}, {}])
    assert found(process, "eql", "process where true") == [0, 1]
    assert found(process, "eql", "any where true | tail 1") == [2]


@pytest.mark.parametrize(
    ("condition", "hits"),
    [
        ('user.name == "anna"', [0, 1]),
        ("n == 1", [0]),
        ("n != 1", [4]),
        ("NOT n == 1", [4]),
        ("NOT COALESCE(n == 1, false)", [1, 2, 3, 4]),
        ("MV_COUNT(n) == 2", [1]),
        ('MV_COUNT(MV_DEDUPE(MV_APPEND(user.roles, "ops"))) == MV_COUNT(MV_DEDUPE(user.roles))', [1]),
        ("n IS NULL", [2, 3]),
        ("n IN (1, -5)", [0, 4]),
        ("n NOT IN (1, null)", []),
        ("n IN (1, null) OR ok", [0, 1]),
        ('raw LIKE "a\\\\*b"', [2]),
        ('raw LIKE """C:\\\\*"""', [0]),
        ('raw RLIKE """[aC].+"""', [0, 2]),
        ('raw == "say \\"hi\\" <b> \\t$"', [4]),
        ('raw == ""', [3]),
        ('TO_LOWER(user.name.cased) == "anna"', [0, 1]),
        ('TO_LOWER(user.name.cased) == "Anna"', []),
        ('TO_LOWER(user.name.cased) IN ("straße", "anna")', [0, 1, 2]),
        ('STARTS_WITH(raw, "C:") OR ENDS_WITH(raw, "$")', [0, 4]),
        ('ip == "10.0.0.1"', [0]),
        ('CIDR_MATCH(ip, "10.0.0.0/8", "2001:db8::/32")', [0, 2]),
        ('CIDR_MATCH(TO_IP(raw), "::/0")', []),
        ('@timestamp < "2026-02-14T10:01:00Z"', [0]),
        ('DATE_EXTRACT("minute_of_hour", @timestamp) == 3', [3]),
        ('DATE_TRUNC(2 minutes, @timestamp) == "2026-02-14T10:02:00Z"', [2, 3]),
        ("d == 0.1 AND f > 0.69 AND f < 0.7", [2]),
        ('CASE(ok, "yes", n > 0, "some", "no") == "some"', [0]),
        ('CONCAT(raw, "!") == "!"', [3]),
        ('LOCATE(raw, "*") > 1', [2]),
        ("nope == 1", "type"),
        ('n == "1"', "type"),
        ('ip == "nowhere"', "type"),
        ('TO_LOWER(n) == "1"', "type"),
        ("n ==", "parse"),
        ("NO_SUCH(n) == 1", "type"),
        ('raw == "a\nb"', "parse"),
        ('MATCH(raw, "x")', "unsupported"),
    ],
)
def test_esql_conditions(elastic: EngineProcess, condition: str, hits: object) -> None:
    assert found(elastic, "esql", f"FROM logs-*,other METADATA _id, _index\n| WHERE {condition}") == hits


@pytest.mark.parametrize(
    ("pipeline", "rows"),
    [
        ("STATS n = COUNT(*), v = COUNT(n), s = SUM(n), m = MAX(n), a = AVG(n)", [{"n": 5, "v": 4, "s": 6, "m": 9, "a": 1.5}]),
        ("WHERE n > 99 | STATS c = COUNT(*), s = SUM(n)", [{"c": 0, "s": None}]),
        ("WHERE n > 99 | STATS c = COUNT(*) BY n", []),
        (
            "STATS c = COUNT(*) BY user.roles | SORT c DESC, user.roles",
            [
                {"c": 4, "user.roles": None},
                {"c": 1, "user.roles": "admin"},
                {"c": 1, "user.roles": "ops"},
            ],
        ),
        ("MV_EXPAND n | WHERE n > 0 | STATS c = COUNT_DISTINCT(user.name) BY n | SORT n", [{"c": 1, "n": 1}, {"c": 1, "n": 9}]),
        (
            'WHERE user.name == "anna" | STATS r = VALUES(raw), t = MIN(@timestamp) BY k = user.name',
            [
                {"r": "C:\\Temp", "t": 1771063200000, "k": "anna"},
            ],
        ),
        (
            "SORT n DESC NULLS LAST | LIMIT 2 | EVAL i = TO_STRING(ip) | KEEP i, n | RENAME n AS number",
            [
                {"i": None, "number": [1, 9]},
                {"i": "10.0.0.1", "number": 1},
            ],
        ),
        (
            "LIMIT 1 | EVAL a = 7 / 2, b = -7 / 2, c = 7 / 2.0, d = 7 % 0, e = 2147483647 + 1 | KEEP a, b, c, d, e",
            [
                {"a": 3, "b": -3, "c": 3.5, "d": None, "e": None},
            ],
        ),
        (
            "LIMIT 1 | EVAL a = 9223372036854775807 + 1, b = ROUND(2.5), c = ROUND(-1.005, 2), d = [1, 2] | KEEP a, b, c, d",
            [
                {"a": None, "b": 3.0, "c": -1.0, "d": [1, 2]},
            ],
        ),
        ("LIMIT 1 | EVAL h = [0, 1] | MV_EXPAND h | EVAL w = TO_LONG(@timestamp) / 60000 - h | KEEP w", [{"w": 29517720}, {"w": 29517719}]),
        (
            "LIMIT 1 | EVAL t = DATE_TRUNC(1 week, @timestamp) + 3 days | EVAL t = TO_STRING(t) | KEEP t",
            [{"t": "2026-02-12T00:00:00.000Z"}],
        ),
        ("STATS s = SUM(d + 0.2)", [{"s": 0.30000000000000004}]),
        ("DROP user*, @*, event*, raw, n, d, f, ip, text | LIMIT 2", [{"ok": None}, {"ok": True}]),
        ("EVAL big = 9223372036854775807 | STATS s = SUM(big)", "run"),
        ("STATS p = PERCENTILE(n, 50)", "unsupported"),
        ("STATS c = COUNT(*) BY nope", "type"),
    ],
)
def test_esql_pipelines(elastic: EngineProcess, pipeline: str, rows: object) -> None:
    assert found(elastic, "esql", f"FROM logs-*,other | {pipeline}") == rows


def at(second: int, action: str, user: str = "ann", **more: Any) -> dict[str, Any]:
    return {"@timestamp": f"2026-02-14T10:00:{second:02d}Z", "raw": action, "user.name": user, **more}


@pytest.mark.parametrize(
    ("query", "events", "sequences"),
    [
        ('[any where raw == "a"] [any where raw == "b"]', [at(1, "b"), at(2, "a"), at(3, "b"), at(4, "b")], [[1, 2]]),
        # a later start displaces an earlier one, which is lost for good
        ('[any where raw == "a"] [any where raw == "b"]', [at(1, "a"), at(2, "a"), at(3, "b"), at(4, "b")], [[1, 2]]),
        # at one time the order of the index decides
        ('[any where raw == "a"] [any where raw == "b"]', [at(1, "a"), at(1, "b")], [[0, 1]]),
        ('[any where raw == "a"] [any where raw == "b"]', [at(1, "b"), at(1, "a")], []),
        # maxspan is closed; a sequence too long is used up
        ('with maxspan=2s [any where raw == "a"] [any where raw == "b"]', [at(1, "a"), at(3, "b")], [[0, 1]]),
        ('with maxspan=2s [any where raw == "a"] [any where raw == "b"]', [at(1, "a"), at(4, "b"), at(5, "a"), at(6, "b")], [[2, 3]]),
        # keys are the folded values; an event without its key takes no part, unless the key is optional
        (
            'by user.name [any where raw == "a"] [any where raw == "b"]',
            [at(1, "a"), at(2, "b", "ANN"), at(3, "a", "x"), at(4, "b")],
            [[0, 1]],
        ),
        ('by n [any where raw == "a"] [any where raw == "b"]', [at(1, "a"), at(2, "b")], []),
        ('by ?n [any where raw == "a"] [any where raw == "b"]', [at(1, "a"), at(2, "b")], [[0, 1]]),
        ("by user.name [any where true] with runs=3", [at(second, "a") for second in range(5)], [[0, 1, 2], [1, 2, 3], [2, 3, 4]]),
        ('[any where raw == "a"] by n [any where raw == "b"] by d', [at(1, "a", n=5), at(2, "b", d=5.0)], []),
        ('[any where raw == "a"] [any where true] until [any where raw == "c"]', [at(1, "a"), at(2, "c"), at(3, "b")], [[0, 1]]),
        ('[any where raw == "a"] [any where raw == "b"] until [any where raw == "c"]', [at(1, "a"), at(2, "c"), at(3, "b")], []),
        ("by user.roles [any where true] [any where true]", [{**at(1, "a"), "user.roles": ["p", "q"]}, at(2, "b")], "run"),
        ("by nope [any where true] [any where true]", [at(1, "a")], "type"),
        ("[any where true]", [at(1, "a")], "parse"),
        ("with maxspan=1m [any where true] ![any where false] [any where true]", [at(1, "a")], "unsupported"),
    ],
)
def test_eql_sequences(process: EngineProcess, query: str, events: list[dict[str, Any]], sequences: object) -> None:
    process.open(STORE, events)
    assert found(process, "eql", f"sequence {query}") == sequences


def test_the_search_is_bounded_by_indices_and_times(elastic: EngineProcess) -> None:
    assert found(elastic, "lucene", "*:*", index="logs-*,-logs-b") == [0, 1]
    assert found(elastic, "eql", "any where true", index="logs-b, other") == [2, 3, 4]
    assert found(elastic, "esql", "FROM logs-b METADATA _id") == [2, 3]
    bounds = {"earliest": "2026-02-14T10:01:00Z", "latest": "2026-02-14T10:03:00Z"}
    for language, query in (("lucene", "*:*"), ("eql", "any where true"), ("esql", "FROM * METADATA _id")):
        assert found(elastic, language, query, **bounds) == [1, 2, 3]


def test_what_elasticsearch_passes_over_in_silence_is_a_warning(elastic: EngineProcess) -> None:
    assert "no mapping" in elastic.run("lucene", "nope:1", {})["warnings"][0]
    assert "lenient" in elastic.run("lucene", "n:many", {})["warnings"][0]
    assert "normalizer" in elastic.run("esql", 'FROM * METADATA _id | WHERE user.name == "Anna"', {})["warnings"][0]
    assert "float" in elastic.run("esql", "FROM * METADATA _id | WHERE f == 0.7", {})["warnings"][0]
    assert elastic.run("esql", "FROM * METADATA _id | WHERE f == 0.5", {}).keys() == {"hits"}


def test_check_parses_and_types_and_leaves_the_events(elastic: EngineProcess) -> None:
    for language, query in (("lucene", "n:>1"), ("eql", "any where n > 1"), ("esql", "FROM x | WHERE n > 1")):
        assert elastic.check(language, query, STORE) == {"ok": True}
    for language, query in (("lucene", "n:many"), ("eql", "any where nope > 1"), ("esql", "FROM x | WHERE nope > 1")):
        assert elastic.check(language, query, STORE)["error"]["stage"] == "type"
    assert found(elastic, "lucene", "ok:true") == [1]


def test_fields_that_no_mapping_declares(process: EngineProcess) -> None:
    events: list[dict[str, Any]] = [{"new": "Some Words", "count": 3}, {"new": "other"}]
    process.open({"mappings": {}, "settings": {}}, events)
    assert found(process, "lucene", "new:words AND count:3") == [0]
    assert found(process, "eql", 'any where new == "Some Words"') == [0]
    process.open({"mappings": {"dynamic": False}, "settings": {}}, events)
    assert found(process, "lucene", "_exists_:new") == []
    process.open({"mappings": {}, "settings": {}, "dynamic_keyword": True}, events)
    assert found(process, "lucene", "new:words") == []
    assert found(process, "lucene", 'new:"Some Words"') == [0]
    assert found(process, "eql", 'any where not never_seen == "x"') == [0, 1]
    assert found(process, "esql", "FROM * METADATA _id | WHERE never_seen IS NULL") == [0, 1]
    with pytest.raises(EngineDied, match="strict"):
        process.open({"mappings": {"dynamic": "strict"}, "settings": {}}, events)


def test_an_event_that_the_mapping_rejects_is_told(process: EngineProcess) -> None:
    with pytest.raises(EngineDied, match=r"event 1: failed to parse field \[d\]"):
        process.open(STORE, [{"d": 1}, {"d": "many"}])
    with pytest.raises(EngineDied, match="below a field"):
        process.open(STORE, [{"raw": {"inner": 1}}])


@pytest.mark.parametrize("language", ["lucene", "eql", "esql"])
@pytest.mark.parametrize(
    "query",
    [
        "",
        "\x00",
        '"',
        "{" * 400,
        "\ue000",
        "|",
        "a:b\nOR\n)",
        'any where raw == "\\u{ffffffff}"',
        "FROM x | STATS a = COUNT(*), b) | LIMIT 1",
        "(" * 3000,
    ],
)
def test_no_query_ends_the_process(elastic: EngineProcess, language: str, query: str) -> None:
    assert found(elastic, language, query) in ("parse", "type", "unsupported", [])
    assert found(elastic, "lucene", "ok:true") == [1]
