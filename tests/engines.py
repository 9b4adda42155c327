"""Engines for tests: started once a session; a test is skipped, loudly, where its engine is missing, and fails where it must not be."""

from __future__ import annotations

import os

import pytest

from insigma_prove.engines import engines_for, missing
from insigma_prove.prove import Bench, Seat

STRICT = "INSIGMA_REQUIRE_ENGINES"
"""The environment variable that makes a missing engine a failure: CI sets it."""


def seat(bench: Bench, target: str, language: str) -> Seat:
    """The most trusted engine of the language among those that tests need. Skips or fails the test where there is none."""
    for found in bench.seats(target, language):
        return found
    wanted = [spec for spec in engines_for(target, language) if spec.needed]
    why = "; ".join(f"engine {spec.name}: {missing(spec) or bench.absent.get(spec.name)}" for spec in wanted)
    if os.environ.get(STRICT):
        pytest.fail(f"{why} (make engines sets it up)")
    pytest.skip(f"SKIPPED, not proved: {why} (make engines sets it up)")
