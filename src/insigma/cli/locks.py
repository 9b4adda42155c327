"""The versions of rules, for commands that build."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from insigma.cli.errors import UsageError
from insigma.release.lock import LOCK_FILE, BrokenLock, versions_of


def locked_versions(root: Path | None) -> Mapping[str, int]:
    """The version of each rule of the pack at `root` by label; none for loose rules and where nothing was released.

    Raises `UsageError` for a lock that cannot be read: building on would give every rule version 1.
    """
    try:
        return {} if root is None else versions_of(root)
    except BrokenLock as error:
        raise broken(error) from error


def broken(error: BrokenLock) -> UsageError:
    """The fault of a lock as one of the environment."""
    return UsageError(f"{LOCK_FILE} cannot be read: {error}", "take it from the last commit; insigma release writes it, nobody else does")
