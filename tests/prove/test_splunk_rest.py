"""The client for a user's own Splunk, against a fake of its REST API on this machine.

The fake checks the shape of each request; where the SPL interpreter is installed it also runs the searches it is sent, so
that the rewritten search is known to find what the search itself finds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest

from insigma.assure.fixtures import reference_rules, with_logsources
from insigma.bind.binder import bind
from insigma.content.lists import default_lists
from insigma.content.model import Rule
from insigma.content.pack import load_pack
from insigma.targets.splunk.target import SplunkTarget
from insigma_prove.engines import engine, missing
from insigma_prove.process import EngineDied, EngineProcess
from insigma_prove.splunk_inline import CHUNK, inline_search
from insigma_prove.splunk_rest import SplunkRest, SplunkSettingsError, read_token
from insigma_prove.stores.splunk import stored_events
from insigma_prove.workers.serve import QueryFault

ROOT = Path(__file__).parent.parent.parent
TOKEN = "secret.token-1"
Answer = tuple[int, bytes]


def lines(*objects: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in objects)


@dataclass
class Fake:
    """What was asked, and what is answered to a search."""

    answer: Callable[[dict[str, str]], Answer] = lambda form: (200, lines({"preview": False, "lastrow": True}))
    asked: list[tuple[str, str, dict[str, str], dict[str, str]]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def splunk() -> Iterator[Fake]:
    fake = Fake()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply({}, lambda form: (200, lines({"entry": [{"content": {"version": "9.4.1"}}]})))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode("ascii")
            self._reply({name: values[0] for name, values in parse_qs(body, strict_parsing=True).items()}, fake.answer)

        def _reply(self, form: dict[str, str], answer: Callable[[dict[str, str]], Answer]) -> None:
            fake.asked.append((self.command, self.path, dict(self.headers), form))
            status, body = answer(form) if self.headers["Authorization"] == f"Bearer {TOKEN}" else (401, b'{"messages":[]}')
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", fake.url + "/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield fake
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def spl() -> Iterator[EngineProcess]:
    spec = engine("spl")
    if why := missing(spec):
        pytest.skip(f"the engine for SPL is not here: {why} (make engines)")
    with EngineProcess(spec) as process:
        yield process


EVENTS = [
    {"_time": "1771063200.000", "index": "main", "sourcetype": "s", "source": "x", "host": "h", "_raw": '{"user":"Änna \\"x\\", 50%|"}'},
    {"_time": "1771063260.500", "index": "main", "sourcetype": "s", "source": "x", "host": "h", "_raw": '{"user":"bob","t":["a","b"]}'},
]


def test_hello_gives_splunks_version(splunk: Fake) -> None:
    said = SplunkRest(splunk.url, TOKEN).hello()
    assert (said["engine"], said["version"], said["languages"]) == ("Splunk", "9.4.1", {"spl": "executed"})
    assert splunk.asked[0][:2] == ("GET", "/services/server/info?output_mode=json")


def test_the_request_is_an_export_with_the_events_in_the_search(splunk: Fake) -> None:
    splunk.answer = lambda form: (
        200,
        lines(
            {"preview": True, "offset": 0, "result": {"insigma_position": "0"}},
            {"preview": False, "offset": 0, "result": {"insigma_position": "1"}},
            {"preview": False, "lastrow": True, "messages": [{"type": "WARN", "text": "a peer is away"}, {"type": "INFO", "text": "x"}]},
        ),
    )
    client = SplunkRest(splunk.url + "/", TOKEN)
    client.open({}, EVENTS)
    times = {"earliest": "2026-02-14T09:00:00Z", "latest": "2026-02-14T11:00:00Z", "now": "2026-02-14T11:00:00Z"}
    reply = client.run("spl", 'index=main user="bob"\n| where user="bob"\n| table _time user', times)
    assert reply == {"hits": [1], "warnings": ["a peer is away"]}
    ((method, path, headers, form),) = splunk.asked
    assert (method, path) == ("POST", "/services/search/v2/jobs/export")
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    search = form.pop("search")
    assert form == {"output_mode": "json", "preview": "false", "earliest_time": "1771059600.000", "latest_time": "1771066800.000"}
    assert search.splitlines() == [
        '| makeresults format=csv data="insigma_position,insigma_in_time,insigma_in_index,insigma_in_sourcetype,'
        "insigma_in_source,insigma_in_host,insigma_in_raw",
        "1,1771063260.500,main,s,x,h,%7B%22user%22%3A%22bob%22%2C%22t%22%3A%5B%22a%22%2C%22b%22%5D%7D",
        '0,1771063200.000,main,s,x,h,%7B%22user%22%3A%22%C3%84nna%20%5C%22x%5C%22%2C%2050%25%7C%22%7D"',
        "| eval _time=tonumber(insigma_in_time), index=urldecode(insigma_in_index), sourcetype=urldecode(insigma_in_sourcetype), "
        "source=urldecode(insigma_in_source), host=urldecode(insigma_in_host), _raw=urldecode(insigma_in_raw)",
        "| fields - insigma_in_*",
        "| spath",
        "| where isnull(_time) OR (_time>=1771059600.000 AND _time<1771066800.000)",
        '| search index=main user="bob"',
        '| where user="bob"',
        "| table _time user insigma_position",
        "| table insigma_position",
    ]


def test_a_table_comes_back_as_rows(splunk: Fake) -> None:
    splunk.answer = lambda form: (200, lines({"preview": False, "result": {"user": "bob", "t": ["a", "b"]}}, {"result": {"n": "1"}}))
    client = SplunkRest(splunk.url, TOKEN)
    client.open({}, EVENTS)
    reply = client.run("spl", "index=main | stats values(t) as t by user", {})
    assert reply == {"rows": [{"user": "bob", "t": ["a", "b"], "n": None}, {"user": None, "t": None, "n": "1"}]}
    assert splunk.asked[0][3]["search"].endswith("| search index=main\n| stats values(t) as t by user")


@pytest.mark.parametrize(
    ("status", "kind", "stage"), [(400, "FATAL", "parse"), (200, "FATAL", "run"), (200, "ERROR", "run"), (500, "FATAL", "run")]
)
def test_what_splunk_refuses_is_an_error_of_the_query(splunk: Fake, status: int, kind: str, stage: str) -> None:
    splunk.answer = lambda form: (status, lines({"messages": [{"type": kind, "text": "Error in 'where' command"}]}))
    reply = SplunkRest(splunk.url, TOKEN).run("spl", "index=main | where (", {})
    assert reply == {"error": {"stage": stage, "message": "Error in 'where' command"}}


@pytest.mark.parametrize("query", ["| tstats count", "| multisearch [search a=1] [search b=1]", "index=main | `macro`", 'index="main'])
def test_a_search_that_cannot_bring_its_events_is_never_sent(splunk: Fake, query: str) -> None:
    reply = SplunkRest(splunk.url, TOKEN).run("spl", query, {})
    assert reply["error"]["stage"] in ("unsupported", "parse")
    assert SplunkRest(splunk.url, TOKEN).run("eql", "any where true", {})["error"]["stage"] == "unsupported"
    assert splunk.asked == []


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((302, b""), "sends elsewhere"),
        ((403, b""), "does not accept the token"),
        ((200, b"<html>"), "does not answer in JSON"),
        ((503, b""), "HTTP 503"),
    ],
)
def test_a_splunk_that_does_not_answer_as_one_ends_the_run(splunk: Fake, answer: Answer, told: str) -> None:
    splunk.answer = lambda form: answer
    with pytest.raises(EngineDied, match=told) as raised:
        SplunkRest(splunk.url, TOKEN).run("spl", "index=main", {})
    assert TOKEN not in str(raised.value)
    assert len(splunk.asked) == 1


def test_a_wrong_token_is_said_and_not_shown(splunk: Fake) -> None:
    client = SplunkRest(splunk.url, "wrong-token")
    with pytest.raises(EngineDied, match="does not accept the token") as raised:
        client.hello()
    assert "wrong-token" not in f"{raised.value!r}{client!r}"


def test_nobody_at_the_address(splunk: Fake) -> None:
    with pytest.raises(EngineDied, match="cannot be reached"):
        SplunkRest("http://127.0.0.1:1", TOKEN).hello()


@pytest.mark.parametrize(
    "url", ["", "splunk:8089", "http://splunk.example:8089", "https://u:p@splunk.example", "https://s.example/en-US?x=1", "https://s:x"]
)
def test_the_address_has_to_be_safe_for_a_token(url: str) -> None:
    with pytest.raises(SplunkSettingsError):
        SplunkRest(url, TOKEN)


def test_the_token_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n", encoding="utf-8")
    assert read_token({"SPLUNK_TOKEN": "other"}, file) == TOKEN
    assert read_token({"SPLUNK_TOKEN": f" {TOKEN} "}) == TOKEN
    for environment, path in (({}, None), ({"SPLUNK_TOKEN": "a b"}, None), ({"SPLUNK_TOKEN": "ä"}, None), ({}, tmp_path / "no")):
        with pytest.raises(SplunkSettingsError) as raised:
            read_token(environment, path)
        assert "a b" not in str(raised.value)


def test_many_events_come_in_several_pieces_and_none_is_cut() -> None:
    events = [{**EVENTS[0], "_raw": json.dumps({"n": number, "x": "x" * 900})} for number in range(60)]
    search, _ = inline_search("index=main", events, None, None)
    pieces = search.split('data="')[1:]
    assert len(pieces) > 2
    assert all(len(piece.split('"')[0]) <= CHUNK for piece in pieces)
    assert sorted(int(line.split(",")[0]) for line in search.splitlines() if line[:1].isdigit()) == list(range(60))
    with pytest.raises(QueryFault, match="too long"):
        inline_search("index=main", [{**EVENTS[0], "_raw": "x" * CHUNK}], None, None)


def test_without_events_nothing_is_found(spl: EngineProcess) -> None:
    search, _ = inline_search("index=main", [], None, None)
    assert spl.run("spl", search, {}) == {"rows": []}


def interpreted(spl: EngineProcess, form: dict[str, str]) -> Answer:
    """What the interpreter makes of a search, as Splunk would send it."""
    spl.open({}, [])
    reply = spl.run("spl", form["search"], {})
    assert "rows" in reply, (reply, form["search"])
    texts = ({name: _text(value) for name, value in row.items() if value is not None} for row in reply["rows"])
    return 200, lines(*({"preview": False, "result": row} for row in texts), {"preview": False, "lastrow": True})


def _text(value: Any) -> Any:
    return [_text(one) for one in value] if isinstance(value, list) else str(value)


def test_rewritten_searches_find_what_the_searches_find(splunk: Fake, spl: EngineProcess) -> None:
    """The first cases of every third fixture of the pack: through the fake and its interpreter, and in the interpreter's own store."""
    pack = load_pack(ROOT).pack
    mapping, rules = pack.mappings["splunk"], reference_rules(pack, default_lists(pack)).rules
    splunk.answer = lambda form: interpreted(spl, form)
    client, target = SplunkRest(splunk.url, TOKEN), SplunkTarget(mapping)
    compared = 0
    for fixture in pack.fixtures[::3]:
        rule = rules[fixture.rule]
        query = target.compile(bind(rule, mapping, pack.taxonomy)).query
        for case in fixture.cases[:2]:
            events = stored_events(with_logsources(case.events, rule, pack), mapping)
            client.open({}, events)
            found = client.run("spl", query, {})
            spl.open({}, events)
            own = spl.run("spl", query, {})
            assert found == (own if isinstance(rule, Rule) else {"rows": [_shown(row) for row in own["rows"]]}), (fixture.rule, case.name)
            compared += 1
    assert compared > 40


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {name: None if value is None else _text(value) for name, value in row.items()}
