"""The packager of `pysigma:<backend>`."""

from __future__ import annotations

from collections.abc import Sequence

from insigma.content.model import Header
from insigma.packages.base import Files, Packed
from insigma.targets.base import Detection


class PySigmaPackager:
    """Writes dist/pysigma/<backend>/rules/<slug>.txt."""

    def __init__(self, backend: str) -> None:
        self._backend = backend

    def rule_files(self, header: Header, detection: Detection) -> Files:
        return {f"pysigma/{self._backend}/rules/{header.slug}.txt": f"{detection.query}\n"}

    def native(self, header: Header, detection: Detection) -> str:  # noqa: ARG002 - the shape of all packagers
        return ""

    def bundle(self, packed: Sequence[Packed]) -> Files:  # noqa: ARG002
        return {}
