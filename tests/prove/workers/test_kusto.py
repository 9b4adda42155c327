"""The KQL adapter through its process."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from insigma_prove.engines import engine, missing
from insigma_prove.process import EngineDied, EngineProcess

TABLE = {
    "TimeGenerated": "datetime",
    "User": "string",
    "Ip": "string",
    "Count": "long",
    "Small": "int",
    "Rate": "real",
    "Flag": "bool",
    "Bag": "dynamic",
    "Took": "timespan",
    "Id": "guid",
    "odd name": "string",
}
EVENTS: list[dict[str, Any]] = [
    {"TimeGenerated": "2026-01-01T10:00:00Z", "User": "Ann", "Ip": "10.0.0.1", "Count": 1, "Rate": 1.5, "Flag": True, "Bag": ["a", "b"]},
    {"TimeGenerated": "2026-01-01T11:04:00+01:00", "User": "ann", "Ip": "10.0.0.2", "Count": 2, "Flag": False, "Bag": {"k": 1}},
    {"TimeGenerated": "2026-01-01T10:09:00.123456Z", "User": "bob", "Took": "-1.02:03:04.5", "odd name": "q"},
    {"TimeGenerated": "2026-01-01T10:10:00Z", "Count": 4, "Small": 7, "Id": "11111111-1111-1111-1111-111111111111"},
]
STORE = {
    "tables": {"Seen": TABLE, "Other": TABLE},
    "watchlists": {"vip": [{"SearchKey": "ANN", "Since": "2020"}, {"SearchKey": "bob"}], "none": []},
}


VIP = "_GetWatchlist('vip') | project Key = tolower(SearchKey), Since"


@pytest.fixture(scope="module")
def process() -> Iterator[EngineProcess]:
    spec = engine("kusto")
    if why := missing(spec):
        pytest.skip(f"the engine for KQL is not here: {why} (make engines)")
    with EngineProcess(spec) as running:
        yield running


@pytest.fixture
def kusto(process: EngineProcess) -> EngineProcess:
    process.open(STORE, [{"_table": "Seen", **event} for event in EVENTS])
    return process


def run(kusto: EngineProcess, query: str, **times: str) -> dict[str, Any]:
    return dict(kusto.run("kql", query, times))


def stage(reply: dict[str, Any]) -> str:
    return str(reply["error"]["stage"])


def expressions() -> Iterator[Any]:
    cases = yaml.safe_load(Path(__file__).with_name("kusto_expressions.yml").read_text(encoding="utf-8"))
    for page in cases:
        for expression, expected in page["cases"]:
            yield pytest.param(str(expression), expected, id=f"{page['page']}: {expression}")


@pytest.mark.parametrize(("expression", "expected"), list(expressions()))
def test_an_expression_is_what_the_reference_says(kusto: EngineProcess, expression: str, expected: object) -> None:
    reply = run(kusto, f"print Value = {expression}")
    assert reply.get("rows") == [{"Value": expected}], reply


def test_hello_names_the_versions(kusto: EngineProcess) -> None:
    said = kusto.hello()
    assert (said["engine"], said["version"], said["languages"]) == ("duckdb-kql", "1.1.2", {"kql": "executed"})
    assert said["versions"]["@kusto/language-service-next"] == "12.4.1"


@pytest.mark.parametrize(
    ("condition", "hits"),
    [
        ("User =~ 'ANN'", [0, 1]),
        ("User == 'Ann'", [0]),
        ("User in~ ((_GetWatchlist('vip') | project SearchKey))", [0, 1, 2]),
        ("User in~ ((_GetWatchlist('none') | project SearchKey))", []),
        ("User !in~ ((_GetWatchlist('vip') | project SearchKey))", [3]),
        ("User == ''", [3]),
        ("isnull(User)", []),
        ("Count != 1", [1, 2, 3]),
        ("not(Count > 1)", [0]),
        ("not(coalesce(Count > 1, false))", [0, 2]),
        ("Count in (1, 4)", [0, 3]),
        ("Count !in (1, 4)", [1, 2]),
        ("Rate == 1.5 and Small != 7", [0]),
        ("Flag", [0]),
        ("not(Flag)", [1]),
        ("Flag != true", [1, 2, 3]),
        ("isnull(Flag) and isnull(Bag) and isnull(Took) and isnull(Id)", []),
        ("Took < 0s", [2]),
        ("Id == guid(11111111-1111-1111-1111-111111111111)", [3]),
        ("['odd name'] startswith 'Q'", [2]),
        ("Bag.k == 1", [1]),
        ("set_has_element(Bag, 'b')", [0]),
        ("ipv4_is_in_range(Ip, '10.0.0.2/31')", [1]),
        ("not(ipv4_is_in_range(Ip, '10.0.0.2/31'))", [0]),
        ("TimeGenerated between (datetime(2026-01-01T10:04:00Z) .. datetime(2026-01-01T10:09:00.123456Z))", [1, 2]),
        ("hourofday(TimeGenerated) == 10 and datetime_part('Minute', TimeGenerated) in (4, 9)", [1, 2]),
        ("column_ifexists('Nope', 'x') == 'x' and column_ifexists('User', 'x') == 'bob'", [2]),
    ],
)
def test_events_are_answered_with_their_positions(kusto: EngineProcess, condition: str, hits: list[int]) -> None:
    assert run(kusto, f"Seen | where {condition}") == {"hits": hits}


@pytest.mark.parametrize(
    ("query", "hits"),
    [
        ("Seen | where Count > 0 | extend Twice = Count * 2 | sort by Twice desc | project-away Ip", [0, 1, 3]),
        ("Seen | sort by TimeGenerated asc | where TimeGenerated - prev(TimeGenerated) <= 5m", [1, 3]),
        ("Seen | summarize arg_max(TimeGenerated, *) by tolower(User)", [1, 2, 3]),
        ("let Low = Seen | where Count < 2; let High = Seen | where Count > 2; union Low, High", [0, 3]),
        ("union Seen, Other | where User =~ 'bob'", [2]),
        ("Seen | project Count, Named = User | where Named == 'bob' | project-keep Named", [2]),
        ("Seen | project Count | union (Seen | where Count == 1)", [0, 1, 2, 3]),
        ("Seen | join kind=leftanti (Seen | where Count == 1) on User", [1, 2, 3]),
        ("Seen | project-reorder User | top 1 by Count", [3]),
        ("declare query_parameters(Wanted:string = 'Ann'); Seen | where User == Wanted", [0]),
        ("let Pattern = '^a'; Seen | where User matches regex Pattern and TimeGenerated > datetime(2026-01-01)", [1]),
        ("let Named = (name:string) { name =~ 'ANN' }; Seen | where Named(User)", [0, 1]),
        (f"Seen | join kind=leftouter ({VIP}) on $left.User == $right.Key | where isempty(Key)", [0, 3]),
        (f"Seen | join kind=leftouter ({VIP}) on $left.User == $right.Key | where Since == '2020'", [1]),
        (f"Seen | join kind=inner ({VIP}) on $left.User == $right.Key | project User", [1, 2]),
        (f"Seen | lookup ({VIP}) on $left.User == $right.Key | where Since == ''", [0, 2, 3]),
    ],
)
def test_operators_that_select_events_keep_positions(kusto: EngineProcess, query: str, hits: list[int]) -> None:
    assert run(kusto, query)["hits"] == hits


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        (
            "Seen | where Count == 1 | summarize take_any(Took), make_list(Bag) by User, Rate",
            [{"User": "Ann", "Rate": 1.5, "Took": None, "list_Bag": [["a", "b"]]}],
        ),
        ("Seen | where User == 'bob' | distinct Took, Ip, Small", [{"Took": "-1.02:03:04.5000000", "Ip": "", "Small": None}]),
        ("Seen | summarize Times = count(), Names = make_set(User) by Ip | where Ip == ''", [{"Ip": "", "Times": 2, "Names": ["", "bob"]}]),
        ("Seen | summarize count_distinct(User), dcount(tolower(User))", [{"count_distinct_User": 4, "dcount_": 3}]),
        ("Seen | sort by Count asc nulls last | summarize make_list(Count, 2)", [{"list_Count": [1, 2]}]),
        ("Seen | where Count > 1 | join kind=leftouter (Other | project Count, Ip) on Count | summarize take_any(Ip1)", [{"Ip1": ""}]),
        (
            "Seen | where Count == 1 | project User | join kind=inner (Seen | project User, Ip) on User",
            [{"User": "Ann", "User1": "Ann", "Ip": "10.0.0.1"}],
        ),
        (
            "union (Seen | project User), (Seen | project Count) | where Count == 4 or User == 'bob' | distinct User, Count",
            [{"User": "bob", "Count": None}, {"User": "", "Count": 4}],
        ),
        (
            "Seen | sort by TimeGenerated asc | project User = prev(User), Count = next(Count), Far = prev(Count, 2, -1)"
            " | where Far > 0 | distinct User, Count, Far",
            [{"User": "ann", "Count": 4, "Far": 1}, {"User": "bob", "Count": None, "Far": 2}],
        ),
        ("Seen | mv-expand Bag to typeof(string) | where Bag == 'b' | distinct Bag, User", [{"Bag": "b", "User": "Ann"}]),
        ("_GetWatchlist('vip') | where SearchKey == 'bob' | project SearchKey, Since", [{"SearchKey": "bob", "Since": ""}]),
        ("union isfuzzy=true Seen, Nowhere | count", [{"Count": 4}]),
    ],
)
def test_other_queries_are_answered_with_rows(kusto: EngineProcess, query: str, rows: list[dict[str, Any]]) -> None:
    assert run(kusto, query)["rows"] == rows


def test_running_sums_and_numbers_begin_anew(kusto: EngineProcess) -> None:
    """The examples of row-cumsum-function and row-number-function."""
    salaries = '"Alice", 1, 1000, "Bob", 1, 1000, "Alice", 2, 2000, "Bob", 2, 1950, "Alice", 3, 1400, "Bob", 3, 1450'
    query = f"datatable(name:string, month:int, salary:long)[{salaries}] | order by name asc, month asc"
    reply = run(kusto, f"{query} | extend total=row_cumsum(salary, name != prev(name)), place=row_number(5, name != prev(name))")
    assert [row["total"] for row in reply["rows"]] == [1000, 3000, 4400, 1000, 2950, 4400]
    assert [row["place"] for row in reply["rows"]] == [5, 6, 7, 5, 6, 7]
    assert [row["Rank"] for row in run(kusto, "range a from 10 to 1 step -3 | extend Rank=row_number()")["rows"]] == [1, 2, 3, 4]


@pytest.mark.parametrize("seed", range(3))
def test_sliding_windows_are_counted_exactly(process: EngineProcess, seed: int) -> None:
    """A sweep with running sums, as a self-join and by `prev`, against counting by hand; groups mixed, equal times among them."""
    chance, window = random.Random(seed), 300
    seconds = [(chance.choice("ABC"), chance.randrange(0, 2000)) for _ in range(60)]
    hours = [
        {"_table": "Seen", "User": user, "TimeGenerated": f"2026-01-01T0{at // 3600}:{at // 60 % 60:02}:{at % 60:02}Z"}
        for user, at in seconds
    ]
    process.open(STORE, hours)
    expected = sorted({(user, at) for user, at in seconds if sum(u == user and at - window <= t <= at for u, t in seconds) >= 5})
    rows = "Seen | project User, At = datetime_diff('second', TimeGenerated, datetime(2026-01-01))"
    sweep = (
        f"{rows} | summarize Change = count() by User, At | mv-expand Edge = dynamic([0, 1]) to typeof(long)"
        f" | extend At = At + Edge * {window}, Change = iff(Edge == 0, Change, -Change) | sort by User asc, At asc, Edge asc"
        ' | extend Value = row_cumsum(Change, User != prev(User, 1, "")) | where Edge == 0 and Value >= 5 | project User, At'
    )
    joined = (
        f"{rows} | summarize by User, At | join kind=inner ({rows}) on User | where At1 between ((At - {window}) .. At)"
        " | summarize Value = count() by User, At | where Value >= 5 | project User, At"
    )
    before = (
        f"{rows} | sort by User asc, At asc | extend First = prev(At, 4, long(null)), Same = prev(User, 4)"
        f" | where Same == User and At - First <= {window} | distinct User, At"
    )
    for query in (sweep, joined, before):
        reply = run(process, query)
        assert sorted((row["User"], row["At"]) for row in reply["rows"]) == expected
        assert "warnings" not in reply
    assert expected


def test_now_and_the_time_range_come_with_the_request(kusto: EngineProcess) -> None:
    query = "Seen | where TimeGenerated > ago(10m)"
    assert run(kusto, query, now="2026-01-01T10:13:00Z") == {"hits": [1, 2, 3]}
    assert run(kusto, query, now="2026-01-01T10:15:00Z") == {"hits": [2, 3]}
    assert stage(run(kusto, query)) == "run"
    bounds = {"earliest": "2026-01-01T10:04:00Z", "latest": "2026-01-01T10:09:30Z"}
    assert run(kusto, "Seen | where true", **bounds) == {"hits": [1, 2]}
    assert run(kusto, "Seen | where true") == {"hits": [0, 1, 2, 3]}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Seen | where ingestion_time() >= ago(10m) and ingestion_time() < ago(5m)", {"hits": [1, 2]}),
        ("Seen | where ingestion_time() >= ago(5m)", {"hits": []}),
        ("Seen | where ingestion_time() < ago(10m) | project User", {"hits": [0, 3]}),
        ("union (Seen | where ingestion_time() < ago(10m)), (Other | where ingestion_time() >= ago(5m))", {"hits": [0, 3, 4]}),
        ("Seen | where ingestion_time() < ago(10m) | summarize Seen = count()", {"rows": [{"Seen": 2}]}),
        ("Other | extend Came = ingestion_time() | summarize Came = max(Came)", {"rows": [{"Came": "2026-01-01T10:15:00.0000000Z"}]}),
    ],
)
def test_events_say_when_they_came_in_or_came_at_their_time(process: EngineProcess, query: str, expected: dict[str, Any]) -> None:
    came = [{}, {"_ingested": "2026-01-01T10:10:00Z"}, {"_ingested": "2026-01-01T10:14:59.999Z"}, {"_ingested": "2026-01-01T10:09:59.999Z"}]
    events = [{"_table": "Seen", **event, **own} for event, own in zip(EVENTS, came, strict=True)]
    process.open(STORE, [*events, {"_table": "Other", **EVENTS[0], "_ingested": "2026-01-01T11:15:00+01:00"}])
    assert run(process, query, now="2026-01-01T10:20:00Z") == expected


@pytest.mark.parametrize(
    "query",
    [
        "Seen | project User | where ingestion_time() < now()",
        "Seen | summarize Last = max(ingestion_time())",
        "Seen | summarize Count = count() by User | extend Came = ingestion_time()",
        "Seen | join kind=inner Other on User | where ingestion_time() < now()",
        "print Came = ingestion_time()",
    ],
)
def test_when_rows_of_no_table_came_in_is_not_known(kusto: EngineProcess, query: str) -> None:
    assert stage(run(kusto, query, now="2026-01-01T10:13:00Z")) == "unsupported"


@pytest.mark.parametrize(
    "query",
    ["Seen | take 1", "Seen | sort by Ip asc | extend Before = prev(User) | distinct User, Before", "Seen | summarize make_list(User)"],
)
def test_an_answer_that_depends_on_undefined_order_carries_a_warning(kusto: EngineProcess, query: str) -> None:
    assert "order" in run(kusto, query)["warnings"][0]
    assert "warnings" not in run(kusto, query, order="stored")


def test_a_query_that_is_asked_again_sees_the_rows_in_one_order_by_turns(kusto: EngineProcess) -> None:
    query = "Seen | project User, Ip | take 1 | project User"
    replies = [run(kusto, query) for _ in range(6)]
    assert ["warnings" in reply for reply in replies] == [True, True, False, False, False, False]
    first, last = ({"rows": reply.get("rows"), "hits": reply.get("hits")} for reply in replies[2:4])
    assert first != last
    assert replies[2:4] == replies[4:]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Seen | where", "parse"),
        ("Seen | where (User == 'a'", "parse"),
        ("Seen | where User = 'a'", "type"),
        (".drop table Seen", "parse"),
        ("// a comment\n.show tables", "parse"),
        ("", "unsupported"),
        ("Seen | where Nobody == 'a'", "type"),
        ("Nowhere | where true", "type"),
        ("Seen | where User > 'a'", "type"),
        ("Seen | where User == 1", "type"),
        ("Seen | where Count == '1'", "type"),
        ("Seen | where Count in (1, '2')", "type"),
        ("Seen | where User", "type"),
        ("Seen | where Count contains '1'", "type"),
        ("Seen | where nosuchfunction(User) == 1", "type"),
        ("Seen | where _position == 0", "type"),
        ("Seen | extend Before = prev(User)", "type"),
        ("Seen | sort by Count | summarize by User | extend Before = prev(User)", "type"),
        ("Seen | where User matches regex Ip", "type"),
        ("Seen | where User matches regex '('", "run"),
        ("Seen | where User matches regex 'a{'", "run"),
        ("Seen | where extract_all('(a)', User) != ''", "unsupported"),
        ("Seen | extend Cut = trim('a', User)", "unsupported"),
        ("Seen | parse kind=regex User with 'a' Rest", "unsupported"),
        ("Seen | where TimeGenerated > datetime(2026-01-01T10:00:00.1234567Z)", "unsupported"),
        ("Seen | scan with (step s: true;)", "unsupported"),
        ("Seen | mv-apply Bag on (where true)", "unsupported"),
        ("Seen | partition by User (take 1)", "unsupported"),
        ("Seen | extend user = User", "unsupported"),
        ("Seen | extend _position = 1", "unsupported"),
        ("Seen | sort by Count | extend Far = prev(User, Small)", "unsupported"),
        ("Seen | where User == 'a'; Seen | where User == 'b'", "unsupported"),
    ],
)
def test_what_is_wrong_or_not_known_is_an_error_of_its_stage(kusto: EngineProcess, query: str, expected: str) -> None:
    assert stage(run(kusto, query)) == expected


def test_check_binds_to_the_schema_that_it_is_given(kusto: EngineProcess) -> None:
    store = {"tables": {"Elsewhere": {"Name": "string"}}, "watchlists": {}}
    assert kusto.check("kql", "Elsewhere | where Name has 'a'", store) == {"ok": True}
    assert stage(dict(kusto.check("kql", "Seen | where User has 'a'", store))) == "type"
    assert stage(dict(kusto.check("kql", "Elsewhere | where Name has", store))) == "parse"
    assert run(kusto, "Seen | where User has 'ann'") == {"hits": [0, 1]}
    assert stage(dict(kusto.check("spl", "search a=1", store))) == "unsupported"


def test_lookups_are_watchlists_too_with_the_time_of_their_last_change(kusto: EngineProcess) -> None:
    rows = [{"key": "Ann", "n": "1", "LastUpdatedTimeUTC": "2026-01-02T00:00:00Z"}, {"key": "Ann", "n": "2"}, {"key": "bob"}]
    store = {"tables": {"Seen": TABLE}, "lookups": {"known": rows, "none": []}}
    kusto.open(store, [{"_table": "Seen", **event} for event in EVENTS])
    newest = "_GetWatchlist('known') | summarize arg_max(LastUpdatedTimeUTC, n) by key | project key, n | sort by key asc"
    assert run(kusto, newest)["rows"] == [{"key": "Ann", "n": "1"}, {"key": "bob", "n": ""}]
    assert run(kusto, "_GetWatchlist('none') | count")["rows"] == [{"Count": 0}]
    several = "Seen | join kind=leftouter (_GetWatchlist('known')) on $left.User == $right.key | where isnotempty(key)"
    assert len(run(kusto, several, answer="rows")["rows"]) == 3
    assert kusto.check("kql", several, store) == {"ok": True}
    assert stage(dict(kusto.check("kql", several, {"tables": {"Seen": TABLE}}))) == "type"


HOSTILE = [
    '" or true //',
    "' or 1==1 --",
    "\\",
    '\\"',
    "a\nb\r\tc",
    "%_*?[]{}()|^$.+",
    "'; DROP TABLE stored.Seen; --",
    "| take 1",
    "// comment",
    "$kqlnow {0} {x}",
    "\x00\x1f\x7f",
    "İıſKßẞ𝒜\u200e\u2028",
    "x" * 5000,
    "",
]


def literal(text: str) -> str:
    units = text.encode("utf-16-be", "surrogatepass").hex()
    return '"' + "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)) + '"'


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_only_text(process: EngineProcess, text: str) -> None:
    process.open(STORE, [{"_table": "Seen", "User": text, "Bag": {"k": text}}, {"_table": "Seen", "User": "other"}])
    wanted = [0] if text else [0, 1]
    assert run(process, f"Seen | where User == {literal(text)}") == {"hits": [0]}
    assert run(process, f"Seen | where User =~ {literal(text)}") == {"hits": [0]}
    assert run(process, f"Seen | where User in~ ({literal(text)})") == {"hits": [0]}
    assert run(process, f"Seen | where User contains {literal(text)}") == {"hits": wanted}
    assert run(process, f"Seen | where User startswith_cs {literal(text)}") == {"hits": wanted}
    assert run(process, "Seen | where isnotempty(Bag.k) or User == '' | summarize by User, Bag = tostring(Bag.k) | where Bag == User")[
        "rows"
    ] == [{"User": text, "Bag": text}]


@pytest.mark.parametrize("name", ['a"b', "a'b", "a b", "where", "_position1 x", "ä", "a.b", "x]"])
def test_column_names_need_no_care(process: EngineProcess, name: str) -> None:
    process.open({"tables": {"Seen": {name: "string"}}}, [{"_table": "Seen", name: "v"}])
    quoted = name.replace("'", "\\'")
    assert run(process, f"Seen | where ['{quoted}'] == 'v'") == {"hits": [0]}


@pytest.mark.parametrize(
    "event",
    [
        {"Nobody": "x"},
        {"Count": "1"},
        {"Count": True},
        {"Count": 2**63},
        {"Small": 2**31},
        {"Flag": "true"},
        {"User": 5},
        {"User": "\ud800"},
        {"TimeGenerated": "yesterday"},
        {"TimeGenerated": "2026-01-01T10:00:00.1234567Z"},
        {"Took": "5m"},
        {"Id": "x"},
        {"_ingested": "soon"},
    ],
)
def test_an_event_that_does_not_fit_the_table_is_refused(process: EngineProcess, event: dict[str, Any]) -> None:
    with pytest.raises(EngineDied, match="does not take the events"):
        process.open(STORE, [{"_table": "Seen", **event}])


def test_an_unknown_table_or_type_is_refused(process: EngineProcess) -> None:
    with pytest.raises(EngineDied, match="unknown table"):
        process.open(STORE, [{"_table": "Nowhere"}])
    with pytest.raises(EngineDied, match="unknown Kusto type"):
        process.open({"tables": {"T": {"a": "text"}}}, [])


def test_the_same_request_has_the_same_answer(kusto: EngineProcess) -> None:
    query = "Seen | summarize Names = make_set(User) by Ip | join kind=inner (Seen) on Ip | project User, Names"
    first = run(kusto, query)
    kusto.open(STORE, [{"_table": "Seen", **event} for event in EVENTS])
    assert run(kusto, query) == first
