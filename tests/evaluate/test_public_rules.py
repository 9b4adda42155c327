"""The public rules: all of them are evaluated, on events that fit them and on events that fit nothing, without an error."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from insigma.content.assemble import assemble
from insigma.content.files import Finder
from insigma.content.model import Rule
from insigma.content.predicate import Keyword, Match, Text, Wildcard, fields_of, leaves
from insigma.evaluate.closures import compile_predicate
from insigma.evaluate.events import Preparer, flatten
from tests.evaluate.test_second_opinions import spelt

COUNT = 3_141
ODD: tuple[Any, ...] = (
    None,
    "",
    " ",
    0,
    -1.5,
    10**30,
    True,
    [],
    {},
    ["a", None, 1],
    [{"x": "y"}, ["z"]],
    {"a": {"b": 1}},
    "\x00",
    "\U0010ffff",
    "é" * 300,
)


def fitting(rule: Rule, chance: random.Random) -> dict[str, Any]:
    """An event of the rule's own values, one for each field; keywords stand in a field of their own."""
    event: dict[str, Any] = {}
    for leaf in leaves(rule.predicate):
        if isinstance(leaf, Match) and (chance.random() < 0.5 or leaf.field not in event):
            event[leaf.field] = spelt(leaf.value, chance)
        elif isinstance(leaf, Keyword) and isinstance(leaf.value, Text):
            event["message"] = "".join(part if isinstance(part, str) else "?" for part in leaf.value.parts if part is not Wildcard.MANY)
    return event


def odd(rule: Rule, chance: random.Random) -> Iterator[dict[str, Any]]:
    """Events that hold nothing of the kind that the rule's fields are for."""
    fields = fields_of(rule.predicate)
    yield {}
    yield {field: chance.choice(ODD) for field in fields}
    yield {field: [chance.choice(ODD), chance.choice(ODD)] for field in fields}


@pytest.mark.corpus
def test_every_public_rule_is_evaluated_without_an_error(corpus: Path) -> None:
    finder, chance = Finder(corpus), random.Random(5)
    assembled = assemble([document for path in finder.files(corpus) for document in finder.read(path).documents])
    rules = [rule for rule in assembled.rules if isinstance(rule, Rule)]
    assert len(rules) == COUNT
    matched = 0
    for rule in rules:
        needs: list[Any] = []
        test = compile_predicate(rule.predicate, needs)
        preparer = Preparer(needs)
        for event in (*(fitting(rule, chance) for _ in range(3)), *odd(rule, chance)):
            verdict = test(preparer.view(flatten(event)))
            assert isinstance(verdict, bool), (rule.header.path, event)
            matched += verdict
    assert matched > COUNT  # events that match nothing prove little
