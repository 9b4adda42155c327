"""Schedules proved over a day on the real SPL engine, and what is broken in them found out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from insigma.content.model import AnyRule, Pack
from insigma.targets.base import Refused
from insigma_prove import schedules
from insigma_prove.plans import Plan
from insigma_prove.prove import Bench
from insigma_prove.schedules import DayProof, prove_schedules
from insigma_prove.stands import Compiled, SplunkStand
from tests.engines import seat
from tests.prove.broken import everything, first_cases, only, silent, with_stand


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """Few cases, so that a day is short."""
    return first_cases(tmp_path_factory.mktemp("pack"), 2)


@pytest.fixture
def spl(bench: Bench) -> Bench:
    """The engines, with that of SPL there."""
    seat(bench, "splunk", "spl")
    return bench


def days(pack: Pack, bench: Bench, rule: str, seed: int = 1) -> list[DayProof]:
    return list(prove_schedules(pack, ["splunk"], bench, only(rule), silent, seed))


def test_schedules_hold_over_a_day(short: Pack, spl: Bench) -> None:
    for rule, language in (("ins-clm-010", "spl"), ("ins-clm-c04", "spl")):
        (proof,) = days(short, spl, rule)
        assert proof.faults == ()
        assert (proof.rule.header.label, proof.target, proof.language) == (rule, "splunk", language)
        assert proof.runs > 0
        assert proof.alerts > 0


@pytest.mark.parametrize(
    ("rule", "broken", "told"),
    [
        ("ins-clm-c04", ("insigma_value>=10", "insigma_value>=9999"), "no run finds"),
        ("ins-clm-c04", ("", "", lambda plan: replace(plan, lookback_ms=plan.interval_ms)), "no run finds"),
        ("ins-clm-c04", ("", "", lambda plan: replace(plan, quiet_ms=0)), "with nothing new"),
        ("ins-clm-010", ("", "", lambda plan: replace(plan, arrived=None)), "times"),
        ("ins-clm-010", ("", "", lambda plan: replace(plan, lookback_ms=60_000)), "is never delivered"),
        ("ins-clm-010", (r"(?s)$", " | where ("), "parse: "),
    ],
)
def test_a_schedule_that_is_broken_is_disproved(
    rule: str, broken: tuple[Any, ...], told: str, short: Pack, spl: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_stand(monkeypatch, *broken)
    (proof,) = days(short, spl, rule)
    assert any(told in fault for fault in proof.faults), proof.faults


def test_a_day_is_the_same_for_the_same_seed(short: Pack, spl: Bench) -> None:
    first, again = (days(short, spl, "ins-clm-010", seed=5) for _ in range(2))
    assert first == again


def test_what_cannot_be_compiled_packaged_or_judged_has_no_day(short: Pack, spl: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with Bench(lambda spec: False) as nobody:
        assert list(prove_schedules(short, ["splunk"], nobody, everything, silent, 1)) == []

    class Refuses(SplunkStand):
        def compile(self, rule: AnyRule, language: str | None) -> Compiled:
            if rule.header.label == "ins-clm-010":
                raise Refused("it cannot be said", ())
            return super().compile(rule, language)

        def plan(self, compiled: Compiled) -> Plan:
            raise Refused("it cannot be scheduled", ())

    monkeypatch.setattr(schedules, "open_stand", lambda target, pack: Refuses(pack))
    told: list[str] = []
    assert list(prove_schedules(short, ["splunk"], spl, everything, lambda _, rule: told.append(rule), 1)) == []
    assert sorted(told) == ["ins-clm-010 over a day", "ins-clm-012 over a day", "ins-clm-c04 over a day"]
