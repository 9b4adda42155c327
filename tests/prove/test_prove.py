"""The proof of a pack on the real SPL engine: what is right holds, and whatever is broken in a query is found out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from insigma.content.model import AnyRule, Pack
from insigma.release.proofs import digest_of_events, digest_of_query
from insigma.targets.base import Refused
from insigma_prove import engines, prove
from insigma_prove.engines import Engine
from insigma_prove.process import EngineDied, EngineProcess
from insigma_prove.prove import Bench, Proof, provable
from insigma_prove.stands import Compiled, SplunkStand
from tests.engines import seat
from tests.prove.broken import CASES, everything, first_cases, only, silent, with_stand
from tests.prove.fakes import Fake


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return first_cases(tmp_path_factory.mktemp("pack"))


@pytest.fixture
def spl(bench: Bench) -> Bench:
    """The engines, with that of SPL there."""
    seat(bench, "splunk", "spl")
    return bench


def test_every_rule_of_a_pack_is_proved(small: Pack, spl: Bench) -> None:
    told: list[tuple[str, str]] = []
    proofs = list(prove.prove(small, ["splunk"], spl, everything, lambda *words: told.append(words)))
    assert sorted(proof.rule.header.label for proof in proofs) == ["ins-clm-010", "ins-clm-012", "ins-clm-c04"]
    assert sorted(told) == [("splunk", "ins-clm-010"), ("splunk", "ins-clm-012"), ("splunk", "ins-clm-c04")]
    fixtures = {fixture.rule: fixture for fixture in small.fixtures}
    for proof in proofs:
        assert (proof.faults, proof.reason, proof.refused) == ((), "", False)
        assert (proof.grade, proof.cases, proof.language) == ("executed", CASES, "spl")
        assert proof.engine.startswith("insigma's SPL interpreter")
        assert proof.events == digest_of_events(fixtures[proof.rule.header.label])
        assert proof.query == digest_of_query(SplunkStand(small).compile(proof.rule, None).detection)


@pytest.mark.parametrize(
    ("rule", "old", "new", "told"),
    [
        ("ins-clm-010", r"lower\('([^']+)'\)", r"'\1'", "does not find it"),
        ("ins-clm-010", r'insurance\.logsource="insurance_claims"', 'insurance.logsource="insurance_payment"', "does not find it"),
        ("ins-clm-010", r"(?s)\| where.*", "", "which the rule does not match"),
        ("ins-clm-c04", "insigma_value>=10", "insigma_value>=11", "alerts by the rule, but not by the query"),
        ("ins-clm-c04", "insigma_value>=10", "insigma_value>=9", "alerts from"),
        ("ins-clm-c04", r"insigma_ms\+1800000", "insigma_ms+60000", "alerts by the rule, but not by the query"),
        ("ins-clm-c04", r"max\(insigma_value\)", "min(insigma_value)", "has the value"),
        ("ins-clm-c04", "min\\(insigma_ms\\) as insigma_first", "max(insigma_ms) as insigma_first", "alerts from"),
        ("ins-clm-c04", " insigma_last insigma_truncated", " insigma_truncated", "nothing in the column insigma_last"),
        ("ins-clm-c04", "(?s)$", " | stats count", "the engine rejects the query (run)"),
        ("ins-clm-010", "(?s)$", " | where (", "the engine rejects the query (parse)"),
        ("ins-clm-010", "(?s)$", " | stats count", "where hits are expected"),
    ],
)
def test_a_query_that_is_broken_is_disproved(
    rule: str, old: str, new: str, told: str, small: Pack, spl: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_stand(monkeypatch, old, new)
    (proof,) = prove.prove(small, ["splunk"], spl, only(rule), silent)
    assert proof.faults
    assert any(told in message for _, message in proof.faults), proof.faults
    names = {case.name for fixture in small.fixtures for case in fixture.cases}
    assert {case for case, _ in proof.faults} <= names


def test_a_rule_that_the_compiler_refuses_is_told_with_its_reason(small: Pack, spl: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    class Refuses(SplunkStand):
        def compile(self, rule: AnyRule, language: str | None) -> Compiled:
            raise Refused("it cannot be said", ())

    monkeypatch.setattr(prove, "open_stand", lambda target, pack: Refuses(pack))
    (proof,) = prove.prove(small, ["splunk"], spl, only("ins-clm-010"), silent)
    assert (proof.grade, proof.reason, proof.refused, proof.faults) == ("unchecked", "it cannot be said", True, ())


def unchecked(pack: Pack, bench: Bench) -> Proof:
    (proof,) = prove.prove(pack, ["splunk"], bench, only("ins-clm-010"), silent)
    assert (proof.grade, proof.refused, proof.faults) == ("unchecked", False, ())
    return proof


def test_what_nobody_judges_is_unchecked_with_the_reason(small: Pack) -> None:
    with Bench(lambda spec: False) as nobody:
        assert unchecked(small, nobody).reason == "no engine for it is installed"
        assert nobody.absent == {}
    with seated(Fake(lambda query: {"hits": []})) as bench:
        assert unchecked(replace(small, fixtures=()), bench).reason == "the rule has no fixture"
        bare = tuple(replace(fixture, cases=()) for fixture in small.fixtures)
        assert unchecked(replace(small, fixtures=bare), bench).reason == "the rule's fixture has no cases"
    cannot = Fake(lambda query: {"error": {"stage": "unsupported", "message": "no lookup"}})
    with seated(cannot) as bench:
        proof = unchecked(small, bench)
        assert proof.reason == "the engine's adapter cannot run it: no lookup"
        assert proof.cases == 1


def seated(client: Fake) -> Bench:
    bench = Bench(lambda spec: False)
    bench.add("spl", client)
    return bench


def test_the_grade_is_what_the_engine_does_with_the_language(small: Pack) -> None:
    for grade in ("executed", "typed", "parsed"):
        client = Fake(lambda query: {"hits": []}, said={"engine": "Fake", "version": "1", "languages": {"spl": grade}})
        with seated(client) as bench:
            (proof,) = prove.prove(small, ["splunk"], bench, only("ins-clm-010"), silent)
        assert (proof.grade, proof.engine) == (grade, "Fake 1")
        assert proof.faults, "an engine that finds nothing disproves whatever its grade"


def test_what_promises_nothing_is_not_called_executed(small: Pack, spl: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    class Approximate(SplunkStand):
        def compile(self, rule: AnyRule, language: str | None) -> Compiled:
            compiled = super().compile(rule, language)
            return replace(compiled, detection=replace(compiled.detection, window="approximate"))

    monkeypatch.setattr(prove, "open_stand", lambda target, pack: Approximate(pack))
    (proof,) = prove.prove(small, ["splunk"], spl, only("ins-clm-c04"), silent)
    assert (proof.grade, proof.faults, proof.cases) == ("typed", (), CASES)


def test_a_seated_client_takes_the_place_of_the_engine(small: Pack) -> None:
    client = Fake(lambda query: {"hits": []}, said={"engine": "Splunk", "version": "9", "languages": {"spl": "executed"}})
    client.said["versions"] = {"spl": "Splunk 9.4 itself"}
    with Bench(lambda spec: True) as bench:
        bench.add("spl", client)
        (found,) = bench.seats("splunk", "spl")
        assert (found.client, found.names["spl"]) == (client, "Splunk 9.4 itself")
    for said in ({}, {"engine": "x"}, {"error": {"stage": "request", "message": "no such op"}}):
        with Bench(lambda spec: True) as bench, pytest.raises(EngineDied):
            bench.add("spl", Fake(lambda query: {}, said=said))


def test_engines_that_are_missing_or_die_at_once_are_absent_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSIGMA_ENGINES", str(tmp_path))
    with Bench(lambda spec: True) as bench:
        assert bench.seats("splunk", "spl") == []
        assert bench.absent == {"spl": "it is not installed"}

    def dies(spec: Engine) -> EngineProcess:
        raise EngineDied(f"engine {spec.name}: it ended; it said: no memory")

    monkeypatch.setattr(prove, "missing", lambda spec: "")
    monkeypatch.setattr(prove, "EngineProcess", dies)
    with Bench(lambda spec: True) as bench:
        assert bench.seats("splunk", "spl") == []
        assert bench.seats("splunk", "spl") == []
        assert bench.absent == {"spl": "engine spl: it ended; it said: no memory"}


def test_an_engine_is_started_once_and_only_when_it_is_wanted(small: Pack, spl: Bench) -> None:
    assert spl.seats("splunk", "spl")[0] is spl.seats("splunk", "spl")[0]
    with Bench(lambda spec: spec.name == "opensearch") as bench:
        assert bench.seats("splunk", "spl") == []
        assert bench.absent == {}


def test_only_targets_that_are_mapped_can_be_proved(small: Pack) -> None:
    assert provable(["splunk", "pysigma:splunk", "elastic"], small) == ["splunk", "elastic"]
    assert provable(["splunk"], replace(small, mappings={})) == []
    assert engines.engine("spl").target in provable(["splunk"], small)
