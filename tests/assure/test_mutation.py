"""Mutants of a rule, and whether its fixture notices them."""

from __future__ import annotations

import pytest

from insigma.assure.condition_changes import condition_changes, written
from insigma.assure.mutants import Mutant, Severity, mutants_of
from insigma.assure.mutation import Trial, try_rule
from insigma.content.condition import parse_condition
from insigma.content.fixtures import read_fixture
from insigma.content.model import Pack, Rule
from insigma.content.predicate import leaves
from insigma.content.yaml_reader import read_bytes
from tests.assure.test_fixtures import pack_of

EXPORT = """\
title: Export
id: 4b708950-4fa1-52a0-b06b-bf79a6842f56
name: export
logsource: {category: test}
detection:
  selection:
    action: [export, print]
    records|gte: 100
  filter_main_batch:
    user|startswith: svc_
    kind: service
  filter_main_ticket:
    ticket: 'yes'
  condition: selection and not 1 of filter_main_*
level: high
"""

BURST = """\
title: Burst
name: burst
correlation:
  type: value_count
  rules: [export]
  group-by: [user]
  timespan: 1h
  condition: {field: claim, gte: 3}
"""

PRINTS = """\
title: Print
name: print
logsource: {category: test}
detection:
  selection: {action: print}
  condition: selection
"""


def mutants(rules: str, name: str) -> list[Mutant]:
    pack = pack_of(rules)
    return list(mutants_of(next(rule for rule in pack.rules if rule.header.name == name)))


def whats(rules: str, name: str, severity: Severity) -> set[str]:
    return {mutant.what for mutant in mutants(rules, name) if mutant.severity is severity}


def trial_of(rules: str, fixture: str) -> Trial:
    pack: Pack = pack_of(rules)
    found, faults = read_fixture(read_bytes(fixture.encode(), "tests/fixtures/f.yml").documents[0])
    assert found is not None
    assert not faults
    return try_rule(next(rule for rule in pack.rules if rule.header.name == found.rule), (found,), {}, pack)


def test_every_part_of_an_event_rule_is_dropped_once() -> None:
    assert whats(EXPORT, "export", Severity.DROPPED) == {
        "condition without 'selection'",
        "condition without 'not 1 of filter_main_*'",
        "no filter_main_batch",
        "no filter_main_ticket",
        "selection without action",
        "selection.action without export",
        "selection.action without print",
        "selection without records|gte",
        "filter_main_batch without user|startswith",
        "filter_main_batch without kind",
    }


def test_the_subtle_changes_of_an_event_rule() -> None:
    found = whats(EXPORT, "export", Severity.SUBTLE)
    assert {"selection.records|gte is 99", "selection.records|gte is 101", "selection.records|gte becomes records|gt"} <= found
    assert {"selection.records|gte becomes records", "filter_main_batch.user|startswith becomes user|contains"} <= found
    assert {"'1 of filter_main_*' without its 'not'", "'all of filter_main_*' for '1 of filter_main_*'"} <= found
    assert "'or' for 'and' in 'selection and not 1 of filter_main_*'" in found


def test_a_mutant_differs_from_its_rule_and_from_the_others() -> None:
    rule = next(rule for rule in pack_of(EXPORT).rules if isinstance(rule, Rule))
    predicates = [mutant.rule.predicate for mutant in mutants_of(rule) if isinstance(mutant.rule, Rule)]
    assert len(predicates) == len(set(predicates))
    assert rule.predicate not in predicates


def test_parts_of_a_correlation() -> None:
    rules = f"{EXPORT}---\n{PRINTS}---\n{BURST.replace('[export]', '[export, print]')}"
    assert whats(rules, "burst", Severity.DROPPED) == {"no export", "no print", "not by user"}
    assert {"timespan 3599s", "timespan 3601s", "gte 2", "gte 4", "gt 3", "counting events"} == whats(rules, "burst", Severity.SUBTLE)


