"""In each scenario the alerts of the whole pack are exactly those stated."""

from __future__ import annotations

import sys

import pytest

from insigma.assure.coverage import alerts
from insigma.content.model import Pack
from insigma.content.pack import load_pack
from tests.scenarios.day import Day
from tests.scenarios.scenario import ROOT, names, play, read
from tests.scenarios.verdicts import Alert, differences, judge, touched


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack(ROOT).pack


@pytest.mark.parametrize("name", names())
def test_the_alerts_are_exactly_those_stated(name: str, pack: Pack) -> None:
    scenario = read(name)
    sys.stdout.write(f"seed {scenario.seed}\n")
    events = play(scenario, pack)
    assert list(differences(scenario.alerts, judge(pack, events))) == []


@pytest.mark.parametrize("name", names())
def test_what_must_stay_quiet_is_there_and_is_a_rule_that_alerts(name: str, pack: Pack) -> None:
    scenario = read(name)
    events = play(scenario, pack)
    assert scenario.quiet, "say who looks like a thief and is none"
    alerting = {rule.header.label for rule in pack.rules if alerts(rule)}
    for entry in scenario.quiet:
        assert entry["rule"] in alerting
        assert entry["because"]
        assert set(entry) - {"rule", "because"} <= set(pack.taxonomy.fields)
        assert touched(entry, events), f"nothing in the day touches {entry}"
        stated = [one for one in scenario.alerts if one["rule"] == entry["rule"]]
        fields = {key: value for key, value in entry.items() if key not in ("rule", "because")}
        assert all(any(one.get(key) != value for key, value in fields.items()) for one in stated), f"{entry} is stated as an alert, too"


def test_a_seed_gives_one_day(pack: Pack) -> None:
    assert play(read(names()[0]), pack) == play(read(names()[0]), pack)


def test_an_event_that_no_feed_gives_is_refused(pack: Pack) -> None:
    day = Day("2026-02-12", pack.taxonomy)
    with pytest.raises(ValueError, match="unknown"):
        day.add("dlp", "10:00", {"user.name": "a", "event.action": "dlp-match", "insurance.channel": "usb", "insurance.claim.id": "C"})
    with pytest.raises(ValueError, match="no action"):
        day.add("dlp", "10:00", {"user.name": "a", "event.action": "dlp-seen", "insurance.channel": "usb"})
    with pytest.raises(ValueError, match="missing"):
        day.add("dlp", "10:00", {"event.action": "dlp-match", "insurance.channel": "usb"})


def test_what_nobody_said_is_unknown_as_an_adapter_writes_it(pack: Pack) -> None:
    day = Day("2026-02-12", pack.taxonomy)
    who = {"user.name": "a", "insurance.actor.type": "human", "insurance.context.off_hours": "yes"}
    what = {"event.action": "claim-view", "event.outcome": "success", "insurance.claim.id": "C", "insurance.claim.status": "open"}
    day.add("insurance_claims", "10:00", {**who, **what})
    (event,) = day.events
    assert (event["insurance.context.off_hours"], event["insurance.context.ticket_valid"]) == ("yes", "unknown")
    assert "insurance.policy.number" not in event


def test_differences_tell_what_is_missing_and_what_is_too_much() -> None:
    found = (Alert("a", {"user.name": "Anna"}), Alert("a", {"user.name": "bert"}), Alert("c", {"user.name": "carl"}, 5, 7))
    stated = [{"rule": "a", "user.name": "anna"}, {"rule": "a", "user.name": "bert"}, {"rule": "c", "user.name": "carl", "value": 5}]
    assert list(differences(stated, found)) == []
    assert len(list(differences(stated[:2], found))) == 1
    assert len(list(differences([*stated, {"rule": "d"}], found))) == 1
    assert len(list(differences([*stated[:2], {**stated[2], "value": 6}], found))) == 2
