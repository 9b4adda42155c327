"""Rules as text, bound to the pack's own Elastic mapping (with a few fields more), and their queries."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from insigma.bind.binder import bind
from insigma.bind.model import BoundAny, BoundCorrelation, BoundRule, Test
from insigma.content.assemble import assemble
from insigma.content.model import TargetField, TargetMapping, Taxonomy
from insigma.content.pack import load_pack
from insigma.content.predicate import Text, Wildcard
from insigma.content.yaml_reader import read_bytes
from insigma.targets.base import Detection
from insigma.targets.elastic.target import ElasticTarget

ROOT = Path(__file__).parent.parent.parent

HEAD = """
title: Rule {name}
name: {name}
id: 5d1a4f0e-0000-4000-8000-0000000000{number:02d}
status: test
level: high
taxonomy: insurance
insurance: {{pack_id: ins-clm-0{number}, domain: claims, role: alert}}
"""
A, B, E_LIST, NUMBER, FLOAT, RAW = (
    TargetField("a", "keyword", "lower", "a.cased"),
    TargetField("b", "keyword", "lower", "b.cased"),
    TargetField("list", "keyword", "lower", None, array=True),
    TargetField("number", "long", "any"),
    TargetField("ratio", "float", "any"),
    TargetField("raw", "keyword", "any"),
)
ADDRESS = TargetField("address", "ip", "any")
NUMBERS = TargetField("numbers", "long", "any", array=True)
FLAG = TargetField("flag", "boolean", "any")
EXTRA = {field.name: field for field in (A, B, E_LIST, NUMBER, NUMBERS, FLOAT, RAW, ADDRESS, FLAG)}


@lru_cache(maxsize=1)
def pack() -> tuple[TargetMapping, Taxonomy]:
    """The Elastic mapping of the pack, approximate windows accepted, and its taxonomy."""
    loaded = load_pack(ROOT).pack
    mapping = loaded.mappings["elastic"]
    options = MappingProxyType({**mapping.options, "approximate": True})
    return replace(mapping, fields=MappingProxyType({**mapping.fields, **EXTRA}), options=options), loaded.taxonomy


def event_rule(detection: str, name: str = "r1", number: int = 1, source: str = "insurance_claims") -> str:
    """An event rule; `detection` is the block of selections with the condition."""
    block = "\n".join(f"  {line}" for line in detection.strip().splitlines())
    return HEAD.format(name=name, number=number) + f"logsource: {{category: {source}}}\ndetection:\n{block}\n"


def correlation(body: str, number: int = 9) -> str:
    """A correlation named c."""
    block = "\n".join(f"  {line}" for line in body.strip().splitlines())
    return HEAD.format(name="c", number=number) + f"correlation:\n{block}\n"


VIEW = event_rule("s: {event.action: claim-view}\ncondition: s", "view", 1)
EXPORT = event_rule("s: {event.action: claim-export}\nf: {insurance.context.on_cat_duty: 'yes'}\ncondition: s and not f", "export", 2)
PAY = event_rule("s: {event.action: payment-release}\ncondition: s", "pay", 3, "insurance_payment")
SUCCESS = event_rule("s: {event.outcome: success}\ncondition: s", "success", 4)


def bound(*texts: str) -> BoundAny:
    """The last of the rules, bound."""
    mapping, taxonomy = pack()
    documents = read_bytes("\n---\n".join(texts).encode(), "rules.yml").documents
    assembled = assemble(list(documents))
    assert len(assembled.rules) == len(texts), assembled.diagnostics
    wanted = documents[-1].data["name"]
    rule = next(rule for rule in assembled.rules if rule.header.name == wanted)
    return bind(rule, mapping, taxonomy)


def bound_event(detection: str) -> BoundRule:
    rule = bound(event_rule(detection))
    assert isinstance(rule, BoundRule)
    return rule


def bound_correlation(body: str) -> BoundCorrelation:
    rule = bound(VIEW, EXPORT, PAY, SUCCESS, correlation(body))
    assert isinstance(rule, BoundCorrelation)
    return rule


def compiled(detection: str, language: str | None = None) -> Detection:
    """The detection of an event rule."""
    return ElasticTarget(pack()[0], language).compile(bound_event(detection))


def correlated(body: str, language: str | None = None) -> Detection:
    """The detection of a correlation over the rules view, export, pay and success."""
    return ElasticTarget(pack()[0], language).compile(bound_correlation(body))


def clause_of(query: str) -> str:
    """The query without its clause on the log source, on one line."""
    lines = [line.strip() for line in query.split("\n")]
    body = [line for line in lines if "insurance.logsource" not in line and not line.startswith(("FROM ", "| LIMIT "))]
    return " ".join(body).removeprefix("AND ").removeprefix("and ")


def text_test(*parts: str | Wildcard, field: TargetField = A, cased: bool = False) -> Test:
    """A bound test of `field` against a pattern, folded by the caller where it is not `cased`."""
    column = field.cased_name if cased and field.cased_name else field.name
    return Test(column, field, field.name, Text(tuple(parts), cased), not cased)
