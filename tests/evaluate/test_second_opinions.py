"""The evaluator beside engines of other hands: the stock pySigma SQLite backend over SQLite, and azuma.

All three read one rule and judge the same events. What they agree on, and each kind of disagreement with its reason,
stands in second_opinions.yml.
"""

from __future__ import annotations

import random
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from insigma.content.assemble import assemble
from insigma.content.model import Rule
from insigma.content.predicate import Boolean, Match, Number, Text, Wildcard, fields_of, leaves
from insigma.content.yaml_reader import read_bytes
from tests.evaluate.harness import base_rule, event_rule, judge

DATA = yaml.safe_load((Path(__file__).parent / "second_opinions.yml").read_text(encoding="utf-8"))
FIELDS = ("a", "b", "who")
EVENTS_EACH = 30
SAMPLE = 250


def sqlite_verdicts(rule: str, fields: Sequence[str], events: Sequence[Mapping[str, Any]], collation: str = "") -> set[int]:
    """What the stock backend's query finds in a table of the events; absent fields are NULL, booleans their text."""
    backend = pytest.importorskip("sigma.backends.sqlite").sqliteBackend()
    collection = pytest.importorskip("sigma.collection").SigmaCollection
    (query,) = backend.convert(collection.from_yaml(rule))
    database = sqlite3.connect(":memory:")
    database.create_function("regexp", 2, lambda pattern, value: value is not None and re.search(pattern, str(value)) is not None)
    columns = ", ".join(f'"{field}" {collation}' for field in fields)
    database.execute(f"CREATE TABLE logs ({columns})")
    rows = [[str(value).lower() if isinstance(value, bool) else value for value in map(event.get, fields)] for event in events]
    database.executemany(f"INSERT INTO logs VALUES ({', '.join('?' * len(fields))})", rows)
    found = database.execute(query.replace("SELECT *", "SELECT rowid - 1", 1).replace("<TABLE_NAME>", "logs"))
    return {row[0] for row in found}


def azuma_verdicts(rule: str, events: Sequence[Mapping[str, Any]]) -> set[int]:
    compiled = pytest.importorskip("azuma").Rule.model_validate(yaml.safe_load(rule))
    return {index for index, event in enumerate(events) if compiled.match(event)}


def azuma_or_refusal(rule: str, events: Sequence[Mapping[str, Any]]) -> set[int] | None:
    """None for a rule or an event that azuma refuses: it has no fieldref, and fails on values that are no number or address."""
    azuma_error = pytest.importorskip("azuma.exceptions").AzumaError
    try:
        return azuma_verdicts(rule, events)
    except (ValueError, azuma_error):
        return None


def verdict_or_error(verdicts: Any, *arguments: Any) -> bool | str:
    try:
        return bool(verdicts(*arguments))
    except Exception:  # noqa: BLE001 - other people's engines refuse in their own ways
        return "error"


@pytest.mark.parametrize("example", DATA["examples"], ids=[f"{one['selection']} on {one['event']}" for one in DATA["examples"]])
def test_an_example_is_judged_as_the_data_say(example: dict[str, Any]) -> None:
    rule = event_rule(example["selection"], condition=example.get("condition", "selection"))
    events = [example["event"]]
    found = {
        "ours": bool(judge([base_rule(rule)], events)[0].indexes),
        "sqlite": verdict_or_error(sqlite_verdicts, rule, FIELDS, events),
        "azuma": verdict_or_error(azuma_verdicts, rule, events),
    }
    assert found == {name: example[name] for name in found}


def test_every_disagreement_of_the_examples_has_its_reason() -> None:
    for example in DATA["examples"]:
        differs = any(example[name] not in (example["ours"], "error") for name in ("sqlite", "azuma"))
        assert differs is ("why" in example), example


# --- public rules on events made from their own values ---------------------------------------------------


def spelt(value: Any, chance: random.Random) -> Any:
    """A value that the pattern matches, or None for what is no pattern."""
    if isinstance(value, Text):
        some = ["", "z", " zz "]
        return "".join(part if isinstance(part, str) else chance.choice(some) if part is Wildcard.MANY else "q" for part in value.parts)
    return value.value if isinstance(value, (Number, Boolean)) else None


def made_events(rule: Rule, count: int, chance: random.Random) -> Iterator[dict[str, Any]]:
    """Events of the rule's own values, joined, in other case, or left out."""
    wanted: dict[str, list[Any]] = {}
    for leaf in leaves(rule.predicate):
        if isinstance(leaf, Match):
            wanted.setdefault(leaf.field, []).append(spelt(leaf.value, chance))
    for _ in range(count):
        event: dict[str, Any] = {}
        for field, values in wanted.items():
            value = chance.choice(values)
            if value is None or chance.random() < 0.15:
                continue
            if isinstance(value, str):
                more = [str(other) for other in chance.sample(values, min(3, len(values))) if other is not None]
                value = " ".join([value, *more]) if chance.random() < 0.2 else value
                value = value.swapcase() if chance.random() < 0.3 else value
            event[field] = value
        yield event


def sampled_rules(corpus: Path) -> Iterator[tuple[str, str, Rule]]:
    """Name, text and reading of a fixed sample of the public rules that have no keywords."""
    chance = random.Random(2)
    for path in chance.sample(sorted(corpus.rglob("*.yml")), SAMPLE):
        text = path.read_text(encoding="utf-8")
        (rule,) = assemble(read_bytes(text.encode(), path.name).documents).rules
        if isinstance(rule, Rule) and all(isinstance(leaf, Match) for leaf in leaves(rule.predicate)):
            yield path.name, text, rule


@pytest.mark.corpus
def test_public_rules_mean_the_same_to_all_three_but_for_what_is_explained(corpus: Path) -> None:
    """SQLite's columns ignore case here (ASCII), so that plain equality does not hide everything else."""
    chance, judged, matched, refused = random.Random(3), 0, 0, 0
    unexplained = []
    for name, text, rule in sampled_rules(corpus):
        events = list(made_events(rule, EVENTS_EACH, chance))
        ours = set(judge([rule], events)[0].indexes)
        judged, matched = judged + len(events), matched + len(ours)
        others = {
            "sqlite": sqlite_verdicts(text, sorted(fields_of(rule.predicate)), events, "COLLATE NOCASE"),
            "azuma": azuma_or_refusal(text, events),
        }
        refused += others["azuma"] is None
        for engine, theirs in others.items():
            reasons = [kind for kind in DATA["explained"] if kind["engine"] == engine and re.search(kind["where"], text)]
            if theirs is not None and theirs != ours and not reasons:
                index = min(theirs ^ ours)
                unexplained.append((engine, name, events[index], "ours" if index in ours else "theirs"))
    assert not unexplained, "\n".join(map(str, unexplained))
    assert judged > SAMPLE * EVENTS_EACH * 0.8
    assert refused < SAMPLE // 20, "an engine that refuses is no second opinion"
    assert matched > judged // 5, "events that hardly ever match prove little"
