"""A release worked out: what changed, the versions that follow, the files to write; or, for CI, a finding for each change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from insigma.content.files import shown_path
from insigma.content.model import Filter, Header, Pack
from insigma.content.pack import PACK_FILE
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic, Place
from insigma.release.at_once import write_at_once
from insigma.release.changelog import CHANGELOG_FILE, entry_of, with_entry
from insigma.release.changes import CHANGES_FILE, Change, Kind, as_document, compare, next_lock, version_after
from insigma.release.lock import LOCK_FILE, Lock, facts_of, line_of, read_lock
from insigma.release.outcomes import Outcome
from insigma.release.pack_version import with_version

_HINT = "if it is meant, run insigma release and commit what it writes"
_TOLD = {Kind.LOGIC: "logic", Kind.SEVERITY: "severity", Kind.METADATA: "metadata", Kind.QUERY: "compiled query"}


@dataclass(frozen=True, slots=True)
class Plan:
    """A release of the pack at `root`, not yet written. `old` is the lock as it stands, `entry` what the changelog gets."""

    pack: Pack
    root: Path
    old: Lock | None
    lock: Lock
    changes: tuple[Change, ...]
    entry: str
    date: str | None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to release."""
        return self.old is not None and not self.changes and self.lock.version == self.old.version


def plan_of(pack: Pack, root: Path, outcomes: Sequence[Outcome], asked: str | None, date: str | None) -> Plan:
    """The release that the pack as it is would be; `outcomes` are every rule on every target, `asked` the version wanted, if any.

    Raises `BrokenLock`, `SameLabel` or `NoVersion`.
    """
    old = read_lock(root)
    facts = facts_of(pack, outcomes)
    changes = compare(old, facts)
    version = version_after(old, changes, pack.version, asked)
    entry = entry_of(changes, pack.name, version, date, first=old is None)
    return Plan(pack, root, old, next_lock(old, facts, changes, version), changes, entry, date)


def files_of(plan: Plan) -> Mapping[str, str]:
    """The files of the release by name; the lock comes last, so that a run that was cut short is repeated as if it had not been.

    Raises `NotReplaced` where insigma.yml writes its version in an unusual way.
    """
    log, head = plan.root / CHANGELOG_FILE, plan.root / PACK_FILE
    version = plan.lock.version
    files = {
        CHANGES_FILE: as_document(plan.changes, plan.pack.name, version, plan.old.version if plan.old else None, plan.date),
        CHANGELOG_FILE: with_entry(log.read_text(encoding="utf-8") if log.exists() else "", plan.entry),
    }
    if version != plan.pack.version:
        files[PACK_FILE] = with_version(head.read_bytes().decode("utf-8"), _head(plan.pack), version)
    return {**files, LOCK_FILE: plan.lock.text()}


def write(plan: Plan) -> tuple[str, ...]:
    """Write the release; the names of the files. Raises `NotReplaced`, `LeavesPack` or OSError, all with nothing written."""
    files = files_of(plan)
    write_at_once(plan.root, files)
    return tuple(files)


def _head(pack: Pack) -> Document:
    return next(document for document in pack.documents if pack.relative(document.path) == PACK_FILE)


def findings(plan: Plan) -> Iterator[Diagnostic]:
    """INS704 for each rule that is not what the lock says, and for a version that was written but not released."""
    if plan.old is None:
        place = Place(shown_path(plan.root / LOCK_FILE))
        yield Diagnostic(place, "INS704", f"the pack has no {LOCK_FILE}: its rules have no versions", "run insigma release")
        return
    headers = {part.header.label: part for part in (*plan.pack.rules, *plan.pack.filters)}
    for change in plan.changes:
        part = headers.get(change.label)
        place = (
            _place(part.header, change) if part is not None else Place(shown_path(plan.root / LOCK_FILE), line_of(plan.root, change.label))
        )
        yield Diagnostic(place, "INS704", _message(change, "filter" if isinstance(part, Filter) else "rule"), _HINT, rule=change.label)
    if plan.pack.version != plan.old.version:
        message = f"version {plan.pack.version} is written here, but {plan.old.version} is the last that was released"
        yield Diagnostic(_head(plan.pack).place("version"), "INS704", message, "run insigma release to release it")


def _place(header: Header, change: Change) -> Place:
    """Where the change stands, as near as can be told: digests do not say in which line."""
    document = header.document
    if Kind.LOGIC in change.kinds:
        key = next((key for key in ("detection", "correlation", "filter") if key in document.data), "title")
        return document.key_place(key)
    return document.key_place("level") if Kind.SEVERITY in change.kinds and "level" in document.data else document.place()


def _message(change: Change, noun: str) -> str:
    if change.old is None:
        return f"{change.label} is a new {noun}"
    if change.new is None:
        return f"{change.label} is gone; it was at version {change.old.version}"
    parts = [_TOLD[kind] for kind in change.kinds]
    told = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    where = f" ({', '.join(change.targets)})" if Kind.QUERY in change.kinds else ""
    levels = f": {change.old.facts.severity} is now {change.new.facts.severity}" if Kind.SEVERITY in change.kinds else ""
    verb = "has" if len(parts) == 1 else "have"
    return f"the {told} of {change.label}{where} {verb} changed since version {change.old.version}{levels}"
