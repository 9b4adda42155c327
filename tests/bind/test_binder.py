"""Binding: a rule in a target's fields and types, or a refusal with its reason and place."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insigma.bind.binder import bind
from insigma.bind.model import AllOf, AnyOf, Bound, BoundCorrelation, BoundRule, Column, Negated, OneOf, Refused
from insigma.bind.model import Test as Leaf
from insigma.content.model import (
    AnyRule,
    Case,
    Field,
    FieldType,
    LogSource,
    TargetField,
    TargetLogSource,
    TargetMapping,
    Taxonomy,
    TaxonomyLogSource,
)
from insigma.content.predicate import (
    Affix,
    Boolean,
    Cidr,
    Compare,
    Comparison,
    Constant,
    Exists,
    IsNull,
    Number,
    Regex,
    Text,
    TimePart,
    TimeUnit,
    Wildcard,
)
from insigma.specialise.lists import fill_lists
from tests.content.reading import document, rules_of

STORED = {
    "user": TargetField("u", "keyword", "lower", "u.cased"),
    "low": TargetField("l", "keyword", "lower"),
    "raw": TargetField("r", "string", "any"),
    "long": TargetField("n", "long", "any"),
    "double": TargetField("d", "double", "any"),
    "flag": TargetField("b", "boolean", "any"),
    "ip": TargetField("i", "ip", "any"),
    "date": TargetField("t", "date", "any"),
    "roles": TargetField("rs", "keyword", "lower", None, array=True),
    "@timestamp": TargetField("_time", "date", "any"),
    "event.id": TargetField("id", "keyword", "lower"),
    "organization.id": TargetField("org", "keyword", "lower"),
}
U, L, R, N, D = (STORED[name] for name in ("user", "low", "raw", "long", "double"))
MANY = Wildcard.MANY


def taxonomy(*fields: str) -> Taxonomy:
    def field(name: str) -> Field:
        return Field(name, FieldType.KEYWORD, Case.ANY, False, None, None, "none", "", "")

    def source(name: str, category: str) -> TaxonomyLogSource:
        return TaxonomyLogSource(name, LogSource(category), "", fields, (), None)

    sources = {name: source(name, category) for name, category in (("claims", "c"), ("payments", "pay"), ("unmapped", "un"))}
    return Taxonomy("test", "1", MappingProxyType({name: field(name) for name in fields}), MappingProxyType(sources))


def mapping(**extra: TargetField) -> TargetMapping:
    logsources = {name: TargetLogSource(name, MappingProxyType({"index": name}), 300_000) for name in ("claims", "payments")}
    fields = MappingProxyType({**STORED, **extra})
    return TargetMapping("elastic", document("a: b"), fields, MappingProxyType(logsources), MappingProxyType({}))


def rule_text(selections: str, condition: str, name: str = "a", category: str = "c") -> str:
    return f"{{title: {name}, name: {name}, logsource: {{category: {category}}}, detection: {{{selections}, condition: {condition}}}}}"


def bound(selection: str, *fields: str, condition: str = "s") -> Bound:
    (rule,) = rules_of(rule_text(f"s: {selection}", condition))
    found = bind(rule, mapping(), taxonomy(*fields or ("user", "low")))
    assert isinstance(found, BoundRule)
    return found.predicate


def stored(name: str, value: Any, ignore_case: bool = False, column: str = "") -> Leaf:
    field = STORED[name]
    return Leaf(column or field.name, field, name, value, ignore_case)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        # strings: folded where case does not matter, the cased column where it does
        ("{user: AbÇ}", stored("user", Text(("abç",)), True)),
        ("{user: 'A*b?C'}", stored("user", Text(("a", MANY, "b", Wildcard.ONE, "c")), True)),
        ("{user: ''}", stored("user", Text(()), True)),
        ("{raw: ABC}", stored("raw", Text(("abc",)), True)),
        ("{user|cased: AbC}", stored("user", Text(("AbC",), True), False, "u.cased")),
        ("{raw|cased: AbC}", stored("raw", Text(("AbC",), True), False)),
        ("{user|contains: A}", stored("user", Text((MANY, "a", MANY)), True)),
        # numbers and booleans: by the stored type
        ("{long: 5}", stored("long", Number(5))),
        ("{long: '5'}", stored("long", Number(5))),
        ("{double: '1.5'}", stored("double", Number(1.5))),
        ("{long: '*'}", stored("long", Exists(True))),
        ("{user: 5}", stored("user", Text(("5",)), True)),
        ("{user: 5.0}", stored("user", Text(("5",)), True)),
        ("{long: 9007199254740993}", stored("long", Number(9007199254740993))),
        ("{flag: true}", stored("flag", Boolean(True))),
        ("{flag: 'TRUE'}", stored("flag", Boolean(True))),
        ("{flag: 'false'}", stored("flag", Boolean(False))),
        ("{user: true}", stored("user", Text(("true",)), True)),
        ("{ip: 'FE80::1'}", stored("ip", Text(("fe80::1",)), True)),
        ("{date: '*'}", stored("date", Exists(True))),
        ("{date|hour: 5}", stored("date", TimePart(TimeUnit.HOUR, 5))),
        ("{date|week: 53}", stored("date", TimePart(TimeUnit.WEEK, 53))),
        # the others
        ("{long|gte: 5}", stored("long", Compare(Comparison.GTE, 5))),
        ("{user|re: A.b}", stored("user", Regex("A.b"), False, "u.cased")),
        ("{user|re|i: A.b}", stored("user", Regex("A.b", ignore_case=True), True)),
        ("{low|re|i: A.b}", stored("low", Regex("A.b", ignore_case=True), True)),
        ("{raw|re: A.b}", stored("raw", Regex("A.b"), False)),
        ("{ip|cidr: 10.0.0.0/8}", stored("ip", Cidr("10.0.0.0/8"))),
        ("{raw|cidr: 10.0.0.0/8}", stored("raw", Cidr("10.0.0.0/8"))),
        ("{user: null}", stored("user", IsNull())),
        ("{long|exists: false}", stored("long", Exists(False))),
        ("{user|fieldref: raw}", stored("user", Column("r", R, Affix.EQUALS), True)),
        ("{user|fieldref|endswith: raw}", stored("user", Column("r", R, Affix.ENDSWITH), True)),
        ("{user|fieldref|cased: raw}", stored("user", Column("r", R, Affix.EQUALS), False, "u.cased")),
        ("{raw|fieldref|cased: user}", stored("raw", Column("u.cased", U, Affix.EQUALS), False)),
        ("{long|fieldref: double}", stored("long", Column("d", D, Affix.EQUALS), True)),
    ],
)
def test_a_match_is_bound(selection: str, expected: Leaf) -> None:
    assert bound(selection) == expected


@pytest.mark.parametrize(
    ("selection", "reason"),
    [
        ("{nope: x}", "field 'nope' has no place in the elastic mapping"),
        ("{user|fieldref: nope}", "field 'nope' has no place"),
        ("{low|cased: x}", "'low' is stored in lower case only"),
        ("{low|re: x}", "'low' is stored in lower case only"),
        ("{user|fieldref|cased: low}", "'low' is stored in lower case only"),
        ("{user|gt: 5}", "it has no numeric order"),
        ("{date|gt: 5}", "it has no numeric order"),
        ("{long|contains: '5'}", "the string pattern cannot be asked of it"),
        ("{long: '007'}", "the string pattern cannot be asked of it"),
        ("{long: abc}", "the string pattern cannot be asked of it"),
        ("{long: true}", "the string pattern cannot be asked of it"),
        ("{flag: 1}", "the string pattern cannot be asked of it"),
        ("{flag: maybe}", "the string pattern cannot be asked of it"),
        ("{ip: '10.*'}", "the string pattern cannot be asked of it"),
        ("{date: '2026-01-01'}", "the string pattern cannot be asked of it"),
        ("{long|re: '5'}", "a regular expression needs a string field"),
        ("{ip|re|i: a}", "a regular expression needs a string field"),
        ("{user|cidr: 10.0.0.0/8}", "a network needs an address field"),
        ("{long|cidr: 10.0.0.0/8}", "a network needs an address field"),
        ("{user|fieldref: long}", "'user' and 'long' are stored as keyword and long"),
        ("{user|hour: 5}", "'user' is stored as keyword by elastic: modifier 'hour' needs a date field"),
        ("{long|year: 2026}", "modifier 'year' needs a date field"),
        ("{user|expand: '%l%'}", "rule 'a' has a placeholder whose list is not filled in"),
        ("{'|expand': '%l%'}", "rule 'a' has a placeholder whose list is not filled in"),
        ("{user: ok, long: abc}", "the string pattern cannot be asked of it"),
    ],
)
def test_what_the_mapping_cannot_say_is_refused(selection: str, reason: str) -> None:
    with pytest.raises(Refused) as caught:
        bound(selection)
    assert reason in caught.value.reason
    assert caught.value.where == ("detection",)


def test_a_log_source_that_has_no_place_is_refused() -> None:
    for category in ("nope", "un"):
        (rule,) = rules_of(rule_text("s: {user: x}", "s", category=category))
        with pytest.raises(Refused, match="has no place in the elastic mapping") as caught:
            bind(rule, mapping(), taxonomy("user"))
        assert caught.value.where == ("logsource",)


def literal(text: str) -> Leaf:
    return stored("user", Text((text,)), True)


@pytest.mark.parametrize(
    ("selection", "condition", "expected"),
    [
        ("{user: [A, b]}", "s", OneOf("u", U, "user", ("a", "b"), True)),
        ("{user: [A, a]}", "s", literal("a")),
        ("{user: [a, 'b*', c]}", "s", AnyOf((OneOf("u", U, "user", ("a", "c"), True), stored("user", Text(("b", MANY)), True)))),
        ("{user: ['b*', a, c]}", "s", AnyOf((stored("user", Text(("b", MANY)), True), OneOf("u", U, "user", ("a", "c"), True)))),
        ("{long: [1, 2.5]}", "s", OneOf("n", N, "long", (1, 2.5), False)),
        ("{long: [1, 1.0]}", "s", stored("long", Number(1))),
        ("{user|cased: [A, a]}", "s", OneOf("u.cased", U, "user", ("A", "a"), False)),
        (
            "{user|contains: [a, b]}",
            "s",
            AnyOf((stored("user", Text((MANY, "a", MANY)), True), stored("user", Text((MANY, "b", MANY)), True))),
        ),
        ("[{user: a}, {low: b}, {user: c}]", "s", AnyOf((OneOf("u", U, "user", ("a", "c"), True), stored("low", Text(("b",)), True)))),
        ("{user|all: [a, b]}", "s", AllOf((literal("a"), literal("b")))),
        ("{user: a}", "not s", Negated(literal("a"))),
        ("{user: a}", "not not s", literal("a")),
        ("{user|neq: a}", "not s", literal("a")),
        ("{user|neq: [a, b]}", "s", Negated(OneOf("u", U, "user", ("a", "b"), True))),
        ("{user: a, low: b}", "s and s", AllOf((literal("a"), stored("low", Text(("b",)), True)) * 2)),
        ("{user: a}", "s or (s or s)", literal("a")),
    ],
)
def test_the_logic_is_flat_and_gathers_alternatives(selection: str, condition: str, expected: Bound) -> None:
    assert bound(selection, condition=condition) == expected


def nodes(predicate: Bound) -> list[Bound]:
    inner = predicate.operands if isinstance(predicate, (AllOf, AnyOf)) else (predicate.operand,) if isinstance(predicate, Negated) else ()
    return [predicate, *(node for operand in inner for node in nodes(operand))]


CONDITIONS = st.recursive(
    st.sampled_from("abcd"),
    lambda inner: (
        st.builds("not ({})".format, inner)
        | st.builds(
            lambda operator, operands: "(" + f" {operator} ".join(operands) + ")",
            st.sampled_from(["and", "or"]),
            st.lists(inner, min_size=2, max_size=3),
        )
    ),
    max_leaves=8,
)


def value(predicate: Bound, user: str, long: int) -> bool:
    match predicate:
        case AllOf(operands):
            return all(value(operand, user, long) for operand in operands)
        case AnyOf(operands):
            return any(value(operand, user, long) for operand in operands)
        case Negated(operand):
            return not value(operand, user, long)
        case OneOf(values=values, canonical=name):
            return (user if name == "user" else long) in values
        case Leaf(value=Text() as text):
            return user == text.literal
        case Leaf(value=Number(number)):
            return long == number
        case _:
            raise AssertionError(predicate)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(CONDITIONS)
def test_binding_keeps_the_logic_and_the_shape_that_emitters_rely_on(condition: str) -> None:
    selections = "a: {user: X}, b: {user: [x, v]}, c: {long: 1}, d: {long: [1, 2]}"
    (rule,) = rules_of(rule_text(selections, condition))
    found = bind(rule, mapping(), taxonomy("user"))
    assert isinstance(found, BoundRule)
    for node in nodes(found.predicate):
        if isinstance(node, (AllOf, AnyOf)):
            assert len(node.operands) >= 2
            assert not any(type(operand) is type(node) for operand in node.operands)
        assert not (isinstance(node, Negated) and isinstance(node.operand, Negated))
        assert not isinstance(node, OneOf) or len(set(node.values)) >= 2
    for user in "xvz":
        for long in (1, 2, 3):
            truth = {"a": user == "x", "b": user in "xv", "c": long == 1, "d": long in (1, 2)}
            assert value(found.predicate, user, long) is eval(condition, {}, truth)


def test_an_empty_list_leaves_a_constant() -> None:
    (rule,) = fill_lists(rules_of(rule_text("s: {user|expand: '%none%'}", "s")), {"none": []}).rules
    found = bind(rule, mapping(), taxonomy("user"))
    assert isinstance(found, BoundRule)
    assert found.predicate == Constant(False)


# Keywords


def test_a_keyword_looks_into_every_string_field() -> None:
    text = Text((MANY, "wörd", MANY))
    assert bound("Wörd", "user", "low", "long") == AnyOf((stored("user", text, True), stored("low", text, True)))
    assert bound("Wörd", "long", "date", "user", "ip", "flag") == stored("user", text, True)


def test_a_keyword_over_no_string_field_never_holds() -> None:
    assert bound("wörd", "long") == Constant(False)


@pytest.mark.parametrize("keyword", ["5", "'10.0'", "true", "'2026'", "''", "'*'", "'e'", "{'|re': w.rd}", "nan", "'FE80:'"])
@pytest.mark.parametrize("typed", ["long", "date", "ip", "flag"])
def test_a_keyword_that_a_typed_field_could_hold_is_refused(keyword: str, typed: str) -> None:
    with pytest.raises(Refused, match=f"keyword search would have to look into '{typed}'"):
        bound(keyword, "user", typed)


def test_a_keyword_over_a_field_without_a_place_is_refused() -> None:
    with pytest.raises(Refused, match="field 'nope' has no place"):
        bound("word", "user", "nope")


# Correlations


def bound_correlation(body: str, *members: str, **extra: TargetField) -> BoundCorrelation:
    rule: AnyRule = rules_of("\n--- ".join((*members, f"{{title: t, name: t, correlation: {{{body}, timespan: 5m}}}}")))[-1]
    found = bind(rule, mapping(**extra), taxonomy("user"))
    assert isinstance(found, BoundCorrelation)
    return found


FIRST = rule_text("s: {user: x}", "s")
SECOND = rule_text("s: {user: z}", "s", "b")
PAYMENT = rule_text("s: {user: x}", "s", "c", "pay")


def test_the_fields_of_a_correlation_are_bound_for_each_member() -> None:
    found = bound_correlation(
        "type: value_count, rules: [a, b], group-by: [who, low], condition: {gte: 5, field: raw}, aliases: {who: {a: user, b: roles}}",
        FIRST,
        SECOND,
    )
    assert found.group_names == ("who", "low")
    assert found.group_by == ((U, L), (STORED["roles"], L))
    assert found.values == ((R,), (R,))
    assert [member.rule.header.name for member in found.members] == ["a", "b"]
    assert found.timestamp == STORED["@timestamp"]
    assert found.event_key == (STORED["organization.id"], STORED["event.id"])


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ("type: event_count, rules: [a], group-by: [nope], condition: {gte: 5}", ("correlation", "group-by")),
        ("type: value_count, rules: [a], condition: {gte: 5, field: nope}", ("correlation", "condition")),
        ("type: event_count, rules: [a], group-by: [who], condition: {gte: 5}, aliases: {who: {a: nope}}", ("correlation", "group-by")),
    ],
)
def test_a_field_of_a_correlation_without_a_place_is_refused(body: str, where: tuple[str, ...]) -> None:
    with pytest.raises(Refused, match="has no place") as caught:
        bound_correlation(body, FIRST)
    assert caught.value.where == where


def test_a_correlation_over_correlations_is_refused() -> None:
    inner = "{title: i, name: i, correlation: {type: event_count, rules: [a], timespan: 5m, condition: {gte: 2}}}"
    with pytest.raises(Refused, match="over correlations") as caught:
        bound_correlation("type: event_count, rules: [i], condition: {gte: 2}", FIRST, inner)
    assert caught.value.where == ("correlation", "rules")


def test_a_mapping_without_a_time_is_refused() -> None:
    fields = MappingProxyType({name: field for name, field in STORED.items() if name != "@timestamp"})
    whole = mapping()
    rule = rules_of(f"{FIRST}\n--- {{title: t, correlation: {{type: event_count, rules: [a], timespan: 5m, condition: {{gte: 5}}}}}}")[-1]
    with pytest.raises(Refused, match="field '@timestamp' has no place"):
        bind(rule, TargetMapping(whole.target, whole.document, fields, whole.logsources, whole.options), taxonomy("user"))


@pytest.mark.parametrize(
    ("rules", "members", "disjoint"),
    [
        ("[a]", (FIRST,), True),
        ("[a, b]", (FIRST, SECOND), True),
        ("[a, c]", (FIRST, PAYMENT), True),
        ("[a, d]", (FIRST, rule_text("s: {user: 'x*'}", "s", "d")), False),
        ("[a, d]", (FIRST, rule_text("s: {user: X, low: w}", "s", "d")), False),
    ],
)
def test_members_that_no_event_can_both_match_are_known(rules: str, members: tuple[str, ...], disjoint: bool) -> None:
    assert bound_correlation(f"type: event_count, rules: {rules}, condition: {{gte: 5}}", *members).disjoint is disjoint
