"""Apps to look into: of rules made here, and of the whole pack."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from jsonschema import Draft202012Validator

from insigma.bind.binder import bind
from insigma.content.lists import default_lists
from insigma.content.model import Header, TargetMapping
from insigma.content.pack import load_pack
from insigma.content.yaml_reader import Document, read_bytes
from insigma.packages.base import Files, PackContext, Packed, Table
from insigma.packages.splunk.files import SplunkPackager
from insigma.specialise.lists import fill_lists
from insigma.targets.base import Detection, Schedule
from insigma.targets.splunk.target import SplunkTarget

ROOT = Path(__file__).parent.parent.parent.parent
VENDOR = ROOT / "src" / "insigma" / "schemas" / "vendor"
APP = "insigma-acme-pc-de"

ASSIGNMENTS = Table(
    "claim_assignments",
    ("claim_id", "user_name"),
    (("claim_id", "string"), ("user_name", "string"), ("valid_until", "time")),
    None,
    "Who works on which claim",
    "claims operations",
    "ClaimCenter",
    "15m",
)
CALENDAR = Table(
    "working_calendar",
    ("calendar", "day"),
    (("calendar", "string"), ("day", "number"), ("open1", "number"), ("close1", "number")),
    (("default", "20000", "420", "1020"), ("default", "20001", "", "")),
    "Working hours of the tenant",
)
CONTEXT = PackContext("acme-pc-de", "insurance", "0.1.0", legal_entity="Acme Property & Casualty", tables=(ASSIGNMENTS, CALENDAR))
WITH_ES = replace(CONTEXT, settings={"enterprise_security": True}, versions={"ins-clm-c03": 7})

EVENT = Detection(
    "splunk",
    "spl",
    'index=ins_claims x="y"\n| where lower(\'x\')="y"\n| table _time user.name "odd name"',
    Schedule(300_000, 600_000),
    "event",
)
COUNT = replace(
    EVENT,
    query="index=ins_claims\n| where lower('x')=\"y\"\n    AND isnotnull(z)\n| eval insigma_ms=_time\n| table _time actor claim.id",
    window="exact",
    schedule=Schedule(300_000, 4_200_000),
    group_fields=("actor", "insurance.claim.id"),
)


def header(title: str = "A Title", *, name: str | None = "ins-clm-c01", level: str = "high", **parts: Any) -> Header:
    """A rule's header. `insurance` is merged into its metadata, any other part goes into the document."""
    insurance = {"pack_id": name, "role": "alert", "domain": "claims", "evidence": {"entities": {"actor": "user.name"}}}
    insurance |= parts.pop("insurance", {})
    document = read_bytes(b"{}", "rules/x.yml").documents[0]
    document = Document(document.path, parts, document.marks, document.key_marks, document.ambiguous, document.styles)
    tags = ("attack.t1213.002", "attack.collection", "car.2013-02-003")
    sigma_id = "c9650941-dfec-55f3-adb5-c5add26773aa"
    return Header(document, title, sigma_id, name, level, "test", tags, "insurance", MappingProxyType(insurance))


def app_of(packed: list[Packed], context: PackContext = CONTEXT, mapping: TargetMapping | None = None) -> dict[str, str]:
    """The app's files by their paths in it."""
    return texts(SplunkPackager(context, mapping).package(packed))


def texts(files: Files) -> dict[str, str]:
    return {path.split("/", 2)[2]: content for path, content in files.items() if isinstance(content, str)}


@lru_cache(maxsize=1)
def splunk_mapping() -> TargetMapping:
    return load_pack(ROOT).pack.mappings["splunk"]


@lru_cache(maxsize=1)
def whole_pack() -> tuple[Packed, ...]:
    """Every rule of the pack, compiled for the default profile; every tenth is switched off."""
    pack = load_pack(ROOT).pack
    mapping = pack.mappings["splunk"]
    target = SplunkTarget(mapping)
    rules = fill_lists(pack.rules, default_lists(pack)).rules
    detections = [(rule.header, target.compile(bind(rule, mapping, pack.taxonomy))) for rule in rules]
    return tuple(Packed(head, detection, {}, enabled=number % 10 != 9) for number, (head, detection) in enumerate(detections))


@lru_cache(maxsize=32)
def validator(name: str, part: str = "") -> Draft202012Validator:
    """One of the vendor's schemas, or a part of its `$defs`, checked and made ready."""
    loaded: dict[str, Any] = json.loads((VENDOR / f"{name}.schema.json").read_text(encoding="utf-8"))
    whole = {"$defs": loaded["$defs"], "$ref": f"#/$defs/{part}"} if part else loaded
    Draft202012Validator.check_schema(whole)
    return Draft202012Validator(whole)


def check(name: str, value: object) -> None:
    """Raises `jsonschema.ValidationError` where the value breaks the vendor's constraints."""
    validator(name).validate(value)


def check_stanza(settings: Mapping[str, str]) -> None:
    """The stanza of a saved search by the vendor's constraints, and the JSON inside its values by theirs."""
    check("splunk-savedsearch", settings)
    known: Any = validator("splunk-savedsearch").schema
    for key, value in settings.items():
        inside = known["properties"][key].get("contentSchema")
        if inside is not None:
            validator("splunk-savedsearch", inside["$ref"].rpartition("/")[2]).validate(json.loads(value))
