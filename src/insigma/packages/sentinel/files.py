"""The packager of Sentinel: <slug>.kql, <slug>.yaml, and what a rule needs beside it as <slug>.function.kql or <slug>.rollup.kql."""

from __future__ import annotations

from collections.abc import Sequence

from insigma.content.attack import AttackTable
from insigma.content.durations import duration_text
from insigma.content.model import Header
from insigma.packages.base import Files, PackContext, Packed
from insigma.packages.sentinel.rules import analytics_rule
from insigma.targets.base import Companion, Detection

_FOLDER = "sentinel/rules"


class SentinelPackager:
    """Writes below dist/sentinel/."""

    def __init__(self, context: PackContext, attack: AttackTable) -> None:
        self._context = context
        self._attack = attack

    def rule_files(self, header: Header, detection: Detection) -> Files:
        return {
            f"{_FOLDER}/{header.slug}.kql": f"{detection.query}\n",
            f"{_FOLDER}/{header.slug}.yaml": self.native(header, detection),
            **{f"{_FOLDER}/{header.slug}.{companion.kind}.kql": _companion(companion) for companion in detection.companions},
        }

    def native(self, header: Header, detection: Detection) -> str:
        return analytics_rule(header, detection, self._context, self._attack)

    def bundle(self, packed: Sequence[Packed]) -> Files:  # noqa: ARG002 - there is no bundle yet
        return {}


def _companion(companion: Companion) -> str:
    """The query under comment lines that say what to set up."""
    if companion.kind == "function":
        head = [f"// Save as a function with the alias {companion.name}, without parameters."]
    else:
        columns = ", ".join(f"{name}:{kind}" for name, kind in companion.columns.items())
        head = [
            f"// Schedule as a KQL job of the data lake, every {duration_text(companion.interval_ms)}, into the table {companion.name}.",
            f"// Columns: {columns}",
        ]
    return "\n".join((*head, companion.query)) + "\n"
