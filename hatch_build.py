"""Build hook: the wheel carries the pack, so `pip install insigma` gives content too."""

from __future__ import annotations

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACK = ("insigma.lock", "insigma.yml", "mappings", "proofs", "rules", "tests/fixtures")


class PackHook(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the pack's files under insigma/pack/."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """An editable install gets none: it reads the folders themselves, and a copy would go stale."""
        if version != "editable":
            build_data["force_include"].update({part: f"insigma/pack/{part}" for part in PACK})
