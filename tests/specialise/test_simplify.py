"""Constants are taken out without changing what is matched."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from insigma.content.predicate import And, Constant, Keyword, Match, Named, Not, Or, Predicate, Text, leaves
from insigma.specialise.known import with_words, without_fields
from insigma.specialise.simplify import replaced

FIELDS = ("a", "b", "c")
leaf = st.one_of(st.sampled_from(FIELDS).map(lambda name: Match(name, Text(("x",)))), st.booleans().map(Constant))
trees: st.SearchStrategy[Predicate] = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda found: And(tuple(found))),
        st.lists(inner, min_size=2, max_size=3).map(lambda found: Or(tuple(found))),
        inner.map(Not),
        inner.map(lambda found: Named("s", found)),
    ),
    max_leaves=12,
)


def judged(predicate: Predicate, true: frozenset[str]) -> bool:
    match predicate:
        case And(operands):
            return all(judged(operand, true) for operand in operands)
        case Or(operands):
            return any(judged(operand, true) for operand in operands)
        case Not(operand):
            return not judged(operand, true)
        case Named(_, operand):
            return judged(operand, true)
        case Constant(value):
            return value
        case Match(field, _):
            return field in true
        case _:
            raise AssertionError(predicate)


@given(trees, st.frozensets(st.sampled_from(FIELDS)), st.booleans())
def test_a_known_leaf_is_as_good_as_its_value(tree: Predicate, true: frozenset[str], known: bool) -> None:
    def put(node: Match | Keyword) -> Predicate:
        return Constant(known) if isinstance(node, Match) and node.field == "a" else node

    left = replaced(tree, put)
    assert judged(left, true) == judged(tree, (true | {"a"}) if known else (true - {"a"}))
    assert isinstance(left, Constant) or not any(isinstance(found, Constant) for found in leaves(left))


def test_a_field_that_never_comes_matches_nothing_but_absence() -> None:
    wanted = And((Match("a", Text(("x",))), Match("b", Text(("x",)))))
    assert without_fields(wanted, {"a"}) == Constant(False)
    assert without_fields(Not(wanted), {"a"}) == Constant(True)
    assert without_fields(Or((Match("a", Text(("x",))), Match("b", Text(("x",))))), {"a"}) == Match("b", Text(("x",)))


def test_a_flag_that_is_always_unknown_is_equal_to_that_word_only() -> None:
    flag = "insurance.context.off_hours"
    assert with_words(Match(flag, Text(("yes",))), {flag: "unknown"}) == Constant(False)
    assert with_words(Match(flag, Text(("UNKNOWN",))), {flag: "unknown"}) == Constant(True)
    assert with_words(Match(flag, Text(("UNKNOWN",), cased=True)), {flag: "unknown"}) == Constant(False)
