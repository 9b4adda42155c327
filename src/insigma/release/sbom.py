"""The bill of materials of a built tree: the pack, each rule in it, and the program with what it read and compiled them by.

CycloneDX 1.6 (ECMA-424), JSON; source: https://cyclonedx.org/docs/1.6/json/. It has no time, and its serial number follows from
its content: one input gives one bill.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from insigma.content.model import AnyRule, Correlation, Pack
from insigma.content.pack import PACK_FILE
from insigma.release.stable_json import as_json

SBOM_FILE = "sbom.cdx.json"
PROGRAM = "insigma"
PROGRAM_LICENCE = "Apache-2.0"

_SPDX = frozenset(
    {"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC-BY-4.0", "CC-BY-SA-4.0", "CC0-1.0", "DRL-1.0", "DRL-1.1", "MIT", "MPL-2.0"}
)
"""Ids of https://spdx.org/licenses/ that rules are published under. Others are told by name, which may be anything."""

Json = dict[str, Any]


def sbom(
    pack: Pack,
    rules: Sequence[AnyRule],
    hashes: Mapping[str, str],
    rule_versions: Mapping[str, int],
    programs: Mapping[str, str],
    tenant: str,
) -> str:
    """The text of sbom.cdx.json.

    `rules` are those that the tree holds; `hashes` the sha256 of their files by path (`hashes_of`); `rule_versions` the versions by
    label (1 where none is known); `programs` the versions of this program and of the packages by which it read and compiled,
    by distribution name, as in the manifest.
    """
    subject = _subject(pack, rules, tenant)
    made_of = sorted((_rule(rule, pack, hashes, rule_versions) for rule in rules), key=_ref)
    software = [_software(name, programs[name]) for name in sorted(programs)]
    bill: Json = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": subject,
            "tools": {"components": [_tool(programs)]},
        },
        "components": [*made_of, *software],
        "dependencies": _dependencies(_ref(subject), rules, programs),
    }
    digest = hashlib.sha256(as_json(bill).encode("utf-8")).hexdigest()
    return as_json({**bill, "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'urn:insigma:sbom:{digest}')}"})


def hashes_of(rules: Iterable[AnyRule]) -> Mapping[str, str]:
    """The sha256 of each rule's file by the rule's path. Raises OSError for a file that has gone since it was read."""
    return {path: hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in sorted({rule.header.path for rule in rules})}


def _ref(component: Json) -> str:
    return str(component["bom-ref"])


def _subject(pack: Pack, rules: Sequence[AnyRule], tenant: str) -> Json:
    """The pack as built for the tenant. What the program adds to it (pipelines, templates, wrappers) is under the program's licence."""
    licences = {_pack_licence(pack), PROGRAM_LICENCE, *(_licence(rule, pack) for rule in rules)} - {""}
    return {
        "type": "data",
        "bom-ref": f"pack:{pack.name}",
        "name": pack.name,
        "version": pack.version,
        "licenses": [_named_licence(name) for name in sorted(licences)],
        "properties": [{"name": "insigma:tenant", "value": tenant}],
    }


def _pack_licence(pack: Pack) -> str:
    heads = [document.data for document in pack.documents if pack.relative(document.path) == PACK_FILE]
    return _text(heads[0], "license") if heads else ""


def _licence(rule: AnyRule, pack: Pack) -> str:
    return _text(rule.header.document.data, "license") or _pack_licence(pack)


def _text(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return value.strip() if isinstance(value, str) else ""


def _named_licence(name: str) -> Json:
    return {"license": {"id" if name in _SPDX else "name": name}}


def _rule(rule: AnyRule, pack: Pack, hashes: Mapping[str, str], versions: Mapping[str, int]) -> Json:
    header = rule.header
    licence, author = _licence(rule, pack), _text(header.document.data, "author")
    properties = {"insigma:path": pack.relative(header.path), "insigma:rule-id": header.id or ""}
    return {
        "type": "data",
        "bom-ref": _rule_ref(rule),
        "name": header.label,
        "version": str(versions.get(header.label, 1)),
        "description": header.title,
        "hashes": [{"alg": "SHA-256", "content": hashes[header.path]}],
        **({"licenses": [_named_licence(licence)]} if licence else {}),
        **({"authors": [{"name": author}]} if author else {}),
        "properties": [{"name": name, "value": value} for name, value in properties.items() if value],
    }


def _rule_ref(rule: AnyRule) -> str:
    return f"rule:{rule.header.label}"


def _purl(name: str, version: str) -> str:
    """A package URL; names as PyPI compares them, lower case with dashes (package-url specification, type pypi)."""
    return f"pkg:pypi/{re.sub(r'[-_.]+', '-', name).lower()}@{version}"


def _software(name: str, version: str) -> Json:
    purl = _purl(name, version)
    licences: Json = {"licenses": [_named_licence(PROGRAM_LICENCE)]} if name == PROGRAM else {}
    kind = "application" if name == PROGRAM else "library"
    return {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl, **licences}


def _tool(programs: Mapping[str, str]) -> Json:
    """What wrote the bill."""
    return {"type": "application", "name": PROGRAM, "version": programs[PROGRAM]}


def _dependencies(subject: str, rules: Sequence[AnyRule], programs: Mapping[str, str]) -> list[Json]:
    """The pack is made of its rules by the program, a correlation builds on its members, the program on its packages."""
    purls = {name: _purl(name, version) for name, version in programs.items()}
    there = {_rule_ref(rule) for rule in rules}
    on: dict[str, set[str]] = {subject: {*there, purls[PROGRAM]}}
    on |= {purl: set() for purl in purls.values()}
    on[purls[PROGRAM]] = set(purls.values()) - {purls[PROGRAM]}
    for rule in rules:
        members = rule.members if isinstance(rule, Correlation) else ()
        on[_rule_ref(rule)] = {_rule_ref(member) for member in members} & there
    return [{"ref": ref, "dependsOn": sorted(on[ref])} for ref in sorted(on)]
