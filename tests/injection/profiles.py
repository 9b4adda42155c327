"""A customer's profile that says everything, with one text of an attacker in it; what a build makes of it, and its structure."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any
from xml.etree import ElementTree as ET

import yaml
from markdown_it import MarkdownIt

from insigma.assure.fixtures import reference_rules
from insigma.checks.base import Context
from insigma.checks.runner import check_modules
from insigma.content.attack import load_attack
from insigma.content.f3 import load_f3
from insigma.content.lists import default_lists
from insigma.content.pack import load_pack
from insigma.content.profiles import FOLDER, read_tenant
from insigma.content.yaml_reader import Document, read_bytes
from insigma.diagnostics.model import Diagnostic, Severity
from insigma.release.delivery import Builder, Job
from insigma.release.proofs import Proofs
from tests.cli.harness import SMALL, files_of, small_pack
from tests.injection.lexers import LEXERS
from tests.packages.test_splunk import parsed

DAY = "2026-11-22"
RULES = (
    *SMALL,
    "claims/claim_data_export",
    "claims/claim_file_viewed_outside_assignment",
    "claims/off_hours_claims_system_access_by_human_user",
    "claims/suspicious_mass_claim_file_access_outside_assignment",
)
"""With them a list, flags that are looked up, working hours, and a threshold that a surge relaxes."""

Steps = tuple[str | int, ...]

PROFILE: Mapping[str, Any] = MappingProxyType(
    {
        "schema": 1,
        "tenant": {
            "id": "firma",
            "legal_entity": "Firma SE",
            "description": "An insurer",
            "lei": "529900EXAMPLE0000001",
            "entity_type": "insurance_undertaking",
            "group_parent": {"name": "Holding", "lei": "529900EXAMPLE0000002"},
            "reporting_currency": "EUR",
            "countries": ["DE"],
        },
        "operating_model": {"type": "hybrid", "tier1": "internal", "tier2": "mssp", "off_hours": "mssp"},
        "contacts": {
            "dora_primary": {"name": "Duty", "email": "duty@firma.example", "phone": "1"},
            "dora_secondary": {"name": "Deputy", "email": "deputy@firma.example", "phone": "2"},
            "duty_officers": {"claims": "desk"},
        },
        "calendar": {
            "default": {"timezone": "Europe/Berlin", "weekdays": ["mon"], "hours": "07:00-19:00", "holidays": "DE-BE"},
            "overrides": [{"group": "night", "field": "user.roles", "timezone": "Europe/Vienna", "hours": "19:00-07:00", "holidays": "AT"}],
            "years": [2026],
        },
        "surge": [
            {
                "id": "S1",
                "type": "cat",
                "from": "2026-11-01",
                "to": "2026-12-01",
                "regions": ["DE-BY"],
                "lobs": ["any"],
                "source": "desk",
                "multipliers": {"clm_unassigned_claims_per_hour": 1.5},
            }
        ],
        "never_relax": ["ins-clm-010"],
        "thresholds": {"clm_denials_30m": 12},
        "timespans": {"ins-clm-c04": "35m"},
        "schedules": {"interval": "15m", "rules": {"ins-clm-010": "1h"}},
        "lists": {
            "claims_batch_accounts": {
                "mode": "lookup",
                "values": ["svc_one", "svc_two"],
                "source": "register",
                "owner": "claims",
                "refresh": "1h",
                "description": "Accounts of jobs",
            }
        },
        "context": {
            "insurance.context.entitled": {"mode": "lookup", "table": "entitlement", "max_age": "1h"},
            "insurance.context.restricted_party": {"mode": "lookup", "table": "restricted_party", "max_age": "1d"},
            "insurance.context.off_hours": {"mode": "lookup", "table": "work_calendar"},
            "insurance.context.on_cat_duty": {"mode": "absent"},
        },
        "feeds": {
            "insurance_claims": {"products": ["product"], "delay": "5m", "fill": {"device.id": 0.97}, "lacks": ["insurance.channel"]},
            "insurance_portal": {"absent": True, "because": "none here"},
        },
        "targets": {
            "elastic": {
                "space": "soc",
                "hops": 20,
                "interval": "10m",
                "index": {"insurance_portal": "logs-portal-*"},
                "data_stream": {"insurance_claims": "logs-insurance.claims-firma"},
                "delay": {"insurance_claims": "5m"},
                "field_overrides": {
                    "insurance.claim.id": "firma.claim.number",
                    "user.name": {"name": "firma.user", "type": "keyword", "case": "lower", "cased": "firma.user.cased"},
                },
            },
            "splunk": {
                "app": "SA-firma",
                "enterprise_security": True,
                "interval": "10m",
                "index": {"insurance_claims": "firma_claims"},
                "sourcetype": {"insurance_claims": "firma:claims"},
                "delay": {"insurance_claims": "5m"},
                "field_overrides": {"insurance.claim.id": "claim_id", "user.name": {"name": "login", "type": "string", "case": "any"}},
            },
            "sentinel": {
                "workspace": "firma-soc",
                "interval": "10m",
                "table": {"insurance_claims": "FirmaClaims_CL"},
                "delay": {"insurance_claims": "5m"},
                "field_overrides": {"insurance.claim.id": "ClaimNumber", "user.name": {"name": "Login", "type": "string", "case": "any"}},
            },
        },
        "products": {"insurance_claims": ["product"]},
        "rules": {
            "disabled": [{"id": "ins-clm-008", "reason": "a pilot", "owner": "soc", "review": "2027-06-30"}],
            "severity_overrides": [{"id": "ins-clm-c04", "level": "high", "reason": "seen before"}],
        },
        "exceptions": [
            {
                "id": "EXC-1",
                "rules": ["ins-clm-010"],
                "where": {"user.name": ["audit"], "device.id|startswith": "dev"},
                "reason": "audit",
                "owner": "claims",
                "approved_by": "dpo",
                "granted": "2026-11-01",
                "expires": "2027-04-30",
                "max_days": 180,
            }
        ],
        "regulators": {"dora": {"applies": True, "competent_authority": "BaFin"}, "gdpr": {"applies": False, "note": "none"}},
        "critical_functions": {
            "claims_handling": {
                "services": ["claimcenter"],
                "logsources": ["insurance_claims"],
                "clients_total": 1,
                "tx_daily_avg": 1.5,
                "tx_daily_value": 1,
                "member_states": ["DE"],
            }
        },
        "privacy": {"hash_fields": ["user.name"], "hmac_key_ref": "kv://firma/hmac", "works_council_approval": "BV-1"},
    }
)


def with_texts(text: Any, places: Iterable[Steps]) -> dict[str, Any]:
    """The profile with the text, or another value, in those places."""
    data: dict[str, Any] = json.loads(json.dumps(dict(PROFILE)))
    for place in places:
        _node(data, place[:-1])[place[-1]] = text
    return data


def with_key(text: str, place: Steps, profile: Mapping[str, Any] = PROFILE) -> dict[str, Any]:
    """The profile with another key at the place."""
    data: dict[str, Any] = json.loads(json.dumps(dict(profile)))
    node = _node(data, place[:-1])
    entries = list(node.items())
    node.clear()
    node.update((text if name == place[-1] else name, value) for name, value in entries)
    return data


def _node(data: Any, place: Steps) -> Any:
    for step in place:
        data = data[step]
    return data


def texts(node: Any = PROFILE, path: Steps = ()) -> Iterator[Steps]:
    """Where a text stands in the profile."""
    if isinstance(node, str):
        yield path
    for key, part in node.items() if isinstance(node, Mapping) else enumerate(node) if isinstance(node, list) else ():
        yield from texts(part, (*path, key))


def keys(node: Any = PROFILE, path: Steps = ()) -> Iterator[Steps]:
    """Where a key stands in the profile."""
    for key, part in node.items() if isinstance(node, Mapping) else enumerate(node) if isinstance(node, list) else ():
        if isinstance(key, str):
            yield (*path, key)
        yield from keys(part, (*path, key))


def as_yaml(data: Mapping[str, Any]) -> bytes:
    return yaml.dump(dict(data), Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True).encode("utf-8")


@dataclass(frozen=True, slots=True)
class Built:
    """What became of a profile: findings in it, and the files of the customer's folder; none where there is an error."""

    findings: tuple[Diagnostic, ...]
    files: Mapping[str, bytes]


