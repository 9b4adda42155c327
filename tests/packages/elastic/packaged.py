"""The whole pack as one tenant's Elastic package, and rules of one's own in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import jsonschema

from insigma.bind.binder import bind
from insigma.content.attack import load_attack
from insigma.content.lists import default_lists
from insigma.content.model import Header, Pack, TargetMapping
from insigma.content.pack import load_pack
from insigma.content.rules import read_header
from insigma.content.yaml_reader import Document
from insigma.packages.base import PackContext, Packed, Table
from insigma.packages.elastic.files import ElasticPackager
from insigma.packages.elastic.rules import KibanaContext
from insigma.schemas import load
from insigma.specialise.lists import fill_lists
from insigma.targets.base import Detection
from insigma.targets.elastic.target import ElasticTarget
from tests.targets.elastic_harness import ROOT

ASSIGNMENT = Table(
    "claim_assignment",
    ("claim", "user"),
    (("claim", "string"), ("user", "string"), ("valid_from", "time"), ("relation", "string")),
    None,
    "Who works on which claim.",
    "claims operations",
    "claims system",
    "15m",
)
CALENDAR = Table(
    "work_calendar",
    ("calendar", "day"),
    (("calendar", "string"), ("day", "number"), ("open1", "number"), ("close1", "number")),
    (("default", "20513", "", ""), ("Default", "20512", "420", "1080.5")),
)
PARTNERS = Table("blocked_partners", ("value",), (("value", "string"),), (("Müller GmbH",), ("acme|co",)))
TABLES = (CALENDAR, ASSIGNMENT, PARTNERS)


@lru_cache(maxsize=1)
def the_pack() -> Pack:
    return load_pack(ROOT).pack


def elastic_mapping() -> TargetMapping:
    return the_pack().mappings["elastic"]


@lru_cache(maxsize=1)
def whole_pack() -> tuple[Packed, ...]:
    """Every rule of the pack, compiled for the default lists."""
    pack = the_pack()
    target = ElasticTarget(elastic_mapping())
    rules = fill_lists(pack.rules, default_lists(pack)).rules
    return tuple(Packed(rule.header, target.compile(bind(rule, elastic_mapping(), pack.taxonomy)), {}) for rule in rules)


def context_of(tenant: str = "acme", **changes: Any) -> PackContext:
    return PackContext(tenant, "insurance", "1.0.0", **changes)


def packager_of(context: PackContext, mapping: TargetMapping | None = None) -> ElasticPackager:
    return ElasticPackager(KibanaContext(context, mapping or elastic_mapping(), load_attack()), the_pack().taxonomy)


def package(*packed: Packed, context: PackContext | None = None, mapping: TargetMapping | None = None) -> Mapping[str, str]:
    """The tenant's files, all of them text."""
    files = packager_of(context or context_of(), mapping).package(packed)
    return {path: content for path, content in files.items() if isinstance(content, str)}


@lru_cache(maxsize=1)
def everything() -> Mapping[str, str]:
    """The package of all rules, with lookup tables."""
    return package(*whole_pack(), context=context_of(tables=TABLES, settings={"space": "soc"}, legal_entity="ACME Versicherung AG"))


def with_indices(**patterns: str) -> TargetMapping:
    """The mapping with these log sources only, and where each is stored."""
    mapping = elastic_mapping()
    sources = {name: replace(mapping.logsources[name], settings={"index": pattern}) for name, pattern in patterns.items()}
    return replace(mapping, logsources=MappingProxyType(sources))


def rules_of(files: Mapping[str, str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files["elastic/rules.ndjson"].split("\n")[:-1]]


def packed_rule(detection: Detection, name: str = "own", **head: Any) -> Packed:
    """A detection under a header of one's own; `enabled` is the profile's."""
    enabled = bool(head.pop("enabled", True))
    return Packed(header_of(name, **head), detection, {}, enabled)


def header_of(name: str, **head: Any) -> Header:
    data = {"title": f"Rule {name}", "name": name, "level": "high", "status": "test", **head}
    return read_header(Document(f"rules/claims/{name}.yml", data, {}, {}, {}, {}))


def faults(schema: str, value: Any) -> list[str]:
    """What is wrong with the object by our schema of the vendor's format."""
    validator = jsonschema.Draft202012Validator(load(f"vendor/elastic-{schema}"))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]
