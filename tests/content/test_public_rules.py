"""The public rules: all of them are read without a fault, and pySigma, which reads them too, agrees about the logic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from sigma.collection import SigmaCollection
from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.rule import SigmaRule

from insigma.content.assemble import Assembled, assemble
from insigma.content.files import Finder
from insigma.content.model import Rule
from insigma.content.predicate import And, Keyword, Match, Named, Not, Or, Predicate, children
from tests.content.reading import shown

pytestmark = pytest.mark.corpus
COUNT = 3_141


@pytest.fixture(scope="module")
def assembled(corpus: Path) -> Assembled:
    finder = Finder(corpus)
    documents = [document for path in finder.files(corpus) for document in finder.read(path).documents]
    assert shown(finder.found) == []
    return assemble(documents)


@pytest.fixture(scope="module")
def theirs(corpus: Path) -> dict[str, SigmaRule]:
    """pySigma's reading of every rule, by id, fed by the plain libyaml loader."""
    dicts: list[Any] = [yaml.load(path.read_bytes(), yaml.CSafeLoader) for path in sorted(corpus.rglob("*.yml"))]
    return {str(rule.id): rule for rule in SigmaCollection.from_dicts(dicts).rules if isinstance(rule, SigmaRule)}


def test_every_public_rule_is_read_without_a_fault(assembled: Assembled) -> None:
    assert shown(assembled.diagnostics) == []
    assert len(assembled.rules) == COUNT


def shape(predicate: Predicate) -> Any:
    """The logic alone: leaves by their field, nested nodes of one operator as one, one operand as itself."""
    match predicate:
        case Match(field):
            return field
        case Keyword():
            return None
        case Named(_, operand):
            return shape(operand)
        case Not(operand):
            return ("not", shape(operand))
        case _:
            return joined("and" if isinstance(predicate, And) else "or", [shape(child) for child in children(predicate)])


def their_shape(item: Any) -> Any:
    match item:
        case ConditionFieldEqualsValueExpression():
            return joined("or", [item.field] * expansion(item.value))
        case ConditionValueExpression():
            return joined("or", [None] * expansion(item.value))
        case ConditionNOT():
            return ("not", their_shape(item.args[0]))
        case ConditionAND() | ConditionOR():
            return joined("and" if isinstance(item, ConditionAND) else "or", [their_shape(operand) for operand in item.args])
        case _:
            raise AssertionError(type(item))


def expansion(value: Any) -> int:
    """How many alternatives a modifier has made of one value."""
    return sum(expansion(inner) for inner in value.values) if type(value).__name__ == "SigmaExpansion" else 1


def joined(operator: str, operands: list[Any]) -> Any:
    lifted: list[Any] = []
    for operand in operands:
        lifted.extend(operand[1:] if isinstance(operand, tuple) and operand[0] == operator else [operand])
    return lifted[0] if len(lifted) == 1 else (operator, *lifted)


def test_every_public_rule_has_the_logic_that_pysigma_reads(assembled: Assembled, theirs: dict[str, SigmaRule]) -> None:
    assert len(theirs) == COUNT
    differing = []
    for rule in assembled.rules:
        assert isinstance(rule, Rule)
        other = theirs[str(rule.header.id)]
        wanted = joined("or", [their_shape(condition.parsed) for condition in other.detection.parsed_condition])
        if shape(rule.predicate) != wanted:
            differing.append(rule.header.path)
    assert differing == []


def test_every_public_rule_keeps_its_header_and_log_source(assembled: Assembled, theirs: dict[str, SigmaRule]) -> None:
    for rule in assembled.rules:
        assert isinstance(rule, Rule)
        other = theirs[str(rule.header.id)]
        assert rule.header.title == other.title
        assert rule.header.level == str(other.level)
        assert rule.header.status == str(other.status)
        assert list(rule.header.tags) == [str(tag) for tag in other.tags]
        logsource = (rule.logsource.category, rule.logsource.product, rule.logsource.service)
        assert logsource == (other.logsource.category, other.logsource.product, other.logsource.service)


def test_the_logic_has_no_node_that_joins_less_than_two(assembled: Assembled) -> None:
    waiting: list[Predicate] = [rule.predicate for rule in assembled.rules if isinstance(rule, Rule)]
    while waiting:
        predicate = waiting.pop()
        waiting.extend(children(predicate))
        assert not isinstance(predicate, (And, Or)) or len(predicate.operands) >= 2
