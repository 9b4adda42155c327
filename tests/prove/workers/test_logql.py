"""The LogQL adapter through its process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from insigma_prove.engines import engine, missing
from insigma_prove.process import EngineProcess


@pytest.fixture(scope="module")
def parser() -> Iterator[EngineProcess]:
    spec = engine("logql")
    if why := missing(spec):
        pytest.skip(f"Loki's parser is not here: {why} (insigma prove --install --all)")
    with EngineProcess(spec) as process:
        yield process


def test_hello_names_the_version_of_loki(parser: EngineProcess) -> None:
    said = parser.hello()
    assert said["languages"] == {"loki": "parsed"}
    assert said["version"].split(".")[0] == "3"


@pytest.mark.parametrize(
    "query",
    [
        '{job=~".+"} | json | user_name=~`(?i)^ann$`',
        '{job=~".+"} | logfmt | n>=5 and ip_addr=ip("10.0.0.0/8")',
        '{job=~".+"} |~ `(?i)error|denied` | json | a!~`(?i).*b.*`',
        'sum by (user_name) (count_over_time({job=~".+"} | json | a="x" [5m])) >= 2',
    ],
)
def test_what_loki_parses_is_accepted(parser: EngineProcess, query: str) -> None:
    assert parser.check("loki", query, {}) == {"ok": True}


@pytest.mark.parametrize("query", ["", '{job=~".+"} |', '{job=~".+"} |= 0', '{job=~"(("}', '{job=~".+"} | json | a=~`(((`', 'a and {b="c"'])
def test_what_loki_does_not_parse_is_refused(parser: EngineProcess, query: str) -> None:
    assert parser.check("loki", query, {})["error"]["stage"] == "parse"


def test_nothing_is_executed(parser: EngineProcess) -> None:
    parser.open({}, [{"a": 1}])
    assert parser.run("loki", '{job=~".+"}', {})["error"]["stage"] == "unsupported"


def test_what_cannot_be_handed_over_is_not_supported(parser: EngineProcess) -> None:
    assert parser.check("loki", '{job="a"} | json\0 |', {})["error"]["stage"] == "unsupported"
    assert parser.check("spl", "search a=1", {})["error"]["stage"] == "unsupported"
