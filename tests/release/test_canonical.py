"""The canonical form: another way to write a rule changes nothing, another meaning always something."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from insigma.assure.mutants import mutants_of
from insigma.content.assemble import Assembled, assemble
from insigma.content.model import AnyRule, Correlation, CorrelationCondition, Filter, LogSource, Pack, Rule
from insigma.content.pack import load_pack
from insigma.content.predicate import And, Match, Named, Not, Number, Or, Predicate, Text
from insigma.content.yaml_reader import Document, read_bytes
from insigma.release.canonical import canonical, digest, logic_of, logic_of_filter, meaning, metadata_of, query_of
from insigma.targets.base import Companion, Detection, Schedule
from tests.cli.harness import ROOT, SOURCES

BASE = """\
title: Claim Opened
name: ins-x-001
description: A claim is opened.
level: low
taxonomy: insurance
logsource: {category: insurance_claims}
detection:
  selection:
    event.action: [claim-view, claim-export]
    insurance.record_count|gte: 5
  filter_main_jobs:
    user.name|startswith: svc_
  condition: selection and not 1 of filter_main_*
insurance:
  role: base
"""
OTHER = BASE.replace("ins-x-001", "ins-x-002").replace("claim-export", "claim-print").replace("Opened", "Printed")
COUNT = """\
title: Many Claims Opened
name: ins-x-c01
level: high
taxonomy: insurance
correlation:
  type: value_count
  rules: [ins-x-001, ins-x-002]
  group-by: [user.name]
  timespan: 1h
  aliases:
    what: {ins-x-001: insurance.claim.id, ins-x-002: insurance.policy.number}
    who: {ins-x-001: user.name, ins-x-002: user.name}
  condition: {field: what, gte: 60, lt: 900}
insurance:
  role: alert
  context: {requires: [], if_unknown: downgrade}
  thresholds: {clm_per_hour: {default: 60, min: 20, max: 200}}
  lob: [any]
"""
BOTH = """\
title: Opened And Printed
name: ins-x-c02
level: high
taxonomy: insurance
correlation:
  type: temporal
  rules: [ins-x-001, ins-x-002]
  group-by: [user.name]
  timespan: 1h
  condition: ins-x-001 and ins-x-002
"""
FILTER = """\
title: Auditors
name: auditors
logsource: {category: insurance_claims}
filter:
  rules: [ins-x-001, ins-x-002]
  selection: {user.name: auditor}
  condition: not selection