class Bench:
    """Checks and builds profiles as `insigma build --tenant` does, without reading and testing the pack anew."""

    def __init__(self, folder: Path) -> None:
        loaded = load_pack(small_pack(folder / "pack", RULES))
        assert loaded.diagnostics == ()
        self._pack = loaded.pack
        self._out = folder / "deep" / "out"
        self._builder = Builder(
            Job(self._pack, reference_rules(self._pack, default_lists(self._pack)), Proofs((), (), {}), {}, DAY, (), self._out)
        )
        self._before = frozenset(files_of(folder))
        self._folder = folder
        self._modules = tuple(module for module in check_modules() if module.CODE == "INS509" or "INS540" <= module.CODE <= "INS559")

    def build(self, raw: bytes) -> Built:
        """What becomes of the profile `firma.yml`. Nothing is ever written outside of the customer's folder."""
        result = read_bytes(raw, f"{self._pack.root}/{FOLDER}/firma.yml")
        found = list(result.diagnostics)
        for document in result.documents:
            found += self._checked(document)
        files = files_of(self._folder)
        shutil.rmtree(self._out, ignore_errors=True)
        inside = "deep/out/firma/"
        written = {path: content for path, content in files.items() if path not in self._before}
        assert [path for path in written if not path.startswith(inside)] == []
        return Built(tuple(dict.fromkeys(found)), {path.removeprefix(inside): content for path, content in written.items()})

    def _checked(self, document: Document) -> list[Diagnostic]:
        """The findings in the document, which is built where there is no error."""
        tenant, faults = read_tenant(document)
        tenants = {**self._pack.tenants, **({tenant.id: tenant} if tenant is not None else {})}
        own = replace(self._pack, tenants=MappingProxyType(tenants), documents=(document,), rule_documents=())
        context = Context(own, (), load_attack(), load_f3(), in_pack=True, day=DAY)
        found = [*faults, *(fault for module in self._modules for fault in module.check_pack(context))]
        if tenant is not None and not any(fault.severity is Severity.ERROR for fault in found):
            found += self._builder.deliver(tenant).findings
        return found


_MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def skeleton(path: str, content: bytes) -> Any:
    """The structure of a file: everything but the text in it."""
    return _skeleton(PurePosixPath(path), content)


def _skeleton(path: PurePosixPath, content: bytes) -> Any:
    if path.name.endswith(".tar.gz"):
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            return [(entry.name, entry.type, entry.mode) for entry in archive]
    text = content.decode("utf-8")
    match path.suffix:
        case ".json":
            return kinds(json.loads(text))
        case ".manifest":
            return kinds(json.loads(text))
        case ".ndjson":
            *lines, after = text.split("\n")
            assert after == ""
            return [kinds(json.loads(line)) for line in lines]
        case ".conf":
            return {name: list(stanza) for name, stanza in parsed(text).items()}
        case ".meta":
            return {name: list(stanza) for name, stanza in parsed(text).items()}
        case ".yml" | ".yaml":
            return [kinds(part) for part in yaml.load_all(text, yaml.CSafeLoader)]
        case ".xml":
            return [(element.tag, sorted(element.attrib)) for element in ET.fromstring(text).iter()]
        case ".csv":
            return [len(row) for row in cells(content)]
        case ".md":
            return markdown(text)
        case ".spl" | ".kql" | ".esql" | ".eql" | ".lucene":
            return LEXERS[path.suffix[1:]](text)
    raise AssertionError(f"what is {path}?")


def cells(content: bytes) -> list[list[str]]:
    """The rows of a CSV file."""
    return list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))


def kinds(value: Any) -> Any:
    """The keys and kinds of a value."""
    if isinstance(value, dict):
        return {key: kinds(part) for key, part in value.items()}
    return [kinds(part) for part in value] if isinstance(value, list) else type(value).__name__


def markdown(text: str) -> Sequence[str]:
    """The blocks and marks of a page, as CommonMark and the tables of GitHub have them."""
    found: list[str] = []
    for token in _MARKDOWN.parse(text):
        found.append(token.type)
        found += [child.type for child in token.children or () if child.type != "text"]
        if token.type in ("html_block", "fence", "code_block"):
            found.append(re.sub(r"\s+", " ", token.content))
    return found
