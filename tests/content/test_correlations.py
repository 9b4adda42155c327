"""Correlations, filters and multi-document files: what is read of them, whatever the order."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insigma.content.assemble import MAX_CHAIN
from insigma.content.condition import Expression
from insigma.content.correlations import holds, names_in
from insigma.content.model import Bound, Correlation, CorrelationCondition, CorrelationType, CountOperator, Rule
from insigma.content.predicate import And, Match, Named, Not, Text
from tests.content.reading import read, rules_of, shown

BASE = "{{title: {0}, name: {0}, id: id-{0}, logsource: {{category: c, product: p}}, detection: {{s: {{f: {0}}}, condition: s}}}}"
A, B, C = (BASE.format(name) for name in "abc")


def correlation_of(body: str, *bases: str) -> Correlation:
    text = "\n--- ".join((*bases, f"{{title: t, name: t, correlation: {{{body}}}}}"))
    found = rules_of(text)[-1]
    assert isinstance(found, Correlation)
    return found


def condition_of(kind: str, condition: str, rules: str = "[a, b]") -> CorrelationCondition:
    return correlation_of(f"type: {kind}, rules: {rules}, timespan: 5m, condition: {condition}", A, B).condition


def bounds(**numbers: float) -> tuple[Bound, ...]:
    return tuple(Bound(CountOperator(name), number) for name, number in numbers.items())


@pytest.mark.parametrize(
    ("kind", "condition", "expected"),
    [
        ("event_count", "{gte: 5}", CorrelationCondition(bounds(gte=5))),
        ("event_count", "{gt: 5, lt: 7}", CorrelationCondition(bounds(gt=5, lt=7))),
        ("event_count", "{gte: 1, lte: 100, neq: 50}", CorrelationCondition(bounds(gte=1, lte=100, neq=50))),
        ("event_count", "{eq: 3}", CorrelationCondition(bounds(eq=3))),
        ("event_count", "{gte: 0.5}", CorrelationCondition(bounds(gte=0.5))),
        ("event_count", "{neq: 0}", CorrelationCondition(bounds(neq=0))),
        ("value_count", "{gte: 5, field: u}", CorrelationCondition(bounds(gte=5), ("u",))),
        ("value_count", "{gte: 5, field: [u, v]}", CorrelationCondition(bounds(gte=5), ("u", "v"))),
        ("value_sum", "{gt: 1000.5, field: u}", CorrelationCondition(bounds(gt=1000.5), ("u",))),
        ("value_sum", "{gte: 9007199254740993, field: u}", CorrelationCondition(bounds(gte=9007199254740993), ("u",))),
        ("value_sum", "{lt: -5, field: u}", CorrelationCondition(bounds(lt=-5), ("u",))),
        ("value_avg", "{lt: 5, field: u}", CorrelationCondition(bounds(lt=5), ("u",))),
        ("value_avg", "{gt: 1, lt: 2, field: u}", CorrelationCondition(bounds(gt=1, lt=2), ("u",))),
        ("value_percentile", "{gte: 5, field: u, percentile: 95}", CorrelationCondition(bounds(gte=5), ("u",), 95)),
        ("value_median", "{gte: 5, field: u}", CorrelationCondition(bounds(gte=5), ("u",))),
        ("temporal", "{gte: 2}", CorrelationCondition(bounds(gte=2))),
        ("temporal", "{eq: 1}", CorrelationCondition(bounds(eq=1))),
        ("temporal", "null", CorrelationCondition(bounds(gte=2))),
        ("temporal_ordered", "null", CorrelationCondition(bounds(gte=2))),
        ("temporal_ordered", "a and b", CorrelationCondition(bounds(gte=2))),
    ],
)
def test_a_condition_means(kind: str, condition: str, expected: CorrelationCondition) -> None:
    assert condition_of(kind, condition) == expected


def test_every_type_stands_in_the_table() -> None:
    marks = test_a_condition_means.pytestmark  # type: ignore[attr-defined]
    assert {kind for kind, _, _ in marks[0].args[1]} == {kind.value for kind in CorrelationType}


def test_a_huge_threshold_is_kept_exactly() -> None:
    number = int("9" * 400)
    assert condition_of("value_avg", f"{{field: u, gt: {number - 1}, lte: {number}}}").bounds == bounds(gt=number - 1, lte=number)


@pytest.mark.parametrize(
    ("timespan", "milliseconds"),
    [("1s", 1_000), ("90s", 90_000), ("5m", 300_000), ("24h", 86_400_000), ("7d", 604_800_000), ("2w", 1_209_600_000), ("007s", 7_000)],
)
def test_a_timespan_means(timespan: str, milliseconds: int) -> None:
    assert correlation_of(f"type: temporal, rules: [a], timespan: {timespan}", A).timespan_ms == milliseconds


def test_the_parts_of_a_correlation() -> None:
    found = correlation_of(
        "type: event_count, rules: [a, id-b], timespan: 5m, group-by: [user, host], generate: true, condition: {gte: 5}, "
        "aliases: {user: {a: src, id-b: dst}}",
        A,
        B,
    )
    assert (found.type, found.rules, found.group_by, found.generate) == (
        CorrelationType.EVENT_COUNT,
        ("a", "id-b"),
        ("user", "host"),
        True,
    )
    assert [member.header.name for member in found.members] == ["a", "b"]
    assert [found.field_of("user", 0), found.field_of("user", 1), found.field_of("host", 0)] == ["src", "dst", "host"]
    assert correlation_of("type: event_count, rules: a, timespan: 5m, group-by: user, condition: {gte: 5}", A).group_by == ("user",)


def test_an_expression_over_rules() -> None:
    expression = condition_of("temporal", "a and not (b or a)").expression
    assert expression is not None
    assert names_in(expression) == ("a", "b")


def test_rules_may_stand_in_the_condition_alone() -> None:
    found = correlation_of("type: temporal, timespan: 5m, condition: b and a and not c", A, B, C)
    assert found.rules == ("b", "a", "c")
    assert [member.header.name for member in found.members] == ["b", "a", "c"]


NAME = st.sampled_from("ab").map(lambda name: Expression("name", name=name))
EXPRESSIONS = st.recursive(
    NAME,
    lambda inner: (
        st.builds(lambda one: Expression("not", (one,)), inner)
        | st.builds(
            lambda operator, operands: Expression(operator, tuple(operands)), st.sampled_from(["and", "or"]), st.lists(inner, min_size=2)
        )
    ),
    max_leaves=6,
)


@settings(derandomize=True, deadline=None)
@given(EXPRESSIONS, st.frozensets(st.sampled_from("ab")))
def test_an_expression_holds_as_python_says(expression: Expression, seen: frozenset[str]) -> None:
    def code(node: Expression) -> str:
        if node.operator == "name":
            return repr(node.name in seen)
        if node.operator == "not":
            return f"(not {code(node.operands[0])})"
        return "(" + f" {node.operator} ".join(map(code, node.operands)) + ")"

    assert holds(expression, seen) == eval(code(expression))


NUMBERS = st.integers(-6, 6) | st.sampled_from([0.5, -0.5, 2.5])
KINDS = st.sampled_from(["event_count", "value_count", "value_sum", "value_avg", "temporal"])


@settings(derandomize=True, deadline=None, max_examples=600)
@given(KINDS, st.dictionaries(st.sampled_from(["lt", "lte", "gt", "gte", "eq", "neq"]), NUMBERS, min_size=1, max_size=3))
def test_a_condition_is_refused_if_and_only_if_zero_events_or_nothing_satisfies_it(kind: str, condition: dict[str, float]) -> None:
    field = ", field: u" if kind.startswith("value") else ""
    written = ", ".join(f"{name}: {number}" for name, number in condition.items())
    body = f"type: {kind}, rules: [a, b], timespan: 5m, condition: {{{written}{field}}}"
    _, faults = read({"r.yml": f"{A}\n--- {B}\n--- {{title: t, correlation: {{{body}}}}}"})
    wanted = bounds(**condition)
    possible = {
        "event_count": range(20),
        "value_count": range(20),
        "temporal": range(3),
        "value_sum": [Fraction(n, 4) for n in range(-40, 41)],
        "value_avg": [Fraction(n, 4) for n in range(-40, 41)],
    }[kind]
    satisfied = [number for number in possible if all(bound.holds(number) for bound in wanted)]
    expected = "INS114" if kind != "value_avg" and 0 in satisfied else "" if satisfied else "INS112"
    assert [fault.code for fault in faults] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("operator", "below", "equal", "above"),
    [
        ("lt", True, False, False),
        ("lte", True, True, False),
        ("gt", False, False, True),
        ("gte", False, True, True),
        ("eq", False, True, False),
        ("neq", True, False, True),
    ],
)
def test_a_bound_holds(operator: str, below: bool, equal: bool, above: bool) -> None:
    bound = Bound(CountOperator(operator), 5)
    assert [bound.holds(4), bound.holds(5), bound.holds(6)] == [below, equal, above]


# Chains, references and the order of files

COUNT = "{{title: {0}, name: {0}, correlation: {{type: event_count, rules: [{1}], timespan: 5m, condition: {{gte: 2}}}}}}"


def test_the_order_of_files_changes_nothing() -> None:
    texts = {"1.yml": A, "2.yml": COUNT.format("inner", "a, id-b"), "3.yml": B, "4.yml": COUNT.format("outer", "inner, c"), "5.yml": C}
    for order in permutations(texts):
        assembled, faults = read({path: texts[path] for path in order})
        assert shown(faults) == []
        assert [rule.header.path for rule in assembled.rules] == list(order)
        outer = next(rule for rule in assembled.rules if rule.header.name == "outer")
        assert isinstance(outer, Correlation)
        assert [rule.header.name for rule in outer.base_rules] == ["a", "b", "c"]


def test_one_rule_is_one_object_wherever_it_is_used() -> None:
    first, _, left, right = rules_of("\n--- ".join([A, B, COUNT.format("u", "a, b"), COUNT.format("v", "b, a")]))
    assert isinstance(left, Correlation)
    assert isinstance(right, Correlation)
    assert left.members[0] is right.members[1] is first


def test_base_rules_are_each_there_once_even_without_id_and_title() -> None:
    unnamed = "{{logsource: {{product: p}}, name: {0}, detection: {{s: {{f: {0}}}, condition: s}}}}"
    texts = [unnamed.format("a"), unnamed.format("b"), COUNT.format("u", "a, b"), COUNT.format("v", "u, a")]
    outer = rules_of("\n--- ".join(texts))[-1]
    assert isinstance(outer, Correlation)
    assert [rule.header.name for rule in outer.base_rules] == ["a", "b"]


def chain(length: int) -> list[str]:
    return [A, *(COUNT.format(f"c{n}", f"c{n - 1}" if n else "a") for n in range(length))]


def test_a_chain_is_read_up_to_its_limit_in_any_order() -> None:
    texts = chain(MAX_CHAIN)
    for seed in range(5):
        random.Random(seed).shuffle(texts)
        assert len(rules_of("\n--- ".join(texts))) == MAX_CHAIN + 1


@pytest.mark.parametrize("order", [1, -1])
def test_a_chain_without_end_is_refused(order: int) -> None:
    assembled, faults = read({"r.yml": "\n--- ".join(chain(2_000)[::order])})
    assert len(assembled.rules) == MAX_CHAIN + 1
    assert {fault.code for fault in faults} == {"INS111", "INS112"}
    assert len({fault.place.line for fault in faults}) == 2_000 - MAX_CHAIN


def test_correlations_that_fan_out_on_every_level_are_read_quickly() -> None:
    """Each level refers to both rules of the level below: 2^16 paths, 32 rules."""
    texts = [A, B]
    below = ["a", "b"]
    for level in range(MAX_CHAIN):
        names = [f"x{level}", f"y{level}"]
        texts += [COUNT.format(name, ", ".join(below)) for name in names]
        below = names
    top = rules_of("\n--- ".join(texts))[-1]
    assert isinstance(top, Correlation)
    assert [rule.header.name for rule in top.base_rules] == ["a", "b"]


def test_the_first_of_two_rules_with_one_name_is_meant() -> None:
    rules = rules_of(f"{A}\n--- {B.replace('name: b', 'name: a')}\n--- {COUNT.format('t', 'a')}")
    assert isinstance(rules[2], Correlation)
    assert rules[2].members == (rules[0],)


# Filters

FILTER = "{{title: {0}, logsource: {{{1}}}, filter: {{rules: {2}, s: {{f: x}}, condition: {3}}}}}"


def filtered(*texts: str) -> dict[str, Any]:
    return {rule.header.label: rule for rule in rules_of("\n--- ".join(texts))}


def test_a_filter_is_anded_as_it_is_written() -> None:
    selection = Named("s", Match("f", Text(("a",))))
    exclusion = Match("f", Text(("x",)))
    rule = filtered(A, FILTER.format("F", "product: p", "[a]", "not s"))["a"]
    assert rule.predicate == And((selection, Named("filter F", Not(Named("s", exclusion)))))
    assert rule.filtered_by == ("F",)
    restricting = filtered(A, FILTER.format("F", "product: p", "[a]", "s"))["a"]
    assert restricting.predicate == And((selection, Named("filter F", Named("s", exclusion))))


@pytest.mark.parametrize(
    ("logsource", "rules", "reached"),
    [
        ("product: p", "[a]", {"a"}),
        ("product: p", "a", {"a"}),
        ("product: p", "[a, id-b]", {"a", "b"}),
        ("category: c", "any", {"a", "b"}),
        ("category: c, product: p", "any", {"a", "b"}),
        ("product: q", "any", {"q"}),
        ("product: q", "[q]", {"q"}),
    ],
)
def test_a_filter_reaches(logsource: str, rules: str, reached: set[str]) -> None:
    other = BASE.format("q").replace("product: p", "product: q, service: s").replace("category: c, ", "")
    found = filtered(FILTER.format("F", logsource, rules, "not s"), A, B, other)
    assert {name for name, rule in found.items() if rule.filtered_by} == reached


def test_filters_add_up_and_reach_the_members_of_correlations() -> None:
    filters = [FILTER.format(name, "product: p", "any", "not s") for name in "FG"]
    found = filtered(COUNT.format("t", "a"), *filters, A)
    assert found["a"].filtered_by == ("F", "G")
    assert found["t"].members == (found["a"],)


def test_a_filter_is_no_rule() -> None:
    assembled, _ = read({"r.yml": f"{A}\n--- {FILTER.format('F', 'product: p', 'any', 'not s')}"})
    assert [rule.header.label for rule in assembled.rules] == ["a"]
    (found,) = assembled.filters
    assert (found.header.title, found.rules) == ("F", None)
    assert str(found.logsource) == "product p"


# Headers


def test_a_header_takes_what_is_there_and_leaves_the_rest_to_the_checks() -> None:
    full = (
        "{title: T, id: i, name: nn, level: high, status: test, tags: [a.b, 5], taxonomy: insurance, insurance: {role: alert}, "
        "logsource: {category: c, definition: d}, detection: {s: {a: b}, condition: s}}"
    )
    broken = "{title: 5, id: [], level: 7, tags: a.b, insurance: x, logsource: {service: s}, detection: {s: {a: b}, condition: s}}"
    first, second = rules_of(f"{full}\n--- {broken}")
    header = first.header
    assert (header.title, header.id, header.name, header.level, header.status) == ("T", "i", "nn", "high", "test")
    assert (header.tags, header.taxonomy, header.insurance, header.label) == (("a.b",), "insurance", {"role": "alert"}, "nn")
    header = second.header
    assert (header.title, header.id, header.name, header.level, header.status) == ("(untitled)", None, None, "medium", "")
    assert (header.tags, header.taxonomy, header.insurance, header.label) == ((), "sigma", {}, "(untitled)")
    assert isinstance(first, Rule)
    assert (first.logsource.category, first.logsource.product, first.logsource.service) == ("c", None, None)


def test_a_rule_is_called_by_its_name_its_id_or_its_title() -> None:
    assembled, _ = read({"rules/claims/some_rule.yml": A.replace("name: a, ", "")})
    (rule,) = assembled.rules
    assert (rule.header.label, rule.header.slug) == ("id-a", "some_rule")
