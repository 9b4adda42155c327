"""What a target's packaging gives: files by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from insigma.content.lists import DEFAULT_TENANT
from insigma.content.model import Header, Pack
from insigma.targets.base import Detection

Files = Mapping[str, str]
"""Text by path below dist/, with slashes; every text ends with a line break."""


@dataclass(frozen=True, slots=True)
class PackContext:
    """Whom a package is for and what it was built of."""

    tenant: str
    pack: str
    version: str

    @classmethod
    def of_default(cls, pack: Pack) -> PackContext:
        """The default profile of the pack."""
        return cls(DEFAULT_TENANT, pack.name, pack.version)


@dataclass(frozen=True, slots=True)
class Packed:
    """A detection with its rule and the files made of it."""

    header: Header
    detection: Detection
    files: Files


class Packager(Protocol):
    """Writes one target's files."""

    def rule_files(self, header: Header, detection: Detection) -> Files:
        """The files of one rule: the query by itself, readable, and the native object. Raises `Refused`."""
        ...

    def native(self, header: Header, detection: Detection) -> str:
        """The target's own object of one rule, as text."""
        ...

    def bundle(self, packed: Sequence[Packed]) -> Files:
        """The files that hold all rules at once. Raises `Refused`."""
        ...
