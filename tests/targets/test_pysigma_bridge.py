"""The bridge to stock backends: discovery without imports, isolation, refusals, placeholders, no network."""

from __future__ import annotations

import copy
import importlib
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from insigma.bind.model import Refused
from insigma.targets.pysigma import discovery
from insigma.targets.pysigma.discovery import installed_backends
from insigma.targets.pysigma.isolation import restored
from insigma.targets.pysigma.placeholders import filled
from insigma.targets.pysigma.target import UNVERIFIED, PySigmaTarget


def rule(name: str, detection: dict[str, Any], number: int = 1) -> dict[str, Any]:
    return {
        "title": name,
        "id": f"5d1a4f0e-0000-4000-8000-00000000000{number}",
        "name": name,
        "status": "test",
        "logsource": {"category": "insurance_claims"},
        "detection": {**detection, "condition": detection.get("condition", "s")},
    }


VIEW = rule("view", {"s": {"event.action": "claim-view"}})
EITHER = rule("either", {"s": {"Image": "x"}, "t": {"CommandLine|re": "foo"}, "condition": "s or t"})
COUNT = {
    "title": "count",
    "status": "test",
    "correlation": {"type": "event_count", "rules": ["view"], "group-by": ["user.name"], "timespan": "1h", "condition": {"gte": 3}},
}


def test_the_stock_backends_are_found_by_name() -> None:
    found = installed_backends()
    assert found["splunk"] == "sigma.backends.splunk:SplunkBackend"
    assert found["lucene"] == "sigma.backends.elasticsearch:LuceneBackend"
    assert {"eql", "esql"} <= found.keys()
    assert list(found) == sorted(found)
    assert "test" not in found


def test_discovery_imports_no_backend() -> None:
    for name in [name for name in sys.modules if name.startswith("sigma.backends.elasticsearch")]:
        del sys.modules[name]
    installed_backends()
    assert not any(name.startswith("sigma.backends.elasticsearch") for name in sys.modules)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ('backends = {"one": OneBackend}\nfrom .x import OneBackend, TwoPartBackend', {"one": "OneBackend", "two_part": "TwoPartBackend"}),
        ('backends: dict = {"one": OneBackend}', {"one": "OneBackend"}),
        ("from sigma.conversion.base import TextQueryBackend\nclass MineBackend(TextQueryBackend): ...", {"mine": "MineBackend"}),
        ("def (", {}),
        ("\x00", {}),
        ("backends = dict(a=1)", {}),
    ],
)
def test_what_a_package_declares_is_read_from_its_source(tmp_path: Path, source: str, names: dict[str, str]) -> None:
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "__init__.py").write_text(source)
    assert dict(discovery._declared(tmp_path / "some")) == names


def test_an_event_rule_is_compiled_and_marked() -> None:
    detection = PySigmaTarget("splunk").compile_documents([VIEW])
    assert detection.query == 'event.action="claim-view"'
    assert (detection.target, detection.language, detection.window) == ("pysigma:splunk", "splunk", "unverified")
    assert detection.notes == (UNVERIFIED,)


def test_a_correlation_is_compiled_whatever_the_order_of_documents() -> None:
    target = PySigmaTarget("splunk")
    detection = target.compile_documents([COUNT, VIEW])
    assert detection == target.compile_documents([VIEW, COUNT])
    assert "event_count >= 3" in detection.query
    assert detection.schedule.lookback_ms == 3_900_000


def test_compiling_changes_no_document_and_repeats_itself() -> None:
    before = copy.deepcopy([VIEW, COUNT])
    target = PySigmaTarget("esql")
    first = target.compile_documents([VIEW, COUNT])
    assert target.compile_documents([VIEW, COUNT]) == first
    assert before == [VIEW, COUNT]


def test_a_failing_rule_leaves_nothing_behind_in_the_backend() -> None:
    target = PySigmaTarget("splunk")
    clean = target.compile_documents([EITHER]).query
    broken = rule("broken", {"s": {"Image": "x"}, "t": {"CommandLine|re": "foo"}, "u": {"a|cased": "Q"}, "condition": "s or t or u"})
    with pytest.raises(Refused):
        target.compile_documents([broken])
    assert target.compile_documents([EITHER]).query == clean


