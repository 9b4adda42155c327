"""The packager of Splunk: <slug>.spl, <slug>.conf, savedsearches.conf."""

from __future__ import annotations

from collections.abc import Sequence

from insigma.content.model import Header
from insigma.packages.base import Files, PackContext, Packed
from insigma.packages.splunk.savedsearches import savedsearch, savedsearches
from insigma.targets.base import Detection


class SplunkPackager:
    """Writes below dist/splunk/."""

    def __init__(self, context: PackContext) -> None:
        self._context = context

    def rule_files(self, header: Header, detection: Detection) -> Files:
        return {
            f"splunk/rules/{header.slug}.spl": f"{detection.query}\n",
            f"splunk/rules/{header.slug}.conf": self.native(header, detection),
        }

    def native(self, header: Header, detection: Detection) -> str:
        return savedsearch(header, detection, self._context)

    def bundle(self, packed: Sequence[Packed]) -> Files:
        return {"splunk/savedsearches.conf": savedsearches([self.native(entry.header, entry.detection) for entry in packed])}
