"""The condition grammar: precedence, selectors, and the same reading as pySigma's wherever pySigma reads what is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from sigma.conditions import ConditionIdentifier, ConditionItem, ConditionNOT, ConditionOR, ConditionSelector, SigmaCondition
from sigma.rule import SigmaDetections

from insigma.content.condition import ConditionError, Expression, parse_condition, select

Plain = tuple[Any, ...]


def plain(expression: Expression) -> Plain:
    """The tree without positions: ("and", ...), ("or", ...), ("not", x), ("name", n), ("select", quantifier, pattern)."""
    if expression.operator == "name":
        return ("name", expression.name)
    if expression.operator == "select":
        return ("select", expression.quantifier, expression.name)
    return normal(expression.operator, [plain(operand) for operand in expression.operands])


def normal(operator: str, operands: list[Plain]) -> Plain:
    """Nested nodes of one associative operator as one."""
    if operator == "not":
        return ("not", *operands)
    lifted: list[Plain] = []
    for operand in operands:
        lifted.extend(operand[1:] if operand[0] == operator else [operand])
    return lifted[0] if len(lifted) == 1 else (operator, *lifted)


def theirs(text: str) -> Plain:
    """pySigma's reading of a condition, in the same form."""
    empty = SigmaDetections.from_dict({"x": {"a": "b"}, "condition": "x"})
    found = SigmaCondition(text, empty).parse(postprocess=False)
    assert isinstance(found, ConditionItem)
    return _theirs(found)


def _theirs(item: Any) -> Plain:
    match item:
        case ConditionIdentifier():
            return ("name", item.identifier)
        case ConditionSelector():
            return ("select", "or" if item.cond_class is ConditionOR else "and", item.pattern)
        case ConditionNOT():
            return ("not", _theirs(item.args[0]))
        case _:
            return normal("or" if isinstance(item, ConditionOR) else "and", [_theirs(operand) for operand in item.args])


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a", ("name", "a")),
        ("a and b or c", ("or", ("and", ("name", "a"), ("name", "b")), ("name", "c"))),
        ("a or b and c", ("or", ("name", "a"), ("and", ("name", "b"), ("name", "c")))),
        ("not a and b", ("and", ("not", ("name", "a")), ("name", "b"))),
        ("not (a or b)", ("not", ("or", ("name", "a"), ("name", "b")))),
        ("not not a", ("not", ("not", ("name", "a")))),
        ("1 of them", ("select", "or", "them")),
        ("any of a*", ("select", "or", "a*")),
        ("all of a*b*", ("select", "and", "a*b*")),
        ("not 1 of f_*", ("not", ("select", "or", "f_*"))),
        ("a and(b)", ("and", ("name", "a"), ("name", "b"))),
        ("  a\n  and\tb  ", ("and", ("name", "a"), ("name", "b"))),
        ("notsel", ("name", "notsel")),
        ("andy and oregon", ("and", ("name", "andy"), ("name", "oregon"))),
        ("all and 1 and any", ("and", ("name", "all"), ("name", "1"), ("name", "any"))),
        ("sel-1.a and _x", ("and", ("name", "sel-1.a"), ("name", "_x"))),
    ],
)
def test_a_condition_means(text: str, tree: Plain) -> None:
    assert plain(parse_condition(text)) == tree


