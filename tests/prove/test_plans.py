"""Plans as they are read from what our packagers really write."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from insigma.bind.model import BoundCorrelation
from insigma.content.lists import default_lists
from insigma.content.model import AnyRule, Correlation, Pack
from insigma.specialise.lists import fill_lists
from insigma.targets.base import Refused
from insigma_prove.plans import Plan, elastic_plan, sentinel_plan, splunk_plan
from insigma_prove.stands import STANDS, open_stand
from tests.prove.fakes import correlation, event_rule

MINUTE = 60_000
HOUR = 60 * MINUTE

Read = Callable[[str, AnyRule], Plan]


@pytest.fixture
def read(pack: Pack) -> Read:
    """The plan of a rule's detection, as its target packages it."""

    def plan(target: str, rule: AnyRule, language: str | None = None) -> Plan:
        stand = open_stand(target, pack)
        return stand.plan(stand.compile(rule, language))

    return plan


def test_a_splunk_event_search_sees_each_arrival_once(read: Read) -> None:
    plan = read("splunk", event_rule())
    assert plan.arrived is not None
    oldest, newest = plan.arrived
    assert oldest - newest == plan.interval_ms == 5 * MINUTE, "what arrives is seen by one run, and by no other"
    assert plan.lookback_ms >= oldest
    assert (plan.fields, plan.quiet_ms, plan.merges, plan.once) == ((), 0, False, False)


def test_a_splunk_correlation_holds_back_what_it_told_of_a_burst(read: Read) -> None:
    plan = read("splunk", correlation())
    assert plan == Plan(5 * MINUTE, 20 * MINUTE, None, ("user.name", "insigma_last"), 10 * MINUTE)


def test_an_elastic_event_rule_tells_an_event_once(read: Read) -> None:
    plan = read("elastic", event_rule())
    assert plan == Plan(5 * MINUTE, 10 * MINUTE, merges=True, once=True)


@pytest.mark.parametrize(("language", "once"), [("eql", True), ("esql", False)])
def test_an_elastic_correlation_takes_further_alerts_of_a_group_in(pack: Pack, language: str, once: bool) -> None:
    stand = open_stand("elastic", pack)
    plan = stand.plan(stand.compile(correlation(), language))
    assert plan == Plan(5 * MINUTE, 20 * MINUTE, None, ("user.name",), 20 * MINUTE, merges=True, once=once)


def test_a_sentinel_rule_tells_all_that_a_run_finds(read: Read) -> None:
    for rule, lookback in ((event_rule(), 10), (correlation(), 20)):
        plan = read("sentinel", rule)
        assert plan.interval_ms == 5 * MINUTE
        assert plan.lookback_ms >= lookback * MINUTE
        assert (plan.arrived, plan.fields, plan.quiet_ms, plan.merges, plan.once) == (None, (), 0, False, False)
        assert plan.late_ms == 5 * MINUTE, "a rule runs five minutes after its time"
        assert set(plan.clocks) == {0, plan.late_ms}, "by either clock"
    assert read("sentinel", correlation(timespan="1d")).lookback_ms >= 24 * HOUR + 5 * MINUTE


@pytest.mark.parametrize("target", sorted(STANDS))
def test_every_detection_of_the_pack_looks_back_far_enough(target: str, pack: Pack) -> None:
    """Timespan, interval and the longest accepted delay: else a late event is never counted. Only roll-ups may look back less."""
    stand = open_stand(target, pack)
    rules = fill_lists(pack.rules, default_lists(pack)).rules
    for rule in rules:
        try:
            compiled = stand.compile(rule, None)
        except Refused:
            continue
        plan = stand.plan(compiled)
        span = rule.timespan_ms if isinstance(rule, Correlation) else 0
        assert isinstance(compiled.bound, BoundCorrelation) is isinstance(rule, Correlation)
        if not compiled.detection.companions:
            assert plan.lookback_ms >= span + plan.interval_ms + compiled.delay_ms - (plan.arrived[1] if plan.arrived else 0), (
                rule.header.label
            )
        assert plan.interval_ms == compiled.detection.schedule.interval_ms


STANZA = """[a rule]
search = index=a \\
alert.suppress = 1 \\
| where x = "cron_schedule = * * * * *"
cron_schedule = {cron}
dispatch.earliest_time = -3900s@s
dispatch.latest_time = now
{more}
"""


@pytest.mark.parametrize(
    ("cron", "minutes"),
    [
        ("*/5 * * * *", 5),
        ("3-59/10 * * * *", 10),
        ("* * * * *", 1),
        ("0 */6 * * *", 360),
        ("7 * * * *", 60),
        ("7 3 * * *", 1440),
        ("17 3/4 * * *", 240),
    ],
)
def test_the_interval_of_a_stanza_is_that_of_its_cron_line(cron: str, minutes: int) -> None:
    plan = splunk_plan(STANZA.format(cron=cron, more=""))
    assert (plan.interval_ms, plan.lookback_ms) == (minutes * MINUTE, 65 * MINUTE)


def test_suppression_of_a_stanza_is_read_only_where_it_is_on() -> None:
    period = "alert.suppress.fields = a,b\nalert.suppress.period = 90m"
    assert splunk_plan(STANZA.format(cron="* * * * *", more=f"alert.suppress = 1\n{period}")).quiet_ms == 90 * MINUTE
    assert splunk_plan(STANZA.format(cron="* * * * *", more=f"alert.suppress = 1\n{period}")).fields == ("a", "b")
    assert splunk_plan(STANZA.format(cron="* * * * *", more=f"alert.suppress = 0\n{period}")).quiet_ms == 0


def kibana(**changes: Any) -> str:
    return json.dumps({"type": "eql", "interval": "5m", "from": "now-2100s", **changes})


def test_a_kibana_rule_without_suppression_tells_an_event_once() -> None:
    assert elastic_plan(kibana()) == Plan(5 * MINUTE, 35 * MINUTE, merges=True, once=True)
    block = {"group_by": ["a"], "duration": {"value": 2, "unit": "h"}}
    assert elastic_plan(kibana(type="esql", alert_suppression=block)) == Plan(5 * MINUTE, 35 * MINUTE, None, ("a",), 2 * HOUR, merges=True)


@pytest.mark.parametrize(("written", "minutes"), [("PT5M", 5), ("PT1H30M", 90), ("P1D", 1440), ("P14DT2H", 20_280)])
def test_a_sentinel_rules_durations_are_read(written: str, minutes: int) -> None:
    plan = sentinel_plan(f"queryFrequency: PT5M\nqueryPeriod: {written}\n")
    assert (plan.interval_ms, plan.lookback_ms) == (5 * MINUTE, minutes * MINUTE)


@pytest.mark.parametrize("written", ["5m", "PT5S", "P1Y", "now"])
def test_another_spelling_of_a_duration_is_an_error(written: str) -> None:
    with pytest.raises(ValueError, match="no duration of days, hours and minutes"):
        sentinel_plan(f"queryFrequency: PT5M\nqueryPeriod: {written}\n")
