"""The example profiles: free of findings, complete in what they show, and built without a target refusing anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from insigma.checks.runner import check_all
from insigma.content.lists import DEFAULT_TENANT
from insigma.content.pack import Loaded, load_pack
from insigma.content.tenants import Delivery, Tenant
from insigma.release.outcomes import COMPILED, DISABLED, REFUSED
from insigma.release.tenants import TenantBuild, Workbench, build_tenant, refused_for_tenant, targets_of
from insigma.schemas import load
from insigma.specialise.tenant import Specialiser
from tests.cli.harness import ROOT

DAY = "2026-11-22"
NAMES = ("acme-pc-de", "heartland-health", "polska-moto")


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return load_pack(ROOT)


@pytest.fixture(scope="module")
def examples(loaded: Loaded) -> Mapping[str, Tenant]:
    return {name: tenant for name, tenant in loaded.pack.tenants.items() if name != DEFAULT_TENANT}


@pytest.fixture(scope="module")
def builds(loaded: Loaded, examples: Mapping[str, Tenant]) -> Mapping[str, TenantBuild]:
    bench = Workbench()
    return {
        name: build_tenant(Specialiser(loaded.pack, tenant, DAY, bench.memo), loaded.pack, targets_of(tenant, loaded.pack), bench, {})
        for name, tenant in examples.items()
    }


def labels(build: TenantBuild, state: str) -> set[str]:
    return {outcome.rule.header.label for outcome in build.outcomes if outcome.state == state}


def test_the_pack_ships_three(examples: Mapping[str, Tenant]) -> None:
    assert sorted(examples) == list(NAMES)


def test_nothing_is_found_in_them(loaded: Loaded) -> None:
    assert [found for found in check_all(loaded, DAY) if "/tenants/" in found.place.path] == []


def test_between_them_they_say_everything_that_can_be_said(examples: Mapping[str, Tenant]) -> None:
    written = {path for tenant in examples.values() for path in _paths(tenant.document.data, load("tenant"))}
    assert _of_any_target(_all_paths(load("tenant"))) - _of_any_target(written) == set()


def _of_any_target(paths: set[str]) -> set[str]:
    """The paths, with what all targets have in common said of any of them."""
    return {re.sub("^/targets/[a-z]+/(field_overrides|delay|interval)", r"/targets/*/\1", path) for path in paths}


def _all_paths(schema: Mapping[str, Any], at: str = "") -> set[str]:
    """Every key that the schema names, as a path in which `*` stands for names of one's own."""
    found: set[str] = set()
    for key, below in schema.get("properties", {}).items():
        found |= {f"{at}/{key}"} | _all_paths(below, f"{at}/{key}")
    if isinstance(schema.get("additionalProperties"), dict):
        found |= _all_paths(schema["additionalProperties"], f"{at}/*")
    if isinstance(schema.get("items"), dict):
        found |= _all_paths(schema["items"], at)
    return found


def _paths(data: Any, schema: Mapping[str, Any], at: str = "") -> set[str]:
    """The keys that are written, as such paths."""
    found: set[str] = set()
    if isinstance(data, dict):
        for key, value in data.items():
            known = schema.get("properties", {})
            below = known.get(key) or schema.get("additionalProperties")
            path = f"{at}/{key}" if key in known else f"{at}/*"
            found |= {path} | (_paths(value, below, path) if isinstance(below, dict) else set())
    elif isinstance(data, list):
        for value in data:
            found |= _paths(value, schema.get("items", {}), at)
    return found


def test_context_is_delivered_in_every_way(examples: Mapping[str, Tenant]) -> None:
    for tenant in examples.values():
        assert {source.delivery for source in tenant.context.values()} == set(Delivery), tenant.id
        assert {entry.lookup for entry in tenant.all_lists.values()} == {True, False}, tenant.id


@pytest.mark.parametrize("name", NAMES)
def test_no_target_refuses_a_rule(builds: Mapping[str, TenantBuild], name: str) -> None:
    assert [found.message for found in refused_for_tenant(builds[name])] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_ends_in_one_way_for_one_target(loaded: Loaded, builds: Mapping[str, TenantBuild], name: str) -> None:
    build = builds[name]
    assert len(build.targets) == 1
    parts = [labels(build, state) for state in (COMPILED, REFUSED, DISABLED)]
    assert sum(map(len, parts)) == len(loaded.pack.rules) == len(set.union(*parts))


def test_each_goes_without_what_it_is_no_insurer_of(builds: Mapping[str, TenantBuild]) -> None:
    def off(name: str) -> set[str]:
        return labels(builds[name], REFUSED) | labels(builds[name], DISABLED)

    assert off("acme-pc-de") == {"ins-inf-006", "ins-ins-002", "ins-med-002"}
    assert {"ins-med-001", "ins-med-002", "ins-med-003", "ins-pol-c01", "ins-uw-c02"} <= off("polska-moto")
    assert "ins-inf-006" in labels(builds["polska-moto"], COMPILED), "telematics are what it has"
    assert {"ins-inf-006", "ins-rei-003", "ins-uw-c02", "ins-clm-c05"} <= off("heartland-health")
    medical = {"ins-med-001", "ins-med-002", "ins-med-003", "ins-med-004", "ins-med-c01", "ins-afr-002", "ins-afr-c01"}
    assert medical <= labels(builds["heartland-health"], COMPILED)


def test_what_matters_most_runs_for_all(builds: Mapping[str, TenantBuild]) -> None:
    vital = {"ins-clm-c01", "ins-clm-c03", "ins-pay-003", "ins-pay-005", "ins-prv-004", "ins-ran-004", "ins-ran-005", "ins-inf-c01"}
    for name in NAMES:
        assert vital <= labels(builds[name], COMPILED), name
