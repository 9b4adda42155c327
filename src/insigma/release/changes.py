"""What a release changes: each rule's change told apart, the versions that follow, and `changes.json`.

The rules of counting: docs/decisions/0022-what-a-version-counts.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from insigma.release.lock import RULE, Entry, Facts, Gone, Lock
from insigma.release.semver import Bump, next_version, rank
from insigma.release.stable_json import as_json

CHANGES_FILE = "changes.json"
FORMAT = 1


class Kind(Enum):
    """What is different about a rule, the weightiest first."""

    REMOVED = "removed"
    ADDED = "added"
    LOGIC = "logic"
    SEVERITY = "severity"
    METADATA = "metadata"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class Change:
    """One rule or filter that is not what it was. `targets` are those on which its detection is another, new or gone."""

    label: str
    kinds: tuple[Kind, ...]
    old: Entry | None
    new: Entry | None
    targets: tuple[str, ...]

    @property
    def facts(self) -> Facts:
        """What is known of the rule: as it is, or as it was before it was removed."""
        entry = self.new or self.old
        assert entry is not None
        return entry.facts


class NoVersion(Exception):
    """The version asked for cannot be that of a release: why."""


def compare(old: Lock | None, current: Mapping[str, Facts]) -> tuple[Change, ...]:
    """Every change since the lock, by label. A rule that comes back, or comes under another name, goes on counting."""
    before: Mapping[str, Entry] = {} if old is None else old.rules
    found = [_change(label, before.get(label), current.get(label), old) for label in sorted({*before, *current})]
    return tuple(change for change in found if change.kinds)


def _change(label: str, before: Entry | None, facts: Facts | None, old: Lock | None) -> Change:
    if facts is None:
        assert before is not None
        return Change(label, (Kind.REMOVED,), before, None, tuple(sorted(before.facts.queries)))
    if before is None:
        return Change(label, (Kind.ADDED,), None, Entry(_last(label, facts.id, old) + 1, facts), tuple(sorted(facts.queries)))
    kinds, targets = _differences(before.facts, facts)
    return Change(label, kinds, before, Entry(before.version + 1, facts), targets)


def _differences(old: Facts, new: Facts) -> tuple[tuple[Kind, ...], tuple[str, ...]]:
    """What differs. With another logic another query is what one expects; with the same, it is told."""
    targets = tuple(target for target in sorted({*old.queries, *new.queries}) if old.queries.get(target) != new.queries.get(target))
    logic = (old.kind, old.logic) != (new.kind, new.logic)
    told = {
        Kind.LOGIC: logic,
        Kind.SEVERITY: old.severity != new.severity,
        Kind.METADATA: old.metadata != new.metadata,
        Kind.QUERY: bool(targets) and not logic,
    }
    return tuple(kind for kind, differs in told.items() if differs), targets


def _last(label: str, id: str, old: Lock | None) -> int:
    """The last version of a rule that was there once under this label or id, or 0."""
    if old is None:
        return 0
    known = [(name, entry.facts.id, entry.version) for name, entry in old.rules.items()]
    known += [(name, gone.id, gone.version) for name, gone in old.removed.items()]
    return max((version for name, known_id, version in known if name == label or (id and known_id == id)), default=0)


def next_lock(old: Lock | None, current: Mapping[str, Facts], changes: Sequence[Change], version: str) -> Lock:
    """The lock of the new release."""
    before: Mapping[str, Entry] = {} if old is None else old.rules
    fresh = {change.label: change.new for change in changes if change.new is not None}
    removed = {} if old is None else {label: gone for label, gone in old.removed.items() if label not in current}
    removed |= {change.label: Gone(change.old.version, change.old.facts.id) for change in changes if change.new is None and change.old}
    return Lock(version, {label: fresh.get(label) or before[label] for label in current}, removed)


def bump_of(changes: Sequence[Change]) -> Bump:
    """Major if a rule is gone, minor if something else alerts than before or otherwise, patch if not."""
    kinds = {(kind, change.facts.kind) for change in changes for kind in change.kinds}
    if (Kind.REMOVED, RULE) in kinds:
        return Bump.MAJOR
    small = (Kind.METADATA, Kind.QUERY)
    return Bump.MINOR if any(kind not in small for kind, _ in kinds) else Bump.PATCH


def version_after(old: Lock | None, changes: Sequence[Change], written: str, asked: str | None) -> str:
    """The pack's version after the release.

    It is what was `asked` for, else the version that somebody has `written` into insigma.yml since the last release, else the
    one that follows from the changes. Raises `NoVersion` for one that is none, or is not newer than the last release.
    """
    if asked is None and old is not None and written == old.version:
        return next_version(written, bump_of(changes)) if changes else written
    version = asked or written
    try:
        newer = rank(version) > rank(old.version if old is not None else version)
    except ValueError as error:
        raise NoVersion(str(error)) from error
    if old is not None and not newer and (changes or version != old.version):
        raise NoVersion(f"{version} is not newer than {old.version}, the last release")
    return version


def as_document(changes: Sequence[Change], pack: str, version: str, previous: str | None, date: str | None) -> str:
    """The file changes.json, in the shape of schemas/changes.schema.json."""
    rules = [_told(change) for change in changes]
    return as_json({"changes": FORMAT, "pack": pack, "version": version, "previous": previous, "date": date, "rules": rules})


def _told(change: Change) -> dict[str, Any]:
    old, new = change.old, change.new
    return {
        "rule": change.label,
        "id": change.facts.id,
        "kind": change.facts.kind,
        "title": change.facts.title,
        "changes": [kind.value for kind in change.kinds],
        "version": {"old": old.version if old else None, "new": new.version if new else None},
        "severity": {"old": old.facts.severity if old else None, "new": new.facts.severity if new else None},
        "targets": list(change.targets),
    }
