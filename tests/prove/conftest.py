"""Engines for tests: started once, and missed aloud where they are not installed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from insigma.content.model import Pack
from insigma.content.pack import load_pack
from insigma_prove import engines
from insigma_prove.prove import Bench, Seat
from tests.conftest import ROOT

GetEngine = Callable[[str], Seat]


@pytest.fixture(scope="session")
def pack() -> Pack:
    """The pack of this repository."""
    return load_pack(ROOT).pack


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    """Every engine that a test asks for."""
    with Bench(lambda _: True) as found:
        yield found


@pytest.fixture(scope="session")
def engine(bench: Bench) -> GetEngine:
    """An engine by its name. A missing one skips the test; where engines are required (CI), a missing one that tests need fails it."""

    def get(name: str) -> Seat:
        spec = engines.engine(name)
        for seat in bench.seats(spec.target, spec.languages[0]):
            if name not in bench.absent:
                return seat
        told = f"ENGINE {name} IS MISSING: {bench.absent.get(name, 'it did not start')}; run insigma prove --install --engine {name}"
        if spec.needed and (os.environ.get("CI") or os.environ.get("INSIGMA_REQUIRE_ENGINES")):
            pytest.fail(told)
        pytest.skip(told)

    return get
