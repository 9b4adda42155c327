"""What all tests share. Sockets but for loopback are blocked by the options in pyproject.toml."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from insigma_prove.prove import Bench

ROOT = Path(__file__).parent.parent
CORPUS = ROOT.parent / "shared" / "corpora" / "sigmahq" / "rules"


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository, which is the insurance pack too."""
    return ROOT


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The public rules; a test that needs them is skipped where they are absent."""
    if not CORPUS.is_dir():
        pytest.skip(f"the public rules are not at {CORPUS}")
    return CORPUS


@pytest.fixture(scope="session")
def bench() -> Iterator[Bench]:
    """The engines that tests need, each started when it is first asked for."""
    with Bench(lambda spec: spec.needed) as found:
        yield found
