"""What the tests of public rules share: a rule from text, compiled for a target without a mapping of its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from insigma.bind.binder import bind
from insigma.bind.open import open_mapping
from insigma.content.model import AnyRule, Pack, TargetMapping
from insigma.content.pack import bundled_root, load_loose
from insigma.targets.base import Detection, Target
from insigma.targets.elastic.target import ElasticTarget
from insigma.targets.sentinel.target import SentinelTarget
from insigma.targets.splunk.target import SplunkTarget
from tests.content.reading import rules_of

TARGETS: dict[str, tuple[str, Callable[[TargetMapping], Target]]] = {
    "elastic": ("elastic", ElasticTarget),
    "lucene": ("elastic", lambda mapping: ElasticTarget(mapping, "lucene")),
    "eql": ("elastic", lambda mapping: ElasticTarget(mapping, "eql")),
    "esql": ("elastic", lambda mapping: ElasticTarget(mapping, "esql")),
    "splunk": ("splunk", SplunkTarget),
    "sentinel": ("sentinel", SentinelTarget),
}
"""Our targets, and Elastic's languages by themselves: the mapping and the compiler."""


@cache
def program_pack() -> Pack:
    """The taxonomy and the mappings that the program carries, without rules."""
    return load_loose((), bundled_root()).pack


def public_rules(detection: str, logsource: str = "{category: process_creation, product: windows}") -> tuple[AnyRule, ...]:
    """A rule as it is published; `detection` is YAML on one line."""
    return rules_of(f"title: t\nlogsource: {logsource}\ndetection: {detection}\n")


def compiled(rule: AnyRule, target: str) -> Detection:
    """The detection of a rule of the default taxonomy. Raises `Refused`."""
    name, make = TARGETS[target]
    pack = program_pack()
    mapping = open_mapping(rule, pack.mappings[name])
    return make(mapping).compile(bind(rule, mapping, pack.taxonomy))


def query(detection: str, target: str) -> str:
    """The query of a rule that is given by its detection, on one line."""
    (rule,) = public_rules(detection)
    return " ".join(compiled(rule, target).query.split())
