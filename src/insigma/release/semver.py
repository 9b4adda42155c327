"""Semantic versions: which is newer, and which comes next. Source: Semantic Versioning 2.0.0, points 9 to 11."""

from __future__ import annotations

import re
from enum import Enum

_VERSION = re.compile(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?", re.ASCII)

Rank = tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]


class Bump(Enum):
    """Which number of a version goes up."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"


def rank(version: str) -> Rank:
    """A key that sorts versions by age. Raises ValueError for text that is no version."""
    found = _VERSION.fullmatch(version)
    if found is None:
        raise ValueError(f"'{version}' is no version")
    major, minor, patch = (int(number) for number in found.groups()[:3])
    words = tuple((not word.isdigit(), int(word) if word.isdigit() else 0, word) for word in (found[4] or "").split("."))
    return major, minor, patch, found[4] is None, words


def next_version(version: str, bump: Bump) -> str:
    """The version after this one. Before 1.0 a minor version may break (point 4). A pre-release becomes the release that it announces.

    Raises ValueError for text that is no version.
    """
    major, minor, patch, released, _ = rank(version)
    if bump is Bump.MAJOR and major == 0:
        bump = Bump.MINOR
    if not released and (bump is Bump.PATCH or (patch == 0 and (bump is Bump.MINOR or minor == 0))):
        return f"{major}.{minor}.{patch}"
    match bump:
        case Bump.MAJOR:
            return f"{major + 1}.0.0"
        case Bump.MINOR:
            return f"{major}.{minor + 1}.0"
        case Bump.PATCH:
            return f"{major}.{minor}.{patch + 1}"
