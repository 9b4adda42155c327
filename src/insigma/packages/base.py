"""What a target's packaging gives: files by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from insigma.content.lists import DEFAULT_TENANT
from insigma.content.model import Header, Pack
from insigma.targets.base import Detection

Files = Mapping[str, "str | bytes"]
"""Contents by path below dist/, with slashes. Text ends with a line break; bytes are archives."""


@dataclass(frozen=True, slots=True)
class Table:
    """A lookup table that detections read: a Splunk lookup, a Sentinel watchlist, an Elasticsearch lookup index.

    A row is unique by its `keys`. `columns` are all columns, keys first, each with its type: "string", "number", or "time" in
    milliseconds since 1970. `rows` are shipped, as text; None says that the customer's own job fills the table.
    """

    name: str
    keys: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, ...], ...] | None = None
    description: str = ""
    owner: str = ""
    source: str = ""
    refresh: str = ""


@dataclass(frozen=True, slots=True)
class PackContext:
    """Whom a package is for and what it was built of.

    `versions` gives each rule's version by its label (1 where nothing is known), `settings` is the profile's block for the
    target, `tables` are those that the tenant's detections look events up in.
    """

    tenant: str
    pack: str
    version: str
    legal_entity: str = ""
    versions: Mapping[str, int] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()

    @classmethod
    def of_default(cls, pack: Pack, versions: Mapping[str, int] | None = None) -> PackContext:
        """The default profile of the pack."""
        return cls(DEFAULT_TENANT, pack.name, pack.version, versions=versions or {})

    def version_of(self, header: Header) -> int:
        """The rule's version, from 1."""
        return self.versions.get(header.label, 1)


@dataclass(frozen=True, slots=True)
class Packed:
    """A detection with its rule and the files made of it. A rule that the profile switches off is delivered, but not `enabled`."""

    header: Header
    detection: Detection
    files: Files
    enabled: bool = True


class RulePackager(Protocol):
    """Writes the files of one target's rules."""

    def rule_files(self, header: Header, detection: Detection) -> Files:
        """The files of one rule: the query by itself, readable, and the native object. Raises `Refused`."""
        ...

    def native(self, header: Header, detection: Detection) -> str:
        """The target's own object of one rule, as text."""
        ...

    def bundle(self, packed: Sequence[Packed]) -> Files:
        """The files that hold all rules at once. Raises `Refused`."""
        ...


class Packager(RulePackager, Protocol):
    """Writes everything that a customer loads into one target."""

    def package(self, packed: Sequence[Packed]) -> Files:
        """Everything that a customer loads into the target, below the target's name. Raises `Refused`."""
        ...
