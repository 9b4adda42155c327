"""Disjointness is never claimed of predicates that one event can match: claimed wrongly, events would be counted twice."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insigma.bind.disjoint import all_disjoint, needs
from insigma.bind.model import AllOf, AnyOf, Bound, Negated, OneOf
from insigma.bind.model import Test as Leaf
from insigma.content.model import TargetField
from insigma.content.predicate import Constant, Exists, Number, Text, Wildcard

FIELDS = {name: TargetField(name, "keyword", "lower") for name in "fg"}
ARRAY = TargetField("r", "keyword", "lower", None, array=True)


def equal(text: str, name: str = "f", cased: bool = False) -> Leaf:
    return Leaf(name, FIELDS[name], name, Text((text,), cased), not cased)


def one_of(*values: str, name: str = "f") -> OneOf:
    return OneOf(name, FIELDS[name], name, values, True)


def numbers(*values: float) -> OneOf:
    return OneOf("f", FIELDS["f"], "f", values, False)


STARTS = Leaf("f", FIELDS["f"], "f", Text(("a", Wildcard.MANY)), True)


@pytest.mark.parametrize(
    ("left", "right", "disjoint"),
    [
        (equal("a"), equal("b"), True),
        (equal("a"), equal("A"), False),
        (equal("a", cased=True), equal("A", cased=True), False),
        (equal("a"), equal("b", "g"), False),
        (one_of("a", "b"), one_of("c", "d"), True),
        (one_of("a", "b"), one_of("b", "c"), False),
        (AllOf((equal("a"), equal("x", "g"))), AllOf((equal("a"), equal("z", "g"))), True),
        (AllOf((one_of("a", "b"), one_of("b", "c"))), equal("a"), True),
        (AnyOf((equal("a"), equal("b"))), equal("c"), True),
        (AnyOf((equal("a"), equal("x", "g"))), equal("c"), False),
        (Negated(equal("a")), equal("a"), False),
        (STARTS, equal("b"), False),
        (Constant(False), equal("b"), False),
        (Leaf("f", FIELDS["f"], "f", Exists(True), False), equal("b"), False),
        (Leaf("r", ARRAY, "r", Text(("a",)), True), Leaf("r", ARRAY, "r", Text(("b",)), True), False),
        (OneOf("r", ARRAY, "r", ("a", "b"), True), OneOf("r", ARRAY, "r", ("c", "d"), True), False),
        (numbers(1, 2), numbers(3, 4), True),
        (numbers(1, 2), numbers(1.0, 3.0), False),
        (numbers(1, 2), equal("1"), False),
        (Leaf("f", FIELDS["f"], "f", Number(1), False), Leaf("f", FIELDS["f"], "f", Number(2), False), False),
    ],
)
def test_two_predicates(left: Bound, right: Bound, disjoint: bool) -> None:
    assert all_disjoint((left, right), ("x", "x")) is disjoint
    assert all_disjoint((right, left), ("x", "x")) is disjoint
    assert all_disjoint((left, right), ("x", "other"))


def test_every_two_of_several_must_exclude_each_other() -> None:
    assert all_disjoint((equal("a"), equal("b"), equal("c")), ("x",) * 3)
    assert not all_disjoint((equal("a"), equal("b"), equal("a")), ("x",) * 3)
    assert all_disjoint((equal("a"), equal("b"), equal("a")), ("x", "x", "other"))
    assert all_disjoint((), ())


def test_what_a_predicate_needs() -> None:
    both = AllOf((one_of("a", "B"), one_of("b", "c"), equal("x", "g")))
    assert needs(both) == {"f": {"b"}, "g": {"x"}}
    assert needs(AnyOf((both, equal("d")))) == {"f": {"b", "d"}}


LEAVES = st.builds(equal, st.sampled_from("abA"), st.sampled_from("fg")) | st.builds(
    lambda values, name: one_of(*values, name=name),
    st.lists(st.sampled_from("abc"), min_size=2, max_size=3, unique=True),
    st.sampled_from("fg"),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(Negated, inner)
        | st.builds(lambda kind, operands: kind(tuple(operands)), st.sampled_from([AllOf, AnyOf]), st.lists(inner, min_size=2, max_size=3))
    ),
    max_leaves=6,
)


def holds(predicate: Bound, event: dict[str, str]) -> bool:
    match predicate:
        case AllOf(operands):
            return all(holds(operand, event) for operand in operands)
        case AnyOf(operands):
            return any(holds(operand, event) for operand in operands)
        case Negated(operand):
            return not holds(operand, event)
        case OneOf(canonical=name, values=values):
            return event.get(name) in values
        case Leaf(canonical=name, value=Text() as text):
            return event.get(name, "") == (text.literal or "").lower()
        case _:
            raise AssertionError(predicate)


EVENTS = [{name: value for name, value in (("f", f), ("g", g)) if value} for f in ("", "a", "b", "c") for g in ("", "a", "b", "c")]


@settings(derandomize=True, deadline=None, max_examples=500)
@given(TREES, TREES)
def test_no_event_matches_two_predicates_that_are_disjoint(left: Bound, right: Bound) -> None:
    if all_disjoint((left, right), ("x", "x")):
        assert not any(holds(left, event) and holds(right, event) for event in EVENTS)
