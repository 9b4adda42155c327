"""Rules as text, bound to the pack's own Splunk mapping (with a few fields more), and their queries."""

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
from insigma.targets.splunk.predicates import where
from insigma.targets.splunk.target import SplunkTarget

ROOT = Path(__file__).parent.parent.parent
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
    """The Splunk mapping and the taxonomy of the pack."""
    loaded = load_pack(ROOT).pack
    mapping = loaded.mappings["splunk"]
    extra = {
        "a": TargetField("a", "string", "any"),
        "b": TargetField("b", "string", "any"),
        "stored.lower": TargetField("stored.lower", "string", "lower"),
        "count": TargetField("count", "number", "any"),
        "other.count": TargetField("other.count", "number", "any"),
        "list": TargetField("list{}", "string", "any", array=True),
        "numbers": TargetField("numbers{}", "number", "any", array=True),
        "evil": TargetField("x' | delete | eval y='", "string", "any"),
        "spaced name": TargetField("spaced name", "string", "any"),
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
    return SplunkTarget(pack()[0]).compile(bound(*rules))


def clause(field_and_value: str) -> str:
    """The `where` expression of a rule with one selection of one line."""
    rule = bound(selection(field_and_value))
    assert isinstance(rule, BoundRule)
    return where(rule.predicate)


def condition(detection: str) -> str:
    """The `where` expression of an event rule."""
    rule = bound(event_rule(detection))
    assert isinstance(rule, BoundRule)
    return where(rule.predicate)


def skeleton(query: str) -> str:
    """The query without what stands between quotes: what Splunk reads as commands, operators and bare words."""
    return re.sub(r"\"[^\"]*\"|'[^']*'", '""', query)
