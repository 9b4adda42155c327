"""The SPL interpreter, through its process: hand-labelled expressions and searches, readings, limits, and our own queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from insigma.assure.fixtures import reference_rules, with_logsources
from insigma.bind.binder import bind
from insigma.content.lists import default_lists
from insigma.content.model import Rule
from insigma.content.pack import load_pack
from insigma.evaluate.engine import Engine
from insigma.targets.splunk.target import SplunkTarget
from insigma_prove.engines import engine, missing
from insigma_prove.process import EngineProcess
from insigma_prove.stores.splunk import EXTRACTION_CUTOFF, NOWHERE, TooLong, stored_events

HERE = Path(__file__).parent
EXPRESSIONS = yaml.safe_load((HERE / "spl_expressions.yml").read_text(encoding="utf-8"))
SEARCHES = yaml.safe_load((HERE / "spl_searches.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def spl() -> Iterator[EngineProcess]:
    spec = engine("spl")
    if why := missing(spec):
        pytest.skip(f"the engine for SPL is not here: {why} (make engines)")
    with EngineProcess(spec) as process:
        yield process


def stored(fields: Mapping[str, Any], raw: str = "", time: float = 0.0, index: str = "main") -> dict[str, Any]:
    listed = {name: value if isinstance(value, list) else [value] for name, value in fields.items()}
    return {"_time": str(time), "index": index, "sourcetype": "s", "source": "s", "host": "h", "_raw": raw, "fields": listed}


def test_it_says_what_it_is(spl: EngineProcess) -> None:
    said = spl.hello()
    assert said["languages"] == {"spl": "executed"}
    assert "not Splunk" in said["notes"][0]


@pytest.mark.parametrize("case", EXPRESSIONS["cases"], ids=lambda case: case["expression"])
def test_expression(spl: EngineProcess, case: Mapping[str, Any]) -> None:
    spl.open({}, [stored(EXPRESSIONS["fields"])])
    query = f"index=main | eval v={case['expression']} | stats count list(v) as v"
    reply = spl.run("spl", query, {})
    if "stage" in case:
        assert reply["error"]["stage"] == case["stage"]
    else:
        assert reply["rows"] == [{"count": 1} if case["is"] is None else {"count": 1, "v": case["is"]}]


@pytest.mark.parametrize("case", SEARCHES["cases"], ids=lambda case: case["query"] or "nothing")
def test_search(spl: EngineProcess, case: Mapping[str, Any]) -> None:
    events = [stored(each["fields"], each["raw"], each["time"], each["index"]) for each in SEARCHES["events"].values()]
    spl.open({"lookups": SEARCHES["lookups"]}, events)
    reply = spl.run("spl", case["query"], {})
    if "stage" in case:
        assert reply.get("error", {}).get("stage") == case["stage"]
    elif case.get("any"):
        assert len(reply["hits"]) == 1
        assert reply["hits"][0] in case["hits"]
    else:
        wanted = {key: case[key] for key in ("hits", "rows") if key in case}
        assert reply == wanted


def test_check_finds_the_same_faults_without_events(spl: EngineProcess) -> None:
    assert spl.check("spl", "index=main | where n>1 | stats count by n", {}) == {"ok": True}
    assert spl.check("spl", "index=main | where n>", {})["error"]["stage"] == "parse"
    assert spl.check("spl", "index=main | where n", {"readings": {"pcre": "bytes"}}).get("error") is None
    assert spl.check("spl", 'index=main | where "n"', {})["error"]["stage"] == "type"
    assert spl.check("spl", 'index=main | stats count | where match(n, "(")', {})["error"]["stage"] == "parse"
    assert spl.check("spl", "index=main | append [search index=x | nosuch]", {})["error"]["stage"] == "unsupported"
    assert spl.check("eql", "any where true", {})["error"]["stage"] == "unsupported"


def test_time_range_takes_its_start_and_not_its_end(spl: EngineProcess) -> None:
    spl.open({}, [stored({}, time=time) for time in (0, 60, 120)])
    times = {"earliest": "1970-01-01T00:01:00Z", "latest": "1970-01-01T00:02:00Z"}
    assert spl.run("spl", "index=main", times) == {"hits": [1]}
    rows = spl.run("spl", "index=main | stats count | addinfo", times)["rows"]
    assert rows == [{"count": 1, "info_min_time": 60, "info_max_time": 120}]


@pytest.mark.parametrize(
    ("readings", "query", "hits"),
    [
        ({}, 'index=main | where match(x, "^.\\z")', [0]),
        ({"pcre": "bytes"}, 'index=main | where match(x, "^.\\z")', []),
        ({"pcre": "bytes"}, 'index=main | where match(x, "^..\\z")', [0]),
        ({}, 'index=main | where lower(x)="ü"', [0]),
        ({"lower": "ascii"}, 'index=main | where lower(x)="ü"', []),
    ],
)
def test_what_the_manual_leaves_open_can_be_read_both_ways(
    spl: EngineProcess, readings: Mapping[str, Any], query: str, hits: list[int]
) -> None:
    spl.open({"readings": readings}, [stored({"x": "Ü"})])
    assert spl.run("spl", query, {}) == {"hits": hits}


@pytest.mark.parametrize(
    ("readings", "level"),
    [
        ({}, []),
        ({"lookup_nothing": "kept"}, ["5", "5"]),
        ({"lookup_empty": "text"}, [""]),
        ({"lookup_empty": "text", "lookup_nothing": "kept"}, ["", "5"]),
    ],
)
def test_what_lookup_does_with_empty_cells_and_no_row_can_be_read_both_ways(
    spl: EngineProcess, readings: Mapping[str, str], level: list[str]
) -> None:
    tables = {"staff": [{"user": "bob", "level": ""}]}
    spl.open({"readings": readings, "lookups": tables}, [stored({"user": user}, time=time) for time, user in ((2.0, "bob"), (1.0, "cleo"))])
    reply = spl.run("spl", 'index=main | eval level="5" | lookup staff user OUTPUT level | stats count list(level) as level', {})
    wanted: list[str] | str | None = level[0] if len(level) == 1 else level
    assert reply["rows"] == [{"count": 2, "level": wanted} if level else {"count": 2}]


def test_lookups_go_with_the_store(spl: EngineProcess) -> None:
    query = "index=main | lookup staff user OUTPUT level"
    assert spl.check("spl", query, {}) == {"ok": True}
    spl.open({"lookups": {"staff": []}}, [])
    assert spl.run("spl", query, {}) == {"hits": []}
    spl.open({}, [])
    assert spl.run("spl", query, {})["error"]["stage"] == "run"


def test_rows_that_sort_alike_come_in_an_order_that_a_seed_chooses(spl: EngineProcess) -> None:
    events = [stored({"n": str(number)}) for number in range(20)]
    query = "index=main | eval k=1 | sort 0 k | stats list(n) as n"
    orders = []
    for seed in (1, 2, 1):
        spl.open({"readings": {"ties": seed}}, events)
        orders.append(spl.run("spl", query, {})["rows"])
    assert orders[0] == orders[2] != orders[1]


def test_an_unknown_reading_is_a_fault(spl: EngineProcess) -> None:
    reply = spl.check("spl", "index=main", {"readings": {"pcre": "latin-1"}})
    assert reply["error"]["stage"] == "request"


@pytest.mark.parametrize(
    ("readings", "command", "most"),
    [
        ({}, "streamstats count as c", 150),
        ({"streamstats": "windowed"}, "streamstats count as c", 100),
        ({}, "streamstats window=120 count as c", 100),
        ({}, "streamstats window=20 count as c", 20),
        ({}, "streamstats time_window=1d count as c", 100),
        ({}, "streamstats global=f window=120 count as c by g", 75),
    ],
)
def test_a_window_never_holds_more_than_max_stream_window(spl: EngineProcess, readings: Mapping[str, Any], command: str, most: int) -> None:
    spl.open({"readings": readings, "limits": {"max_stream_window": 100}}, [])
    query = f"| makeresults count=150 | eval _time=0 | streamstats count as n | eval g=n%2 | {command} | stats max(c) as c"
    assert spl.run("spl", query, {})["rows"] == [{"c": most}]


def test_sort_without_a_count_keeps_ten_thousand(spl: EngineProcess) -> None:
    spl.open({}, [])
    for command, count in (("sort n", 10_000), ("sort 0 n", 10_001), ("sort 7 n", 7)):
        assert spl.run("spl", f"| makeresults count=10001 | eval n=1 | {command} | stats count", {})["rows"] == [{"count": count}]


def test_list_keeps_a_hundred_values(spl: EngineProcess) -> None:
    spl.open({}, [])
    (row,) = spl.run("spl", "| makeresults count=150 | streamstats count as c | stats list(c) as l values(c) as v dc(c) as d", {})["rows"]
    assert (len(row["l"]), len(row["v"]), row["d"]) == (100, 150, 150)


def test_a_query_never_ends_the_process(spl: EngineProcess) -> None:
    deep = "index=main | where " + "(" * 5000 + "1=1" + ")" * 5000
    wide = "index=main | where " + " AND ".join(["a=1"] * 5000)
    slow = 'index=main | where match(x, "^(a+)+$")'
    spl.open({}, [stored({"x": "a" * 40 + "b", "a": "1"})])
    assert spl.run("spl", deep, {})["error"]["stage"] == "unsupported"
    assert spl.run("spl", wide, {}) == {"hits": [0]}
    assert spl.run("spl", slow, {})["error"]["stage"] == "run"
    assert spl.run("spl", "index=main", {}) == {"hits": [0]}


@pytest.fixture(scope="module")
def pack() -> Any:
    return load_pack(HERE.parent.parent.parent).pack


def test_stored_events_are_what_splunk_makes_of_the_json(pack: Any) -> None:
    event = {
        "@timestamp": "2026-02-14T10:00:00.250Z",
        "insurance.logsource": "Insurance_Claims",
        "user": {"name": "Anna", "roles": ["a", "b"]},
        "insurance.record_count": 10,
        "flag": True,
        "gone": None,
        "none": [],
        "objects": [{"k": 1}, {"k": 2.5}],
    }
    (one,) = stored_events([event], pack.mappings["splunk"])
    assert (one["_time"], one["index"]) == ("1771063200.250", "ins_claims")
    assert '"gone"' not in one["_raw"]
    assert one["fields"] == {
        "@timestamp": ["2026-02-14T10:00:00.250Z"],
        "insurance.logsource": ["Insurance_Claims"],
        "user.name": ["Anna"],
        "user.roles{}": ["a", "b"],
        "insurance.record_count": ["10"],
        "flag": ["true"],
        "objects{}.k": ["1", "2.5"],
    }


def test_events_that_no_search_can_see_whole_are_refused(pack: Any) -> None:
    mapping = pack.mappings["splunk"]
    with pytest.raises(TooLong, match="event 1"):
        stored_events([{}, {"x": "x" * EXTRACTION_CUTOFF}], mapping)
    assert stored_events([{"x": 1}], mapping)[0]["index"] == NOWHERE
    assert "_time" not in stored_events([{"x": 1}], mapping)[0]


def test_our_own_event_rules_find_what_the_rule_says(spl: EngineProcess, pack: Any) -> None:
    """Each fixture of the pack, with letters beyond ASCII written both ways and under both readings."""
    mapping, rules = pack.mappings["splunk"], reference_rules(pack, default_lists(pack)).rules
    target, cases = SplunkTarget(mapping), 0
    for fixture in pack.fixtures:
        rule = rules[fixture.rule]
        if not isinstance(rule, Rule):
            continue
        query = target.compile(bind(rule, mapping, pack.taxonomy)).query
        for case in fixture.cases:
            events = with_logsources(case.events, rule, pack)
            reference = Engine((rule,), pack.taxonomy)
            for event in events:
                reference.feed(event)
            for escaped, readings in ((False, {}), (True, {"pcre": "bytes", "lower": "ascii"})):
                spl.open({"readings": readings}, stored_events(events, mapping, escaped=escaped))
                assert spl.run("spl", query, {}) == {"hits": list(reference.verdicts()[0].indexes)}, (fixture.rule, case.name)
            cases += 1
    assert cases > 30
