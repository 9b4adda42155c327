"""The whole pack as a package of one customer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from insigma.cli.targets import workshop_of
from insigma.content.attack import load_attack
from insigma.content.lists import default_lists
from insigma.content.model import Pack
from insigma.content.pack import load_pack
from insigma.packages.base import PackContext, Packed, Table
from insigma.packages.sentinel.files import SentinelPackager
from insigma.specialise.lists import fill_lists
from tests.conftest import ROOT

HOURS = Table(
    name="business_hours",
    keys=("calendar", "day"),
    columns=(("calendar", "string"), ("day", "number"), ("open1", "number"), ("close1", "number")),
    rows=(("default", "20000", "480", "1080"), ("night, shift", "20000", "", "")),
    description="Working time",
)
ASSIGNMENTS = Table(
    name="assignments",
    keys=("user", "claim"),
    columns=(("user", "string"), ("claim", "string"), ("until", "time")),
    description="Who works on what",
    owner="claims | operations",
    source="ClaimCenter",
    refresh="15m",
)
CONTEXT = PackContext(
    tenant="acme",
    pack="insurance",
    version="1.0.0",
    legal_entity="Acme Versicherung AG",
    settings={"workspace": "law-acme"},
    tables=(HOURS, ASSIGNMENTS),
)
Package = Mapping[str, str | bytes]


@pytest.fixture(scope="session")
def pack() -> Pack:
    return load_pack(ROOT).pack


@pytest.fixture(scope="session")
def packed(pack: Pack) -> tuple[Packed, ...]:
    """Every rule of the pack as Sentinel has it."""
    workshop = workshop_of("sentinel", pack)
    return tuple(Packed(rule.header, workshop.compile(rule), {}) for rule in fill_lists(pack.rules, default_lists(pack)).rules)


@pytest.fixture(scope="session")
def package_of(pack: Pack) -> Callable[..., Package]:
    """Packages rules for a customer."""

    def make(packed: Sequence[Packed], context: PackContext = CONTEXT, **changes: object) -> Package:
        changed: PackContext = replace(context, **changes)  # type: ignore[arg-type]
        return SentinelPackager(changed, load_attack(), pack.mappings["sentinel"]).package(packed)

    return make


@pytest.fixture(scope="session")
def package(packed: tuple[Packed, ...], package_of: Callable[..., Package]) -> Package:
    """The package of all rules."""
    return package_of(packed)
