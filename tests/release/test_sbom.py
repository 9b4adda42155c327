"""The bill of materials: valid CycloneDX 1.6, complete, and the same bytes for the same input."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from insigma.content.model import AnyRule, Header, Pack
from insigma.content.pack import load_pack
from insigma.release.sbom import hashes_of, sbom
from tests.cli.harness import edit, small_pack

PROGRAMS = {"insigma": "0.1.0", "pysigma": "1.5.1", "pysigma_backend.splunk": "2.1.0"}


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return load_pack(small_pack(tmp_path_factory.mktemp("pack"))).pack


def bill(pack: Pack, rules: tuple[AnyRule, ...] | None = None, programs: Mapping[str, str] = PROGRAMS, tenant: str = "default") -> Any:
    chosen = pack.rules if rules is None else rules
    text = sbom(pack, chosen, hashes_of(pack.rules), {"ins-clm-010": 4}, programs, tenant)
    faults = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert faults is None, faults
    return json.loads(text)


def by_name(found: Any) -> dict[str, Any]:
    return {component["name"]: component for component in found["components"]}


def test_the_pack_is_what_it_is_about(pack: Pack) -> None:
    found = bill(pack, tenant="acme")
    subject = found["metadata"]["component"]
    assert (subject["type"], subject["name"], subject["version"]) == ("data", "insurance", pack.version)
    assert subject["licenses"] == [{"license": {"id": "Apache-2.0"}}, {"license": {"id": "DRL-1.1"}}]
    assert subject["properties"] == [{"name": "insigma:tenant", "value": "acme"}]
    assert "timestamp" not in found["metadata"]


def test_each_rule_with_its_version_file_and_licence(pack: Pack) -> None:
    components = by_name(bill(pack))
    assert set(components) == {"ins-clm-010", "ins-clm-012", "ins-clm-c04", *PROGRAMS}
    for rule in pack.rules:
        found = components[rule.header.label]
        assert (found["type"], found["description"]) == ("data", rule.header.title)
        assert found["version"] == ("4" if rule.header.label == "ins-clm-010" else "1")
        digest = hashlib.sha256(Path(rule.header.path).read_bytes()).hexdigest()
        assert found["hashes"] == [{"alg": "SHA-256", "content": digest}]
        assert found["licenses"] == [{"license": {"id": "DRL-1.1"}}]
        assert found["authors"] == [{"name": "Insigma"}]
        properties = {entry["name"]: entry["value"] for entry in found["properties"]}
        assert properties == {"insigma:rule-id": rule.header.id, "insigma:path": pack.relative(rule.header.path)}


def test_the_program_and_what_it_compiled_by(pack: Pack) -> None:
    found = bill(pack)
    components = by_name(found)
    program = components["insigma"]
    assert (program["type"], program["purl"], program["licenses"]) == (
        "application",
        "pkg:pypi/insigma@0.1.0",
        [{"license": {"id": "Apache-2.0"}}],
    )
    assert components["pysigma_backend.splunk"]["purl"] == "pkg:pypi/pysigma-backend-splunk@2.1.0"
    assert components["pysigma"]["type"] == "library"
    assert found["metadata"]["tools"]["components"] == [{"type": "application", "name": "insigma", "version": "0.1.0"}]


def test_who_depends_on_whom(pack: Pack) -> None:
    found = bill(pack)
    refs = {component["bom-ref"] for component in (*found["components"], found["metadata"]["component"])}
    depends = {entry["ref"]: entry["dependsOn"] for entry in found["dependencies"]}
    assert set(depends) == refs
    assert {ref for on in depends.values() for ref in on} <= refs
    assert depends["rule:ins-clm-c04"] == ["rule:ins-clm-012"]
    assert depends["rule:ins-clm-012"] == []
    assert set(depends["pack:insurance"]) == {*(f"rule:{rule.header.label}" for rule in pack.rules), "pkg:pypi/insigma@0.1.0"}
    assert depends["pkg:pypi/insigma@0.1.0"] == ["pkg:pypi/pysigma-backend-splunk@2.1.0", "pkg:pypi/pysigma@1.5.1"]


def test_only_the_rules_of_the_tree(pack: Pack) -> None:
    correlation = tuple(rule for rule in pack.rules if rule.header.label == "ins-clm-c04")
    found = bill(pack, correlation)
    assert set(by_name(found)) == {"ins-clm-c04", *PROGRAMS}
    assert {entry["ref"]: entry["dependsOn"] for entry in found["dependencies"]}["rule:ins-clm-c04"] == []
    assert set(by_name(bill(pack, ()))) == set(PROGRAMS)


def test_same_input_same_bytes_other_input_other_serial_number(pack: Pack, tmp_path: Path) -> None:
    hashes = hashes_of(pack.rules)

    def text(rules: tuple[AnyRule, ...] = pack.rules, programs: Mapping[str, str] = PROGRAMS, tenant: str = "default") -> str:
        return sbom(pack, rules, hashes, {}, programs, tenant)

    same = text(tuple(reversed(pack.rules)), dict(reversed(PROGRAMS.items())))
    assert same == text()
    others = [text(tenant="acme"), text(programs={**PROGRAMS, "pysigma": "1.5.2"}), text(pack.rules[:1])]
    assert len({json.loads(found)["serialNumber"] for found in (same, *others)}) == 4
    again = load_pack(small_pack(tmp_path / "elsewhere")).pack
    assert sbom(again, again.rules, hashes_of(again.rules), {}, PROGRAMS, "default") == same


def with_data(header: Header, **data: Any) -> Header:
    kept = {key: value for key, value in header.document.data.items() if data.get(key, "") is not None}
    return replace(header, document=replace(header.document, data={**kept, **{key: value for key, value in data.items() if value}}))


@pytest.mark.parametrize(
    ("data", "licences"),
    [
        ({"license": "Proprietary, ask us"}, [{"license": {"name": "Proprietary, ask us"}}]),
        ({"license": "DRL-1.1 AND Apache-2.0"}, [{"license": {"name": "DRL-1.1 AND Apache-2.0"}}]),
        ({"license": "MIT"}, [{"license": {"id": "MIT"}}]),
        ({"license": None}, [{"license": {"id": "DRL-1.1"}}]),
        ({"license": ["a"], "author": 5}, [{"license": {"id": "DRL-1.1"}}]),
    ],
)
def test_licences_that_rules_may_have(data: dict[str, Any], licences: Any, pack: Pack) -> None:
    rule = pack.rules[0]
    odd = replace(rule, header=with_data(rule.header, **data))
    assert by_name(bill(pack, (odd,)))[rule.header.label]["licenses"] == licences


def test_hostile_texts_and_a_rule_without_an_id(pack: Pack) -> None:
    rule = pack.rules[0]
    text = 'x"\n]}>\u202e\\ ü'
    odd = replace(rule, header=replace(with_data(rule.header, author=text), id=None, name=None, title=text))
    found = by_name(bill(pack, (odd,)))[text]
    assert (found["version"], found["authors"]) == ("1", [{"name": text}])
    assert [entry["name"] for entry in found["properties"]] == ["insigma:path"]


def test_a_pack_with_a_licence_of_its_own(tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    edit(folder / "insigma.yml", "license: DRL-1.1", "license: LicenseRef-Ours")
    found = bill(load_pack(folder).pack)["metadata"]["component"]["licenses"]
    assert {"license": {"name": "LicenseRef-Ours"}} in found
