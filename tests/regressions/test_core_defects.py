"""Defects of pySigma's core and of stock packages, each by its name: a diagnostic says it, or ours reads it right.

Names are those of the measured list: E21 and the like for stock backends, `core` for pySigma itself, `fixed` for what its
version 2 has mended since.
"""

from __future__ import annotations

import base64
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from insigma.content.lists import DEFAULT_TENANT, default_lists
from insigma.content.model import AnyRule, Correlation, Pack, Rule
from insigma.content.pack import load_pack
from insigma.diagnostics.catalogue import CODES
from insigma.diagnostics.model import ExitCode
from insigma.packages.base import PackContext
from insigma.release.outcomes import compile_rules, refusal_findings
from insigma.release.workshops import open_workshop
from insigma.targets.base import Refused
from insigma_prove.plans import splunk_plan
from insigma_prove.prove import Bench
from insigma_prove.reference import truth
from insigma_prove.stands import STANDS, Stand, open_stand
from insigma_prove.trial import tried
from tests.checks.harness import run_case
from tests.content.reading import read, shown
from tests.engines import seat
from tests.prove.fakes import at, correlation, event_rule, rules_of

ROOT = Path(__file__).parent.parent.parent
BASE = {"name": "view", "logsource": {"category": "insurance_claims"}, "detection": {"s": {"event.action": "claim-view"}, "condition": "s"}}
LANGUAGES = [("elastic", "lucene"), ("elastic", "eql"), ("elastic", "esql"), ("splunk", "spl"), ("sentinel", "kql")]


@lru_cache(maxsize=1)
def pack() -> Pack:
    return load_pack(ROOT).pack


@lru_cache(maxsize=8)
def stand(target: str) -> Stand:
    return open_stand(target, pack())


def rule(selection: str, condition: str = "sel", head: str = "") -> str:
    return f"title: t\n{head}logsource: {{product: p}}\ndetection:\n  sel: {selection}\n  condition: {condition}\n"


def filter_of(rules: str, product: str = "p", condition: str = "not s", head: str = "") -> str:
    return f"title: f\nlogsource: {{product: {product}}}\n{head}filter:\n  rules: {rules}\n  s: {{User: adm}}\n  condition: {condition}\n"


NAMED = "name: named\n"
IDENTIFIED = "id: 5d1a4f0e-0000-4000-8000-000000000001\n"

READ: dict[str, tuple[dict[str, str], str]] = {
    "core 2: a key that stands twice": ({"r.yml": rule("{a: 1}\n  sel: {a: 2}")}, "r.yml:5:3 INS006 key 'sel' stands here and on line 4"),
    "core 4: an empty list is no null": ({"r.yml": rule("{Image: []}")}, "r.yml:4:16 INS108 'Image' has an empty list"),
    "core 5: null in a list": ({"r.yml": rule("{Image: [a, null, '']}")}, "r.yml:4:20 INS109 null stands in a list"),
    "core 8: a filter for a rule that is not there": (
        {"r.yml": rule("{a: 1}"), "f.yml": filter_of("[nobody]")},
        "f.yml:4:11 INS111 no rule has the id or name 'nobody'",
    ),
    "core 8: a filter for another log source": (
        {"r.yml": rule("{a: 1}", head=NAMED), "f.yml": filter_of("[named]", product="q")},
        "f.yml:4:10 INS115 the filter reaches no rule",
    ),
    "fixed 1: a name that begins with an operator": ({"r.yml": rule("{a: 1}", "notsel")}, "r.yml:5:14 INS105 selection 'notsel' is not"),
    "fixed 2: a selector that matches nothing": ({"r.yml": rule("{a: 1}", "sel and not 1 of f_*")}, "r.yml:5:26 INS106 'f_*' matches no"),
    "E24: windash with many dashes": (
        {"r.yml": rule("{a|windash|contains: ' -a -b -c -d -e'}")},
        "r.yml:4:29 INS103 'windash' over more than 4",
    ),
}


@pytest.mark.parametrize("name", list(READ))
def test_the_reader_says_it(name: str) -> None:
    files, message = READ[name]
    _, faults = read(files)
    assert len(faults) == 1
    assert shown(faults)[0].startswith(message)
    assert CODES[faults[0].code].exit is ExitCode.UNUSABLE


INSURANCE = "taxonomy: insurance\nlogsource: {{category: {source}}}\ndetection:\n  sel: {{{field}: x}}\n  condition: sel\n"