"""


def assembled(*texts: str) -> Assembled:
    documents = [document for index, text in enumerate(texts) for document in read_bytes(text.encode(), f"rules/{index}.yml").documents]
    found = assemble(documents)
    assert found.diagnostics == ()
    return found


def rules(*texts: str) -> dict[str, AnyRule]:
    return {rule.header.label: rule for rule in assembled(*texts).rules}


def logics(*texts: str) -> dict[str, str]:
    return {label: digest(logic_of(rule)) for label, rule in rules(*texts).items()}


def metadatas(*texts: str) -> dict[str, str]:
    return {label: digest(metadata_of(rule.header.document.data)) for label, rule in rules(*texts).items()}


def changed(before: str, after: str, *others: str) -> tuple[bool, bool]:
    """Whether logic and metadata of the rule differ between the two texts."""
    (label,) = (document.data["name"] for document in read_bytes(after.encode(), "a.yml").documents)
    one, two = (before, *others), (after, *others)
    return logics(*one)[label] != logics(*two)[label], metadatas(*one)[label] != metadatas(*two)[label]


# Another way to write it


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack(ROOT).pack


def shuffled(value: Any, chance: random.Random) -> Any:
    """The data with the keys of every mapping in another order."""
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    return [shuffled(entry, chance) for entry in value] if isinstance(value, list) else value


def test_a_pack_with_its_keys_and_files_shuffled_and_written_otherwise_is_the_same(pack: Pack) -> None:
    chance = random.Random(20261122)
    again: list[Document] = []
    for document in pack.rule_documents:
        data = shuffled(document.data, chance)
        text = json.dumps(data) if chance.random() < 0.3 else yaml.safe_dump(data, sort_keys=False, width=60, allow_unicode=True)
        again += read_bytes(text.encode(), document.path).documents
    chance.shuffle(again)
    moved = assemble(again)
    assert moved.diagnostics == ()
    assert len(moved.rules) == len(pack.rules) > 100
    logic = {rule.header.label: digest(logic_of(rule)) for rule in pack.rules}
    metadata = {rule.header.label: digest(metadata_of(rule.header.document.data)) for rule in pack.rules}
    assert {rule.header.label: digest(logic_of(rule)) for rule in moved.rules} == logic
    assert {rule.header.label: digest(metadata_of(rule.header.document.data)) for rule in moved.rules} == metadata


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title: Claim Opened", "# a comment\ntitle:   'Claim Opened'"),
        ("selection", "chosen"),
        ("filter_main_jobs", "filter_main_other"),
        ("[claim-view, claim-export]", "[claim-export, claim-view]"),
        ("[claim-view, claim-export]", "\n      - claim-view\n      - claim-export"),
        ("condition: selection and not 1 of filter_main_*", "condition: not filter_main_jobs and selection"),
        ("|gte: 5", "|gte: 5.0"),
    ],
)
def test_another_way_to_write_a_rule_changes_nothing(old: str, new: str) -> None:
    assert old in BASE
    assert changed(BASE, BASE.replace(old, new)) == (False, False)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{field: what, gte: 60, lt: 900}", "{lt: 900, gte: 60, field: what}"),
        ("rules: [ins-x-001, ins-x-002]", "rules: [ins-x-002, ins-x-001]"),
        ("timespan: 1h", "timespan: 60m"),
        ("{default: 60, min: 20, max: 200}", "{max: 200, min: 20, default: 60.0}"),
    ],
)
def test_another_way_to_write_a_correlation_changes_nothing(old: str, new: str) -> None:
    assert old in COUNT
    assert changed(COUNT, COUNT.replace(old, new), BASE, OTHER) == (False, False)


def test_a_correlation_does_not_care_what_its_rules_are_called() -> None:
    before = logics(BASE, OTHER, COUNT, BOTH)
    renamed = [text.replace("ins-x-001", "ins-x-901") for text in (BASE, OTHER, COUNT, BOTH)]
    after = logics(*renamed)
    assert (after["ins-x-c01"], after["ins-x-c02"], after["ins-x-901"]) == (before["ins-x-c01"], before["ins-x-c02"], before["ins-x-001"])


def test_the_order_of_an_ordered_correlation_is_its_meaning() -> None:
    ordered = BOTH.replace("type: temporal", "type: temporal_ordered").replace("  condition: ins-x-001 and ins-x-002\n", "")
    backwards = ordered.replace("[ins-x-001, ins-x-002]", "[ins-x-002, ins-x-001]")
    assert changed(ordered, backwards, BASE, OTHER) == (True, False)


# Another meaning


def test_every_mutant_of_the_packs_rules_has_another_logic(pack: Pack) -> None:
    made = 0
    for rule in pack.rules[::4]:
        before = digest(logic_of(rule))
        for mutant in mutants_of(rule):
            made += 1
            assert digest(logic_of(mutant.rule)) != before, (rule.header.label, mutant.what)
    assert made > 300


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("claim-view", "claim-print"),
        ("[claim-view, claim-export]", "[claim-view]"),
        ("event.action:", "event.outcome:"),
        ("|gte: 5", "|gt: 5"),
        ("|gte: 5", "|gte: 6"),
        ("|startswith: svc_", "|startswith|cased: svc_"),
        ("and not 1 of", "and 1 of"),
        ("category: insurance_claims", "category: insurance_policy"),
        ("category: insurance_claims", "category: insurance_claims, service: files"),
        ("taxonomy: insurance", "taxonomy: sigma"),
        ("role: base", "role: alert"),
    ],
)
def test_each_part_of_the_logic_of_a_rule_counts(old: str, new: str) -> None:
    assert old in BASE
    assert changed(BASE, BASE.replace(old, new)) == (True, False)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("value_count", "value_sum"),
        ("rules: [ins-x-001, ins-x-002]\n  group-by: [user.name]", "rules: [ins-x-001, ins-x-002]\n  group-by: [user.name, device.id]"),
        ("timespan: 1h", "timespan: 61m"),
        ("gte: 60, ", "gte: 61, "),
        ("gte: 60, ", "gt: 60, "),
        (", lt: 900", ""),
        ("field: what", "field: who"),
        ("ins-x-002: insurance.policy.number", "ins-x-002: insurance.claim.id"),
        ("  group-by", "  generate: true\n  group-by"),
        ("if_unknown: downgrade", "if_unknown: suppress"),
        ("max: 200", "max: 300"),
        ("{default: 60,", "{default: 61,"),
        ("role: alert", "role: signal"),
    ],
)
def test_each_part_of_the_logic_of_a_correlation_counts(old: str, new: str) -> None:
    assert old in COUNT
    assert changed(COUNT, COUNT.replace(old, new), BASE, OTHER) == (True, False)


@pytest.mark.parametrize("condition", ["ins-x-001 or ins-x-002", "ins-x-001", "ins-x-001 and not ins-x-002"])
def test_the_condition_over_rules_counts(condition: str) -> None:
    assert changed(BOTH, BOTH.replace("condition: ins-x-001 and ins-x-002", f"condition: {condition}"), BASE, OTHER) == (True, False)
    swapped = BOTH.replace("condition: ins-x-001 and ins-x-002", "condition: ( ins-x-002 ) and ins-x-001")
    assert changed(BOTH, swapped, BASE, OTHER) == (False, False)


def test_the_logic_of_a_base_rule_and_of_its_filters_is_that_of_the_correlation_too() -> None:
    before = logics(BASE, OTHER, COUNT)
    after = logics(BASE.replace("claim-view", "claim-print"), OTHER, COUNT)
    assert {label for label in before if before[label] != after[label]} == {"ins-x-001", "ins-x-c01"}
    filtered = logics(BASE, OTHER, COUNT, FILTER)
    assert {label for label in before if before[label] != filtered[label]} == {"ins-x-001", "ins-x-002", "ins-x-c01"}


def test_what_a_filter_takes_away_and_from_which_rules_counts() -> None:
    def of(text: str) -> str:
        (found,) = assembled(BASE, OTHER, text).filters
        return digest(logic_of_filter(found, {"ins-x-001": "one", "alias": "one", "ins-x-002": "two"}))

    before = of(FILTER)
    same = FILTER.replace("[ins-x-001, ins-x-002]", "[ins-x-002, ins-x-001]").replace("selection", "who").replace("Auditors", "People")
    assert of(same) == before
    for old, new in (
        ("user.name: auditor", "user.name: auditors"),
        ("[ins-x-001, ins-x-002]", "[ins-x-001]"),
        ("[ins-x-001, ins-x-002]", "any"),
    ):
        assert of(FILTER.replace(old, new)) != before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title: Many", "title: More"),
        ("lob: [any]", "lob: [motor]"),
        ("level: high", "level: high\ntags: [attack.t1213]"),
        ("level: high", "level: high\nreferences: [https://example.org]"),
        ("level: high", "level: high\nfalsepositives: [none]"),
        ("level: high", "level: high\nfields: [user.name]"),
        ("level: high", "level: high\nmodified: 2026-11-22"),
        ("level: high", "level: high\nlogsource: {definition: switched on}"),
    ],
)
def test_the_rest_of_the_document_is_metadata(old: str, new: str) -> None:
    assert old in COUNT
    assert changed(COUNT, COUNT.replace(old, new), BASE, OTHER) == (False, True)


def test_the_level_is_neither() -> None:
    assert changed(COUNT, COUNT.replace("level: high", "level: low"), BASE, OTHER) == (False, False)


def test_nothing_of_the_model_is_left_out() -> None:
    """A new field of a rule has to find its place in the form before this test is changed."""
    assert {field.name for field in fields(Rule)} == {"header", "logsource", "predicate", "filtered_by"}
    assert {field.name for field in fields(Correlation)} == {
        "header",
        "type",
        "rules",
        "members",
        "group_by",
        "timespan_ms",
        "condition",
        "aliases",
        "generate",
    }
    assert {field.name for field in fields(CorrelationCondition)} == {"bounds", "fields", "percentile", "expression"}
    assert {field.name for field in fields(Filter)} == {"header", "logsource", "rules", "predicate"}
    assert {field.name for field in fields(LogSource)} == {"category", "product", "service"}


DETECTION = Detection("splunk", "spl", "index=a", Schedule(300_000, 900_000), "event")


@pytest.mark.parametrize(
    "change",
    [
        {"query": "index=b"},
        {"language": "kql"},
        {"window": "exact"},
        {"schedule": Schedule(300_000, 900_001)},
        {"companions": (Companion("function", "f", "x"),)},
        {"scope": {"index": "a"}},
        {"group_fields": ("user",)},
    ],
)
def test_all_of_a_detection_counts_but_its_notes(change: dict[str, Any]) -> None:
    assert digest(query_of(replace(DETECTION, **change))) != digest(query_of(DETECTION))
    assert digest(query_of(replace(DETECTION, **change, notes=("a",)))) == digest(query_of(replace(DETECTION, **change)))


# Predicates of any shape

LEAVES = st.builds(Match, st.sampled_from(["a", "b", "c"]), st.builds(Number, st.integers(0, 5)))


def trees(leaves: st.SearchStrategy[Predicate]) -> st.SearchStrategy[Predicate]:
    def larger(inner: st.SearchStrategy[Predicate]) -> st.SearchStrategy[Predicate]:
        several = st.lists(inner, min_size=2, max_size=4).map(tuple)
        return st.one_of(several.map(And), several.map(Or), inner.map(Not), st.builds(Named, st.text(max_size=3), inner))

    return st.recursive(leaves, larger, max_leaves=12)


def rewritten(predicate: Predicate, chance: random.Random) -> Predicate:
    """The same meaning in other words: operands in another order, one of them twice, some of them in a group of their own."""
    match predicate:
        case And(operands) | Or(operands):
            inner = [rewritten(operand, chance) for operand in operands]
            inner.append(chance.choice(inner))
            chance.shuffle(inner)
            kind: Callable[[tuple[Predicate, ...]], Predicate] = type(predicate)
            return kind((*inner[:-2], kind(tuple(inner[-2:]))))
        case Not(operand):
            return Not(rewritten(operand, chance))
        case Named(name, operand):
            return rewritten(operand, chance) if chance.random() < 0.5 else Named(name + "x", rewritten(operand, chance))
        case _:
            return Named("new", predicate)


def with_fresh_leaf(predicate: Predicate, chance: random.Random) -> Predicate:
    """The predicate with one leaf made another that stands nowhere in it."""
    match predicate:
        case And(operands) | Or(operands):
            index = chance.randrange(len(operands))
            return type(predicate)((*operands[:index], with_fresh_leaf(operands[index], chance), *operands[index + 1 :]))
        case Not(operand):
            return Not(with_fresh_leaf(operand, chance))
        case Named(name, operand):
            return Named(name, with_fresh_leaf(operand, chance))
        case _:
            return Match("fresh", Text(("x",)))


@given(trees(LEAVES), st.randoms(use_true_random=False))
def test_other_words_have_the_same_form(predicate: Predicate, chance: random.Random) -> None:
    assert meaning(rewritten(predicate, chance)) == meaning(predicate)


@given(trees(LEAVES), st.randoms(use_true_random=False))
def test_another_leaf_has_another_form(predicate: Predicate, chance: random.Random) -> None:
    assert digest(meaning(with_fresh_leaf(predicate, chance))) != digest(meaning(predicate))
    assert digest(meaning(Not(predicate))) != digest(meaning(predicate))


def test_and_is_not_or() -> None:
    one, two = Match("a", Number(1)), Match("b", Number(1))
    forms = [meaning(And((one, two))), meaning(Or((one, two))), meaning(And((one, Not(two)))), meaning(one)]
    assert len({digest(form) for form in forms}) == 4
    assert meaning(And((one, Or((one, two))))) != meaning(And((one, two)))


# Plain data

DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 1.5, "", "1", "1.5", "true", "list", "map", "number", "é"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)


def typed(value: Any) -> Any:
    """The value with its types, in a form that tells 1 from True."""
    if isinstance(value, dict):
        return {key: typed(entry) for key, entry in value.items()}
    return [typed(entry) for entry in value] if isinstance(value, list) else (isinstance(value, bool), value)


@given(DATA, DATA)
def test_two_values_have_one_form_only_if_they_are_equal(left: Any, right: Any) -> None:
    assert (digest(canonical(left)) == digest(canonical(right))) == (typed(left) == typed(right))


def test_numbers_are_their_decimal_text() -> None:
    assert canonical(1.0) == canonical(1) == ["number", "1"]
    assert canonical(0.1) == ["number", "0.1"]
    assert canonical(1e22) == ["number", "1" + "0" * 22]
    assert canonical(True) is True


@pytest.mark.parametrize("value", [object(), {1, 2}, b"x", lambda: None, Text])
def test_what_has_no_lasting_form_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="no canonical form"):
        canonical(value)


def test_a_field_that_holds_its_default_changes_nothing() -> None:
    @dataclass(frozen=True)
    class Old:
        a: int

    @dataclass(frozen=True)
    class New:
        a: int
        b: tuple[str, ...] = ()

    New.__name__ = "Old"
    assert canonical(Old(1)) == canonical(New(1))
    assert canonical(New(1, ("x",))) != canonical(Old(1))


def test_enums_are_told_by_name() -> None:
    class Colour(Enum):
        RED = "red"

    assert canonical(Colour.RED) == ["enum", "Colour", "RED"]


GOLDEN = {
    "ins-x-001": "d7f096c5686e49790070a3d090169e5f3b9f74310389e8ff97243311f38e80fd",
    "ins-x-002": "ef2898763bd8fc4056a520cf726c3efad6c70ce1ea0c1f824633162b4b95292c",
    "ins-x-c01": "66adf314a5cdec510b916b50d4c38371491920dd94086f2ffbc6be74ab476d6b",
    "ins-x-c02": "91f03f515cf797ac67b16d9f2c687cd4a16afbe366dbba490c69d76b165d961a",
}
FORM = [
    "and",
    [
        "Match",
        ["field", "insurance.record_count"],
        ["value", ["Compare", ["operator", ["enum", "Comparison", "GTE"]], ["value", ["number", "5"]]]],
    ],
    ["not", ["Match", ["field", "user.name"], ["value", ["Text", ["parts", ["list", "svc_", ["enum", "Wildcard", "MANY"]]]]]]],
    [
        "or",
        ["Match", ["field", "event.action"], ["value", ["Text", ["parts", ["list", "claim-export"]]]]],
        ["Match", ["field", "event.action"], ["value", ["Text", ["parts", ["list", "claim-view"]]]]],
    ],
]


def test_the_form_is_what_it_always_was() -> None:
    """Each lock holds digests of forms: were they to change, every rule of every pack would look changed."""
    assert logics(BASE, OTHER, COUNT, BOTH) == GOLDEN
    assert meaning(rules(BASE)["ins-x-001"].predicate) == FORM


SCRIPT = """
import json, sys
from insigma.content.assemble import assemble
from insigma.content.yaml_reader import read_bytes
from insigma.release.canonical import digest, logic_of
texts = json.load(sys.stdin)
documents = [document for index, text in enumerate(texts) for document in read_bytes(text.encode(), f"{index}.yml").documents]
print(json.dumps({rule.header.label: digest(logic_of(rule)) for rule in assemble(documents).rules}))
"""


def test_the_form_does_not_depend_on_the_hash_seed() -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(SOURCES)}
    texts = json.dumps([BASE, OTHER, COUNT, BOTH])
    ran = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, input=texts, capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == GOLDEN


def test_paths_are_no_part_of_it(tmp_path: Path) -> None:
    document = read_bytes(BASE.encode(), str(tmp_path / "elsewhere.yml")).documents
    (rule,) = assemble(document).rules
    assert digest(logic_of(rule)) == GOLDEN["ins-x-001"]