@pytest.mark.parametrize(
    ("backend", "documents", "reason"),
    [
        ("lucene", [VIEW, COUNT], "^Backend does not support correlation rules"),
        ("splunk", [{"title": "x"}], "^Sigma rule must have a log source"),
        ("splunk", [COUNT], "^Rule .*view"),
        ("splunk", [rule("x", {"s": {"a|nosuch": "b"}})], "nosuch"),
        ("splunk", [rule("x", {"s": {"a|expand": "%who%"}})], "%who%"),
        ("splunk", [VIEW, rule("other", {"s": {"a": "b"}}, 2)], "2 queries"),
        ("splunk", [], "no document"),
    ],
)
def test_whatever_a_backend_raises_is_a_refusal(backend: str, documents: list[dict[str, Any]], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        PySigmaTarget(backend).compile_documents(documents)


def test_a_backend_that_is_not_installed_is_refused() -> None:
    with pytest.raises(Refused, match=r"no pySigma backend 'nosuch' is installed; there are: .*splunk"):
        PySigmaTarget("nosuch")


def test_a_backend_that_fails_to_import_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insigma.targets.pysigma.target.installed_backends", lambda: {"broken": "sigma.backends.nosuch:NoBackend"})
    with pytest.raises(Refused, match="No module named"):
        PySigmaTarget("broken").compile_documents([VIEW])


def test_pysigma_may_not_fetch_or_run_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str | None] = []
    for name in ("PYSIGMA_ALLOW_EXTERNAL_SOURCES", "PYSIGMA_ALLOW_VARS_EXECUTION"):
        monkeypatch.setenv(name, "1")

    def convert(self: PySigmaTarget, documents: list[dict[str, Any]]) -> list[str]:
        seen.extend(os.environ.get(name) for name in ("PYSIGMA_ALLOW_EXTERNAL_SOURCES", "PYSIGMA_ALLOW_VARS_EXECUTION"))
        return ["q"]

    monkeypatch.setattr(PySigmaTarget, "_run", convert)
    PySigmaTarget("splunk").compile_documents([VIEW])
    assert seen == [None, None]
    assert os.environ["PYSIGMA_ALLOW_EXTERNAL_SOURCES"] == "1"


def test_lists_fill_placeholders_literally() -> None:
    document = rule(
        "x", {"s": {"user.name|expand": ["%batch%", "%a%-%b%"], "n": 5}, "t": [{"x|contains|expand": "%b%"}], "condition": "s or t"}
    )
    lists = {"batch": ["svc*", r"a\b?"], "a": ["1", "2"], "b": ["3"]}
    detection = filled(document, lists)["detection"]
    assert detection["s"] == {"user.name": [r"svc\*", r"a\\b\?", "1-3", "2-3"], "n": 5}
    assert detection["t"] == [{"x|contains": "3"}]
    assert "user.name|expand" in document["detection"]["s"]


@pytest.mark.parametrize("lists", [{}, {"who": []}])
def test_a_missing_or_empty_list_is_refused_at_its_place(lists: dict[str, list[str]]) -> None:
    with pytest.raises(Refused, match="%who%") as caught:
        filled(rule("x", {"s": {"a|expand": "%who%"}}), lists)
    assert caught.value.where == ("detection", "s", "a|expand")


def test_filled_lists_reach_the_query() -> None:
    document = rule("x", {"s": {"user.name|expand": "%who%"}})
    assert PySigmaTarget("splunk", {"who": ["a", "b"]}).compile_documents([document]).query == 'user.name IN ("a", "b")'


def test_state_of_classes_and_modules_is_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "foreign_backend.py").write_text("seen = []\nclass Counter:\n    counts = {'a': [1]}\n    names = {'x'}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("foreign_backend")

    def spoil() -> None:
        module.seen.append(1)
        module.Counter.counts["a"].append(2)
        module.Counter.counts["b"] = []
        module.Counter.names = set()
        raise RuntimeError

    with pytest.raises(RuntimeError), restored("foreign_backend"):
        spoil()
    assert module.seen == []
    assert module.Counter.counts == {"a": [1]}
    assert module.Counter.names == {"x"}
