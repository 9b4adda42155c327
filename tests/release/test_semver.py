"""Versions: their order is that of semver.org, and the next one follows from what changed."""

from __future__ import annotations

from itertools import pairwise

import pytest

from insigma.release.semver import Bump, next_version, rank

ORDER = (  # the examples of Semantic Versioning 2.0.0, point 11, with numbers around them
    "0.0.1",
    "0.1.0",
    "0.9.9",
    "0.10.0",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "2.0.0",
    "2.1.0",
    "2.1.1",
    "10.0.0",
)


def test_order() -> None:
    for older, newer in pairwise(ORDER):
        assert rank(older) < rank(newer)


def test_build_metadata_makes_no_version_newer() -> None:
    assert rank("1.0.0+a") == rank("1.0.0+b") == rank("1.0.0")


@pytest.mark.parametrize("text", ["", "1", "1.2", "01.2.3", "1.2.3.4", "v1.2.3", "1.2.3 ", "1.2.3-", "1.2.-3", "١.٢.٣", "1.2.3\n"])
def test_no_version(text: str) -> None:
    with pytest.raises(ValueError, match="is no version"):
        rank(text)


@pytest.mark.parametrize(
    ("version", "bump", "expected"),
    [
        ("1.2.3", Bump.PATCH, "1.2.4"),
        ("1.2.3", Bump.MINOR, "1.3.0"),
        ("1.2.3", Bump.MAJOR, "2.0.0"),
        ("0.2.3", Bump.PATCH, "0.2.4"),
        ("0.2.3", Bump.MINOR, "0.3.0"),
        ("0.2.3", Bump.MAJOR, "0.3.0"),
        ("1.2.9", Bump.PATCH, "1.2.10"),
        ("2.0.0-rc.1", Bump.PATCH, "2.0.0"),
        ("2.0.0-rc.1", Bump.MAJOR, "2.0.0"),
        ("2.1.0-rc.1", Bump.MINOR, "2.1.0"),
        ("2.1.0-rc.1", Bump.MAJOR, "3.0.0"),
        ("2.1.1-rc.1", Bump.MINOR, "2.2.0"),
        ("0.1.0-rc.1", Bump.MAJOR, "0.1.0"),
        ("1.2.3+build", Bump.PATCH, "1.2.4"),
    ],
)
def test_next(version: str, bump: Bump, expected: str) -> None:
    assert next_version(version, bump) == expected
    assert rank(next_version(version, bump)) > rank(version)
