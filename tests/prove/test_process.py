"""An engine's process: what it answers, and every way in which it can fail to."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import pytest

from insigma_prove import process
from insigma_prove.engines import Engine
from insigma_prove.process import EngineDied, EngineProcess

SPEC = Engine("fake", "nowhere", ("nonsense",))

LOOP = """
import json, os, sys, time
for line in sys.stdin:
    request = json.loads(line)
    {body}
    sys.stdout.flush()
"""
ECHO = "print(json.dumps({'asked': request}))"


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def started(monkeypatch: pytest.MonkeyPatch, source: str, patience_s: float = 10.0) -> EngineProcess:
    """A process that runs this source in place of an adapter."""
    monkeypatch.setattr(process, "START", source)
    return EngineProcess(SPEC, patience_s=patience_s)


def answering(monkeypatch: pytest.MonkeyPatch, body: str, patience_s: float = 10.0) -> EngineProcess:
    return started(monkeypatch, LOOP.format(body=body), patience_s)


def test_each_request_reaches_the_worker_as_it_is_and_its_answer_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(monkeypatch, ECHO) as engine:
        assert engine.hello() == {"asked": {"op": "hello"}}
        asked = engine.run("spl", 'search "żółw\n\u2028"', {"now": "2026-02-14T10:00:00.000Z"})["asked"]
        assert asked == {"op": "run", "language": "spl", "query": 'search "żółw\n\u2028"', "now": "2026-02-14T10:00:00.000Z"}
        assert engine.check("spl", "x", {"a": 1})["asked"] == {"op": "check", "language": "spl", "query": "x", "store": {"a": 1}}
        engine.open({"a": 1}, [{"b": [None, 2.5]}])


def test_answers_and_requests_of_many_megabytes_are_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(monkeypatch, ECHO) as engine:
        query = "x" * 3_000_000
        assert engine.run("spl", query, {})["asked"]["query"] == query
        assert engine.hello() == {"asked": {"op": "hello"}}


def test_events_that_are_not_taken_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    body = "print(json.dumps({'error': {'stage': 'request', 'message': 'no such type'}}))"
    with answering(monkeypatch, body) as engine, pytest.raises(EngineDied, match="fake does not take the events: no such type"):
        engine.open({}, [])


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("", "it ended$"),
        ("import sys; sys.stdin.readline()", "it ended$"),
        ("raise RuntimeError('no such jar')", "it ended; it said: RuntimeError: no such jar"),
    ],
)
def test_a_worker_that_dies_is_told_with_what_it_said_last(monkeypatch: pytest.MonkeyPatch, source: str, told: str) -> None:
    with started(monkeypatch, source) as engine:
        with pytest.raises(EngineDied, match=told):
            engine.hello()
        with pytest.raises(EngineDied, match="engine fake"):
            engine.hello()


def test_a_worker_that_dies_between_two_requests_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(monkeypatch, ECHO + "; sys.stdout.flush(); sys.exit('memory is full')") as engine:
        engine.hello()
        with pytest.raises(EngineDied, match="it ended; it said: memory is full"):
            engine.run("spl", "x", {})


def test_a_worker_that_does_not_answer_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    started_at = time.monotonic()
    with answering(monkeypatch, "time.sleep(60)", patience_s=0.5) as engine:
        with pytest.raises(EngineDied, match=r"no answer for 0\.5 s"):
            engine.hello()
        with pytest.raises(EngineDied):
            engine.hello()
    assert time.monotonic() - started_at < 10


def test_a_worker_that_stops_within_its_answer_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        answering(monkeypatch, "print('{\"a\":', end=''); sys.stdout.flush(); time.sleep(60)", patience_s=0.5) as engine,
        pytest.raises(EngineDied, match="no answer"),
    ):
        engine.hello()


def test_a_worker_that_reads_no_more_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        started(monkeypatch, "import time; time.sleep(60)", patience_s=0.5) as engine,
        pytest.raises(EngineDied, match="taken no more of a request"),
    ):
        engine.open({}, [{"a": "x" * 1_000_000}])


@pytest.mark.parametrize("answer", ["WARNING: illegal reflective access", "", "[1, 2]", "7", '{"a": 1} {"b": 2}', "\\udc80", '{"a":'])
def test_what_is_no_answer_is_told(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    body = f"sys.stdout.buffer.write({answer!r}.encode('utf-8', 'surrogateescape') + b'\\n')"
    with answering(monkeypatch, body) as engine, pytest.raises(EngineDied, match="it answered"):
        engine.hello()


def test_an_answer_that_nobody_asked_for_is_never_taken_for_the_next(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wait = f"while not os.path.exists({str(tmp_path / 'go')!r}): time.sleep(.01)"
    late = (
        f"{ECHO}; sys.stdout.flush()\n    {wait}\n    print('{{\"hits\": []}}'); sys.stdout.flush(); open({str(tmp_path / 'done')!r}, 'w')"
    )
    with answering(monkeypatch, late) as engine:
        engine.hello()
        (tmp_path / "go").touch()
        while not (tmp_path / "done").exists():
            time.sleep(0.01)
        with pytest.raises(EngineDied, match="unasked"):
            engine.run("spl", "x", {})


def test_no_secret_of_the_environment_reaches_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SPLUNK_TOKEN", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "PYTHONPATH", "HTTPS_PROXY", "insigma_secret"):
        monkeypatch.setenv(name, "hidden-value")
    monkeypatch.setenv("JAVA_HOME", "/java")
    with answering(monkeypatch, "print(json.dumps(dict(os.environ)))") as engine:
        seen = engine.hello()
    assert "hidden-value" not in seen.values()
    assert seen.items() >= {"JAVA_HOME": "/java", "TZ": "UTC", "PYTHONHASHSEED": "0"}.items()


def test_what_a_worker_says_is_thrown_away_at_its_end(monkeypatch: pytest.MonkeyPatch, scratch: Path) -> None:
    with answering(monkeypatch, "print('noise', file=sys.stderr); " + ECHO) as engine:
        engine.hello()
        assert [path.name.startswith("insigma-fake-") for path in scratch.iterdir()] == [True]
    assert list(scratch.iterdir()) == []


def test_a_python_that_is_gone_is_told(monkeypatch: pytest.MonkeyPatch, scratch: Path) -> None:
    monkeypatch.setattr(process, "python_of", lambda spec: scratch / "bin" / "python")
    with pytest.raises(EngineDied, match="engine fake does not start: No such file"):
        EngineProcess(SPEC)
    assert list(scratch.iterdir()) == []


def test_the_adapters_come_last_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    source = process.START.replace("runpy.run_module", "print(__import__('json').dumps({'path': sys.path})) or __import__('sys').exit")
    with started(monkeypatch, source) as engine:
        path = engine.hello()["path"]
    assert path[-1] == str(Path(process.__file__).parent.parent)
