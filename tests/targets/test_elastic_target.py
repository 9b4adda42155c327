"""The choice of language, the schedule, the pack's own mapping."""

from __future__ import annotations

from dataclasses import replace

import pytest

from insigma.bind.model import Refused
from insigma.content.model import TargetLogSource
from insigma.targets.base import Schedule
from insigma.targets.elastic.target import ElasticTarget
from tests.targets.elastic_harness import EXTRA, bound_correlation, bound_event, compiled, correlated, pack

SIMPLE = "s: {event.action: claim-view}\ncondition: s"


def test_lucene_is_the_first_choice() -> None:
    found = compiled(SIMPLE)
    assert (found.target, found.language, found.window, found.notes) == ("elastic", "lucene", "event", ())
    assert found.scope == {"index": "logs-insurance.claims-*"}


@pytest.mark.parametrize("language", ["lucene", "eql", "esql"])
def test_each_language_can_be_asked_for(language: str) -> None:
    found = compiled(SIMPLE, language)
    assert found.language == language
    assert '"insurance_claims"' in found.query
    assert '"claim-view"' in found.query


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(Refused, match="no language 'kuery'"):
        ElasticTarget(pack()[0], "kuery")


def test_a_refusal_gives_every_reason_once() -> None:
    with pytest.raises(Refused) as caught:
        compiled("s: {event.category|fieldref: user.name}\ncondition: s")
    assert caught.value.reason == (
        "Lucene: Lucene cannot compare two fields; EQL: 'event.category' may hold several values, on which Elastic documents EQL as "
        "unreliable; ES|QL: 'event.category' may hold several values: ES|QL compares those to null"
    )
    assert caught.value.where == ("detection",)
    with pytest.raises(Refused) as caught:
        compiled(r"s: {CommandLine|re: '\bfoo'}" + "\ncondition: s")
    assert caught.value.reason.startswith("the regular expression has '\\b'")


def test_the_look_back_covers_timespan_interval_and_delay() -> None:
    assert compiled(SIMPLE).schedule == Schedule(300_000, 600_000)
    ordered = "type: temporal_ordered\nrules: [view, pay]\ngroup-by: [user.name]\ntimespan: 1h"
    assert correlated(ordered).schedule == Schedule(300_000, 3_600_000 + 600_000)
    slow = TargetLogSource("insurance_payment", {"index": "x"}, 7_200_000)
    bound = bound_correlation(ordered)
    view, pay = bound.members
    late = replace(bound, members=(view, replace(pay, logsource=slow)))
    hourly = ElasticTarget(replace(pack()[0], options={"interval": "1h", "hops": 24}))
    assert hourly.compile(late).schedule == Schedule(3_600_000, 3_600_000 + 3_600_000 + 7_200_000)


@pytest.mark.parametrize("options", [{"interval": "soon"}, {"interval": 5}, {"hops": 1}, {"hops": "12"}, {"hops": True}, {"hops": 61}])
def test_options_that_make_no_schedule_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(Refused, match="option"):
        ElasticTarget(replace(pack()[0], options=options))


def test_a_log_source_without_index_is_refused() -> None:
    bound = bound_event(SIMPLE)
    for settings in ({}, {"index": "logs-* | DROP"}):
        with pytest.raises(Refused, match="index"):
            ElasticTarget(pack()[0]).compile(replace(bound, logsource=TargetLogSource("insurance_claims", settings, 0)))


def test_a_mapping_without_the_log_source_field_is_refused() -> None:
    mapping = pack()[0]
    bare = replace(mapping, fields={name: field for name, field in mapping.fields.items() if name != "insurance.logsource"})
    with pytest.raises(Refused, match=r"insurance\.logsource"):
        ElasticTarget(bare).compile(bound_event(SIMPLE))


def test_the_mapping_covers_the_taxonomy() -> None:
    mapping, taxonomy = pack()
    assert set(taxonomy.fields) == set(mapping.fields) - set(EXTRA)
    assert set(taxonomy.logsources) == set(mapping.logsources)


def test_the_mapping_keeps_the_taxonomys_types() -> None:
    mapping, taxonomy = pack()
    for name, field in taxonomy.fields.items():
        stored = mapping.fields[name]
        assert (stored.type, stored.array) == (field.type.value, field.array), name
        assert stored.case == ("lower" if stored.type == "keyword" else "any"), name


def test_queries_do_not_depend_on_anything_but_the_rule() -> None:
    assert compiled(SIMPLE) == compiled(SIMPLE)
