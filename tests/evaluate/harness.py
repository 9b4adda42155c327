"""Rules as YAML or plain data, events as plain data, through the evaluator: no disk, no pack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from insigma.content.assemble import assemble
from insigma.content.model import AnyRule, Rule, Taxonomy
from insigma.content.yaml_reader import read_bytes
from insigma.evaluate.engine import Engine, Verdict

Event = Mapping[str, Any]


def read_rules(text: str) -> tuple[AnyRule, ...]:
    """The rules of a YAML text, which must be without fault."""
    read = read_bytes(text.encode("utf-8", "surrogatepass"), "rule.yml")
    assembled = assemble(read.documents)
    assert not read.diagnostics, read.diagnostics
    assert not assembled.diagnostics, assembled.diagnostics
    return assembled.rules


def codes_of(text: str) -> list[str]:
    """The codes of what is wrong with the rules of a YAML text."""
    read = read_bytes(text.encode(), "rule.yml")
    return sorted({found.code for found in (*read.diagnostics, *assemble(read.documents).diagnostics)})


def event_rule(selection: Any, *, name: str = "r", condition: str = "selection", **more: Any) -> str:
    """The text of an event rule. With `condition`, `selection` may be a mapping of several selections."""
    detection = {**selection, "condition": condition} if condition != "selection" else {"selection": selection, "condition": condition}
    rule = {"title": name, "name": name, "logsource": {"category": "test"}, "detection": detection, **more}
    return _text(rule)


def correlation_rule(body: Mapping[str, Any], *, name: str = "c") -> str:
    """The text of a correlation."""
    return _text({"title": name, "name": name, "correlation": body})


def _text(data: Any) -> str:
    return yaml.safe_dump(data, allow_unicode=True, sort_keys=False)


def documents(*texts: str) -> str:
    """Several rules in one text."""
    return "\n---\n".join(texts)


def judge(rules: Sequence[AnyRule], events: Sequence[Event], taxonomy: Taxonomy | None = None) -> tuple[Verdict, ...]:
    """What the rules say of the events."""
    engine = Engine(rules, taxonomy)
    for event in events:
        engine.feed(event)
    return engine.verdicts()


def selection_matches(selection: Any, event: Event) -> bool:
    """Whether a rule with this one selection matches the event."""
    return matches(event_rule(selection), event)


def matches(rule: str, event: Event) -> bool:
    """Whether the (only) rule of the text matches the event."""
    return bool(judge(read_rules(rule), [event])[0].indexes)


def base_rule(text: str) -> Rule:
    """The only event rule of the text."""
    (rule,) = read_rules(text)
    assert isinstance(rule, Rule)
    return rule


def alerts_of(verdict: Verdict) -> list[dict[str, Any]]:
    """The alerts of a correlation's verdict as plain data, instants in seconds."""
    return [
        {
            **found.group,
            "first": found.alert.first / 1000,
            "last": found.alert.last / 1000,
            "value": found.alert.value,
            "indexes": list(found.alert.indexes),
            "instants": [instant / 1000 for instant in found.alert.instants],
        }
        for found in verdict.alerts
    ]