CHECKED: dict[str, tuple[dict[str, str], str]] = {
    "core 1: an unknown log source": ({"rules/r.yml": "title: t\n" + INSURANCE.format(source="nowhere", field="user.name")}, "INS301"),
    "core 1: an unknown field": ({"rules/r.yml": "title: t\n" + INSURANCE.format(source="insurance_claims", field="userName")}, "INS302"),
    "core 3: two rules of one id": (
        {"rules/a.yml": rule("{a: 1}", head=IDENTIFIED), "rules/b.yml": rule("{a: 2}", head=IDENTIFIED)},
        "INS501",
    ),
    "core 3: two rules of one name": ({"rules/a.yml": rule("{a: 1}", head=NAMED), "rules/b.yml": rule("{a: 2}", head=NAMED)}, "INS502"),
    "core 6: a selection that is not used": ({"rules/r.yml": rule("{a: 1}\n  other: {b: 2}")}, "INS210"),
    "core 9: a filter that keeps only what it selects": (
        {"rules/r.yml": rule("{a: 1}", head=NAMED), "rules/f.yml": filter_of("[named]", condition="s")},
        "INS222",
    ),
    "core 14: another taxonomy": ({"rules/r.yml": rule("{a: 1}", head="taxonomy: acme\n")}, "INS311"),
}


@pytest.mark.parametrize("name", list(CHECKED))
def test_a_check_says_it(name: str) -> None:
    files, code = CHECKED[name]
    assert {found.code for found in run_case(files, code, in_pack=True)} == {code}


@pytest.mark.parametrize("target", sorted(STANDS))
@pytest.mark.parametrize("detection", [{"s": {"userName": "x"}, "condition": "s"}])
def test_core_1_an_unmapped_field_never_reaches_a_query(detection: dict[str, Any], target: str) -> None:
    with pytest.raises(Refused, match="userName"):
        stand(target).compile(event_rule(detection), None)


def matches(selection: dict[str, Any], *values: Any, field: str = "a") -> list[bool]:
    """Which of the values of a field the selection matches, by the reference."""
    (found,) = rules_of({"taxonomy": "sigma", "logsource": {"category": "test"}, "detection": {"s": selection, "condition": "s"}})
    events = [{field: value} if value is not None else {"other": 1} for value in values]
    positions = truth(found, events, pack().taxonomy).positions
    return [position in positions for position in range(len(values))]


def test_core_7_whole_numbers_keep_every_digit() -> None:
    assert matches({"a": 9007199254740993}, 9007199254740993, "9007199254740993", 9007199254740992) == [True, True, False]
    found = event_rule({"s": {"insurance.record_count": 9007199254740993}, "condition": "s"})
    assert "9007199254740993" in stand("elastic").compile(found, "lucene").detection.query
    with pytest.raises(Refused, match="9007199254740993 is larger than the whole numbers that Splunk keeps apart"):
        stand("splunk").compile(found, None)


def test_core_9_a_filter_suppresses_and_restricts_only_where_it_says_so() -> None:
    assembled, faults = read({"r.yml": rule("{a: 1}", head=NAMED), "f.yml": filter_of("[named]")})
    assert faults == []
    (found,) = assembled.rules
    events: list[dict[str, Any]] = [{"a": 1}, {"a": 1, "User": "adm"}]
    assert truth(found, events, pack().taxonomy).positions == {0}


def test_core_11_every_rule_has_an_outcome_and_a_refused_one_fails_the_build() -> None:
    rules = chain()
    shops = [open_workshop(name, pack(), default_lists(pack()), PackContext(DEFAULT_TENANT, "p", "1")) for name in ("elastic", "splunk")]
    found = list(compile_rules(rules, shops, DEFAULT_TENANT, {}))
    assert [(outcome.rule.header.label, outcome.target, outcome.state) for outcome in found] == [
        (name, target, "refused" if name == "chain" else "compiled")
        for name in ("view", "many", "chain")
        for target in ("elastic", "splunk")
    ]
    refusals = refusal_findings(found, pack())
    assert [(each.code, each.rule) for each in refusals] == [("INS701", "chain")] * 2
    assert CODES["INS701"].exit is ExitCode.UNUSABLE
    for outcome in found:
        if outcome.packed is not None:
            written = "".join(outcome.packed.files.values())
            assert str(outcome.rule.header.id) in written, "a query names its rule"


def test_core_12_an_empty_contains_asks_for_presence() -> None:
    assert matches({"a|contains": ""}, "x", "", None) == [True, True, False]