@pytest.mark.parametrize(
    ("text", "offset", "hint"),
    [
        ("a AND b", 2, "lower case: 'and'"),
        ("Not a", 4, ""),
        ("a b", 2, "join selections"),
        ("a | count()", 2, "correlation"),
        ("a)", 1, "not opened"),
        ("(a", 0, "add ')'"),
        ("a and", 5, ""),
        ("3 of a*", 0, "'1 of'"),
        ("all of and", 7, ""),
        ("of", 0, ""),
        ("them", 0, ""),
        ("", 0, ""),
        ("a & b", 2, "names, operators"),
        ("sélection", 1, "names, operators"),
        ("(" * 60 + "a" + ")" * 60, 51, ""),
        ("not " * 60 + "a", 204, ""),
    ],
)
def test_a_broken_condition_is_told_at_its_offset(text: str, offset: int, hint: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse_condition(text)
    assert caught.value.offset == offset
    assert hint in caught.value.hint


def test_a_hostile_condition_costs_no_recursion() -> None:
    for text in ("(" * 200_000, "not " * 200_000, "(not " * 100_000):
        with pytest.raises(ConditionError):
            parse_condition(text)
    assert len(parse_condition(" and ".join(["a"] * 50_000)).operands) == 50_000


@pytest.mark.parametrize(
    ("pattern", "names", "found"),
    [
        ("them", ["a", "_b", "c"], ("a", "c")),
        ("*", ["a", "_b", "c"], ("a", "c")),
        ("_*", ["a", "_b", "c"], ("_b",)),
        ("a*", ["a", "ab", "ba"], ("a", "ab")),
        ("*a*b", ["ab", "xaxb", "abx"], ("ab", "xaxb")),
        ("a", ["a", "ab"], ("a",)),
        ("a.*", ["a.b", "axb"], ("a.b",)),
        ("a?", ["ab", "a?"], ("a?",)),
        ("x*", ["a"], ()),
    ],
)
def test_a_selector_selects(pattern: str, names: list[str], found: tuple[str, ...]) -> None:
    assert select(pattern, names) == found


NAMES = st.from_regex(r"[a-z_][a-z0-9_-]{0,6}", fullmatch=True).filter(
    lambda name: not name.startswith(("and", "or", "not")) and name not in {"of", "them", "all", "any"}
)
PATTERNS = st.sampled_from(["them", "a*", "sel_*", "*x*", "b"])
TREES: st.SearchStrategy[Plain] = st.recursive(
    st.tuples(st.just("name"), NAMES) | st.tuples(st.just("select"), st.sampled_from(["or", "and"]), PATTERNS),
    lambda inner: (
        st.tuples(st.just("not"), inner)
        | st.builds(
            lambda operator, operands: (operator, *operands), st.sampled_from(["and", "or"]), st.lists(inner, min_size=2, max_size=4)
        )
    ),
    max_leaves=12,
)


def written(tree: Plain, spare: bool) -> str:
    """The tree as a condition, with every parenthesis it could have, or only those it needs."""
    operator, *operands = tree
    if operator == "name":
        return str(operands[0])
    if operator == "select":
        return f"{'1' if operands[0] == 'or' else 'all'} of {operands[1]}"
    if operator == "not":
        (inner,) = operands
        needed = inner[0] in ("and", "or")
        return f"not ({written(inner, spare)})" if needed or not spare else f"not {written(inner, spare)}"
    parts = []
    for operand in operands:
        needed = operand[0] == "or" and operator == "and"
        closed = needed or (not spare and operand[0] in ("and", "or", "not"))
        parts.append(f"({written(operand, spare)})" if closed else written(operand, spare))
    return f" {operator} ".join(parts)


def flat(tree: Plain) -> Plain:
    operator, *operands = tree
    return tree if operator in ("name", "select") else normal(operator, [flat(operand) for operand in operands])


@settings(derandomize=True, deadline=None, max_examples=300)
@given(TREES, st.booleans())
def test_a_tree_written_out_is_read_back(tree: Plain, spare: bool) -> None:
    assert plain(parse_condition(written(tree, spare))) == flat(tree)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(TREES)
def test_a_condition_is_read_as_pysigma_reads_it(tree: Plain) -> None:
    text = written(tree, spare=True)
    assert plain(parse_condition(text)) == theirs(text)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(
    st.text(alphabet="ab1*?_ ()|&.\n")
    | st.lists(st.sampled_from(["and", "or", "not", "of", "all", "1", "(", ")", "a", "x*", "them"])).map(" ".join)
)
def test_any_text_is_a_tree_or_an_error_inside_it(text: str) -> None:
    try:
        offset, end = parse_condition(text).offset, len(text) - 1
    except ConditionError as error:
        offset, end = error.offset, len(text)
    assert 0 <= offset <= end


@pytest.mark.corpus
def test_every_condition_of_the_public_rules_is_read_as_pysigma_reads_it(corpus: Path) -> None:
    loader = yaml.CSafeLoader
    texts: set[str] = set()
    for path in sorted(corpus.rglob("*.yml")):
        for data in yaml.load_all(path.read_bytes(), loader):
            condition = data["detection"]["condition"]
            texts.update([condition] if isinstance(condition, str) else condition)
    assert len(texts) > 300
    differing = [text for text in sorted(texts) if plain(parse_condition(text)) != theirs(text)]
    assert differing == []
