"""Rules as text, bound to the pack's own Sentinel mapping (with a few fields more), and their queries."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from insigma.bind.binder import bind
from insigma.bind.model import BoundAny, BoundRule
from insigma.content.assemble import assemble
from insigma.content.model import TargetField, TargetMapping, Taxonomy
from insigma.content.pack import load_pack
from insigma.content.yaml_reader import read_bytes
from insigma.targets.base import Detection
from insigma.targets.sentinel.predicates import where
from insigma.targets.sentinel.target import SentinelTarget

ROOT = Path(__file__).parent.parent.parent.parent
HEAD = """
title: {name}
name: {name}
id: 5d1a4f0e-0000-4000-8000-00000000000{number}
status: test
level: high
taxonomy: insurance
insurance: {{pack_id: {name}, role: alert}}
"""
EVENT = """
logsource: {{category: {source}}}
detection:
{detection}
"""


@lru_cache(maxsize=1)
def pack() -> tuple[TargetMapping, Taxonomy]:
    """The Sentinel mapping and the taxonomy of the pack."""
    loaded = load_pack(ROOT).pack
    mapping = loaded.mappings["sentinel"]
    extra = {
        "a": TargetField("A", "string", "any"),
        "b": TargetField("B", "string", "any"),
        "stored.lower": TargetField("Low", "string", "lower"),
        "count": TargetField("Count", "long", "any"),
        "other.count": TargetField("OtherCount", "long", "any"),
        "score": TargetField("Score", "real", "any"),
        "flag": TargetField("Flag", "boolean", "any"),
        "when": TargetField("When", "datetime", "any"),
        "list": TargetField("List", "string", "any", array=True),
        "numbers": TargetField("Numbers", "long", "any", array=True),
        "evil": TargetField("x'] | take 1 //", "string", "any"),
        "spaced name": TargetField("spaced name", "string", "any"),
        "word": TargetField("where", "string", "any"),
    }
    return replace(mapping, fields=MappingProxyType({**mapping.fields, **extra})), loaded.taxonomy


def event_rule(detection: str, name: str = "r1", source: str = "insurance_claims", number: int = 1, more: str = "") -> str:
    """An event rule; `detection` is the indented block of selections with the condition."""
    return HEAD.format(name=name, number=number) + EVENT.format(source=source, detection=detection) + more


def selection(field_and_value: str, name: str = "r1", source: str = "insurance_claims", number: int = 1) -> str:
    """An event rule with one selection of one line."""
    return event_rule(f"  s:\n    {field_and_value}\n  condition: s", name, source, number)


def correlation(body: str, name: str = "c1") -> str:
    """A correlation; `body` is the indented block under `correlation`."""
    return HEAD.format(name=name, number=9) + "correlation:\n" + body


def bound(*rules: str) -> BoundAny:
    """The last of the rules, bound."""
    read = read_bytes("\n---\n".join(rules).encode(), "rule.yml")
    assert not read.diagnostics, read.diagnostics
    assembled = assemble(read.documents)
    assert not assembled.diagnostics, assembled.diagnostics
    mapping, taxonomy = pack()
    return bind(assembled.rules[-1], mapping, taxonomy)


def compiled(*rules: str) -> Detection:
    """The detection of the last of the rules."""
    return SentinelTarget(pack()[0]).compile(bound(*rules))


def clause(field_and_value: str) -> str:
    """The `where` expression of a rule with one selection of one line."""
    return condition(f"  s:\n    {field_and_value}\n  condition: s")


def condition(detection: str) -> str:
    """The `where` expression of an event rule."""
    rule = bound(event_rule(detection))
    assert isinstance(rule, BoundRule)
    return where(rule.predicate)


def skeleton(query: str) -> str:
    """The query without its string literals: what Kusto reads as operators and names."""
    return re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', query)