def test_core_13_a_range_is_a_condition() -> None:
    between = correlation(condition={"gte": 2, "lt": 4})
    events = [*(at(number, "anna") for number in range(2)), *(at(number, "ben") for number in range(1))]
    found = truth(between, [*events, *(at(9_000, "anna") for _ in range(5))], pack().taxonomy)
    assert len(found.instants) == 1
    assert "insigma_value<4" in stand("splunk").compile(between, None).detection.query


def test_fixed_3_a_correlation_may_stand_before_its_rules() -> None:
    text = "title: c\ncorrelation: {type: event_count, rules: [named], timespan: 5m, group-by: [a], condition: {gte: 2}}\n"
    assembled, faults = read({"a.yml": text, "b.yml": rule("{z: 1}"), "c.yml": rule("{a: 1}", head=NAMED)})
    assert faults == []
    assert [type(found) for found in assembled.rules] == [Correlation, Rule, Rule]


NEGATED = [
    ({"a": {"event.action": "claim-view"}, "f": {"user.name": "anna", "user.email|re": "x+"}}, "a and not f"),
    ({"a": {"event.action": "claim-view"}, "f": {"user.email|re": "x+"}, "g": {"user.name|re": "^an"}}, "a and not (f and g)"),
    ({"a": {"event.action": "claim-view"}, "f": {"user.email|re": "x+"}, "g": {"user.name|re": "^an"}}, "a and not (f or g)"),
]


@pytest.mark.parametrize(("selections", "condition"), NEGATED)
def test_fixed_4_not_over_and_or_holds_in_spl(selections: dict[str, Any], condition: str, bench: Bench) -> None:
    compiled = stand("splunk").compile(event_rule({**selections, "condition": condition}), None)
    mails: list[dict[str, Any]] = [{}, {"user.email": "axx"}, {"user.email": "b"}]
    events = [at(number, user, **mail) for number, user in enumerate(("anna", "ben", None)) for mail in mails]
    assert tried(compiled, stand("splunk"), seat(bench, "splunk", "spl").client, events, pack().taxonomy) == []


@pytest.mark.parametrize(("target", "language"), LANGUAGES)
def test_fixed_5_a_filter_for_many_rules_is_mapped_once_in_each(target: str, language: str) -> None:
    source = {"category": "insurance_claims"}
    rules = [{**BASE, "name": name} for name in ("one", "two")]
    shared = {"title": "f", "logsource": source, "filter": {"rules": ["one", "two"], "s": {"user.name": "adm"}, "condition": "not s"}}
    queries = {stand(target).compile(found, language).detection.query for found in rules_of(*rules, shared)}
    (query,) = queries
    assert query.count("adm") == 1 if target != "splunk" else "adm" in query
    assert "user.user" not in query


@pytest.mark.parametrize("word", ["zażółć", "日本語", "🐢", "é"])
def test_fixed_6_base64offset_of_other_letters_is_found_at_every_offset(word: str) -> None:
    values = [base64.b64encode(("x" * before + word + after).encode()).decode() for before in range(4) for after in ("", "y", "yy")]
    assert all(matches({"a|base64offset|contains": word}, *values))


def test_fixed_6_base64_of_an_escaped_star_is_that_of_a_star() -> None:
    assert matches({"a|base64": "x\\*"}, "eCo=", "eFwq") == [True, False]


def test_fixed_7_alternatives_of_an_expression_stay_together() -> None:
    assert matches({"a|re|startswith": "ab|cd"}, "abx", "cdx", "xcd", "xab") == [True, True, False, False]
    assert matches({"a|re|endswith": "ab|cd"}, "xab", "xcd", "cdx", "abx") == [True, True, False, False]
    assert matches({"a|re|contains": "ab|cd"}, "xabx", "xcdx", "acbd") == [True, True, False]


def test_fixed_8_a_threshold_keeps_its_fraction() -> None:
    found = correlation(type="value_avg", condition={"field": "insurance.record_count", "gte": 2.5})
    assert [bound.number for bound in found.condition.bounds] == [2.5]
    many = [{**at(second, "anna"), "insurance.record_count": 2} for second in range(3)]
    more = [{**at(second, "ben"), "insurance.record_count": 3} for second in range(3)]
    assert set(truth(found, [*many, *more], pack().taxonomy).spans) == {("ben",)}
    assert "insigma_value>=2.5" in stand("splunk").compile(found, None).detection.query