def test_a_filter_of_another_file_can_be_dropped() -> None:
    body = "rules: [export], selection: {user: night}, condition: not selection"
    added = f"title: Night Run\nlogsource: {{category: test}}\nfilter: {{{body}}}\n"
    found = mutants(f"{EXPORT}---\n{added}", "export")
    without = next(mutant for mutant in found if mutant.what == "no filter Night Run")
    assert isinstance(without.rule, Rule)
    assert "night" not in str(list(leaves(without.rule.predicate)))
    others = [mutant.rule for mutant in found if mutant is not without]
    assert all("night" in str(list(leaves(rule.predicate))) for rule in others if isinstance(rule, Rule))


def test_a_mutant_stands_where_it_was_written() -> None:
    places = {mutant.what: mutant.place.line for mutant in mutants(EXPORT, "export")}
    assert places["selection.action without print"] == 7
    assert places["filter_main_batch without kind"] == 11


GOOD = """\
rule: export
defaults: {action: export, records: 100, user: anna, kind: human, ticket: 'no'}
cases:
  - {name: both actions, kind: match, expect: match, events: [{}, {action: print}, {records: 101}, {user: x_svc_, kind: service}]}
  - {name: another action, kind: miss, expect: none, events: [{action: view}, {action: export print}]}
  - {name: one fewer, kind: boundary, expect: none, events: [{records: 99}, {records: null}]}
  - {name: half of a filter, kind: match, expect: match, events: [{user: svc_a}, {kind: service}]}
  - {name: the batch, kind: lookalike, expect: none, events: [{user: svc_a, kind: service}]}
  - {name: a ticket, kind: lookalike, expect: none, events: [{ticket: 'yes'}]}
"""


def test_a_good_fixture_notices_every_drop() -> None:
    trial = trial_of(EXPORT, GOOD)
    assert trial.killed(Severity.DROPPED) == trial.made[Severity.DROPPED] == 10
    assert [survivor.mutant.what for survivor in trial.survivors] == []


def test_filters_that_hide_each_other_are_told() -> None:
    trial = trial_of(EXPORT, GOOD.replace("events: [{ticket: 'yes'}]", "events: [{ticket: 'yes', user: svc_a, kind: service}]"))
    assert [found.code for found in trial.findings()] == ["INS602"] * len(trial.survivors)
    assert "no filter_main_ticket" in {survivor.mutant.what for survivor in trial.survivors}


def test_a_subtle_survivor_can_be_explained_and_a_drop_cannot() -> None:
    weak = GOOD.replace(", {records: 101}", "").replace("records: 100", "records: 200")
    told = "survivors:\n  - {mutant: selection.records|gte is 101, because: amounts come in hundreds}\n"
    before, after = trial_of(EXPORT, weak), trial_of(EXPORT, weak + told)
    assert len(list(before.findings())) == len(list(after.findings())) + 1
    dropped = "survivors:\n  - {mutant: no filter_main_ticket, because: we like it}\n"
    hidden = GOOD.replace("events: [{ticket: 'yes'}]", "events: [{ticket: 'yes', user: svc_a, kind: service}]")
    assert any("no filter_main_ticket" in found.message for found in trial_of(EXPORT, hidden + dropped).findings())


def test_an_explanation_of_nothing_is_stale() -> None:
    trial = trial_of(EXPORT, GOOD + "survivors:\n  - {mutant: gone, because: it was}\n")
    assert [(found.code, found.place.line) for found in trial.findings()] == [("INS603", 11)]


@pytest.mark.parametrize(
    "text",
    ["a", "not a", "a and not 1 of b*", "a and (b or not c)", "not (a and b)", "1 of them", "all of x_* or (a and b and not c)"],
)
def test_a_condition_written_out_reads_back_the_same(text: str) -> None:
    assert written(parse_condition(written(parse_condition(text)))) == written(parse_condition(text)) == text


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("not (a or b)", "not a or b"),
        ("a and not b and not c", "a and not (b and not c)"),
        ("not a or b", "not (a or b)"),
    ],
)
def test_a_negation_may_reach_further_or_less_far(text: str, changed: str) -> None:
    assert changed in {change.text for change in condition_changes(parse_condition(text), ("a", "b", "c"))}


def test_no_change_doubles_a_negation() -> None:
    assert all("not not" not in change.text for change in condition_changes(parse_condition("a and not b"), ("a", "b")))
