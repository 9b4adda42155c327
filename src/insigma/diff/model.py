"""What a comparison finds: everything as plain text and data, ready to be written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from insigma.content.yaml_reader import Key
from insigma.diagnostics.model import Diagnostic


class Kind(Enum):
    """What became of a rule or a file. A renamed one has another path or name and the same id, and may have changed, too."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    CHANGED = "changed"
    UNREADABLE = "unreadable"


class Absent(Enum):
    """Stands for a value that is not there (None is a value: YAML's null)."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two documents.

    `path` is the way to it, such as `insurance.response.actions[code=block_payment].max_hold`. Of two lists, only what was
    `added` and `removed` counts; else the value `before` and `after`. Lines count from 1; 0 where that side has nothing there.
    `key_before` and `key_after` lead to the place in each document.
    """

    path: str
    before: Any
    after: Any
    line_before: int
    line_after: int
    added: tuple[Any, ...] = ()
    removed: tuple[Any, ...] = ()
    key_before: Key = ()
    key_after: Key = ()


@dataclass(frozen=True, slots=True)
class Words:
    """A rule's logic in plain words, before and after: nested list items, a line each."""

    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Compiled:
    """How a rule ends on one target. `facts` are language, window, schedule and the like; `text` is the query with its companions.

    `state` is "compiled", "refused" (with the `reason`), "disabled" by the default profile, or "none" where there is no such
    rule, or the pack does not map the target. `proof` is the grade that an engine has given the query.
    """

    state: str
    reason: str = ""
    query: str = ""
    text: str = ""
    facts: Mapping[str, str] | None = None
    notes: tuple[str, ...] = ()
    proof: str = ""


@dataclass(frozen=True, slots=True)
class QueryDiff:
    """How a rule ends on a target, before and after; the two differ."""

    target: str
    before: Compiled
    after: Compiled


@dataclass(frozen=True, slots=True)
class Alerted:
    """One alert that the reference evaluator gives: its group, value, events, first and last event, instants in milliseconds."""

    group: Mapping[str, str]
    value: int | float
    events: int
    first: str
    last: str
    instants: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Given:
    """What a rule gives on a case: positions of the events that match, of how many; the alerts of a correlation, else None."""

    matches: tuple[int, ...]
    events: int
    alerts: tuple[Alerted, ...] | None = None


@dataclass(frozen=True, slots=True)
class CaseDiff:
    """A fixture case on which the two rules differ. `version` says whose case it is: "both", "base" or "head".

    `wanted_before` and `wanted_after` say whether each rule gives what the case expects.
    """

    name: str
    version: str
    before: Given
    after: Given
    wanted_before: bool
    wanted_after: bool


@dataclass(frozen=True, slots=True)
class CasesDiff:
    """The fixture of a rule: how many cases each side has, which came, went or were rewritten, and those with another verdict.

    `compared` is the number of cases that were run on both rules.
    """

    before: int = 0
    after: int = 0
    compared: int = 0
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    rewritten: tuple[str, ...] = ()
    verdicts: tuple[CaseDiff, ...] = ()

    @property
    def changed(self) -> bool:
        return bool(self.added or self.removed or self.rewritten or self.verdicts)


@dataclass(frozen=True, slots=True)
class TenantsDiff:
    """The customers of a rule: those for whom it runs, and those for whom it is not what it was.

    `on` and `off` are those among the `affected` for whom it runs now and did not, or the other way round, with the reason
    given now or then. `profiles` are the changed keys of profiles that are about the rule, by customer.
    """

    enabled: tuple[str, ...] = ()
    affected: tuple[str, ...] = ()
    on: Mapping[str, str] = field(default_factory=dict)
    off: Mapping[str, str] = field(default_factory=dict)
    profiles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        return bool(self.affected or self.profiles)


@dataclass(frozen=True, slots=True)
class RuleDiff:
    """One rule that the change touches.

    `path_before` is "" for a new rule, `path` is "" for one that is gone. `logic` are statements about the rule itself,
    `through` about what it is built on: base rules, filters, lists, mappings, taxonomy. `unread` names the side on which the
    rule could not be read.
    """

    kind: Kind
    label: str
    title: str
    id: str
    path_before: str
    path: str
    level: tuple[str, str]
    status: tuple[str, str]
    logic: tuple[str, ...] = ()
    through: tuple[str, ...] = ()
    words: Words = field(default_factory=Words)
    metadata: tuple[Change, ...] = ()
    queries: tuple[QueryDiff, ...] = ()
    cases: CasesDiff = field(default_factory=CasesDiff)
    tenants: TenantsDiff = field(default_factory=TenantsDiff)
    unread: str = ""


@dataclass(frozen=True, slots=True)
class FileDiff:
    """A file beside the rules that changed. `what` is "tenant", "filter", "mapping", "taxonomy", "adapter", "pack" or "fixture"."""

    kind: Kind
    what: str
    name: str
    path: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class SideName:
    """How a side is called, its commit ("" for the working tree), and what was wrong with it."""

    name: str
    commit: str
    findings: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything. `layout` are files in which only comments or layout changed; `targets` those that were compiled for."""

    pack: str
    base: SideName
    head: SideName
    targets: tuple[str, ...]
    rules: tuple[RuleDiff, ...]
    files: tuple[FileDiff, ...]
    layout: tuple[str, ...]

    @property
    def changed(self) -> bool:
        """Whether anything is told. Comments and layout are no change of a pack."""
        return bool(self.rules or self.files)