def chain() -> tuple[AnyRule, ...]:
    inner = {"type": "event_count", "rules": ["view"], "timespan": "10m", "group-by": ["user.name"], "condition": {"gte": 3}}
    outer = {**inner, "rules": ["many"], "timespan": "1h", "condition": {"gte": 2}}
    return rules_of(BASE, {"name": "many", "correlation": inner}, {"name": "chain", "correlation": outer})


@pytest.mark.parametrize(("target", "language"), LANGUAGES)
def test_e21_a_correlation_over_correlations_is_refused_with_its_reason(target: str, language: str) -> None:
    with pytest.raises(Refused, match="a correlation over correlations is not compiled") as raised:
        stand(target).compile(chain()[-1], language)
    assert raised.value.where == ("correlation", "rules")


def kibana(**header: Any) -> dict[str, Any]:
    (found,) = rules_of({**BASE, **header})
    compiled = stand("elastic").compile(found, "lucene")
    return dict(json.loads(stand("elastic")._packager.native(found.header, compiled.detection)))  # type: ignore[attr-defined]


def test_e23_a_kibana_rule_looks_back_further_than_its_interval() -> None:
    found = kibana()
    assert found["interval"] == "5m"
    assert int(found["from"].removeprefix("now-").removesuffix("s")) >= 600


def test_e23_every_technique_stands_under_its_own_tactic() -> None:
    tags = ["attack.persistence", "attack.execution", "attack.t1059.001", "attack.t1136", "attack.t1098"]
    techniques = {
        threat["tactic"]["name"]: [technique["id"] for technique in threat.get("technique", [])] for threat in kibana(tags=tags)["threat"]
    }
    assert techniques == {"Execution": ["T1059"], "Persistence": ["T1098", "T1136"]}


def test_e23_two_techniques_of_one_tactic_are_both_kept_and_a_tactic_needs_none() -> None:
    threats = kibana(tags=["attack.impact", "attack.execution", "attack.t1059.001", "attack.t1059.003", "attack.t1204"])["threat"]
    execution = next(threat for threat in threats if threat["tactic"]["name"] == "Execution")
    assert [technique["id"] for technique in execution["technique"]] == ["T1059", "T1204"]
    assert [sub["id"] for sub in execution["technique"][0]["subtechnique"]] == ["T1059.001", "T1059.003"]
    assert "Impact" in {threat["tactic"]["name"] for threat in threats}


def test_e23_licence_and_tags_are_the_rules_own() -> None:
    found = kibana(tags=["attack.execution", "attack.t1059"], license="Apache-2.0")
    assert found["license"] == "Apache-2.0"
    assert {"attack.execution", "attack.t1059"} <= set(found["tags"])
    assert kibana().get("license") != "DRL"


@pytest.mark.parametrize(("target", "language"), LANGUAGES)
def test_e24_the_most_dashes_that_are_read_give_a_query_of_bounded_length(target: str, language: str) -> None:
    found = event_rule({"s": {"user.name|windash|contains": " -a -b -c -d"}, "condition": "s"})
    if language in ("eql", "esql"):
        with pytest.raises(Refused, match="626 tests are more than the"):
            stand(target).compile(found, language)
        return
    detection = stand(target).compile(found, language).detection
    assert len(detection.query) + sum(len(companion.query) for companion in detection.companions) < 60_000


@pytest.mark.parametrize("kind", ["event_count", "value_count", "temporal", "temporal_ordered"])
def test_s14_a_saved_search_of_a_correlation_is_complete(kind: str) -> None:
    kinds: dict[str, dict[str, Any]] = {
        "event_count": {},
        "value_count": {"condition": {"field": "insurance.claim.id", "gte": 3}},
        "temporal": {"rules": ["view", "export"], "condition": None},
        "temporal_ordered": {"rules": ["view", "export"], "condition": None},
    }
    compiled = stand("splunk").compile(correlation(type=kind, **kinds[kind]), None)
    stanza: str = stand("splunk")._packager.native(compiled.rule.header, compiled.detection)  # type: ignore[attr-defined]
    search = stanza.partition("search = ")[2].partition("\ndisabled")[0].replace(" \\\n", "\n")
    assert search == compiled.detection.query, "the whole query, line by line"
    plan = splunk_plan(stanza)
    assert plan.lookback_ms == compiled.detection.schedule.lookback_ms
    assert plan.interval_ms == compiled.detection.schedule.interval_ms
    assert plan.fields[0] == "user.name"
    assert stanza.startswith("[rule 2]\n")
    assert "enableSched = 1" in stanza
