"""`insigma.lock`: what each rule was at the last release, so that a build knows its version and a release what has changed.

The file is JSON with sorted keys and a few lines a rule, so that its diff names the rules that changed. Its shape is
schemas/lock.schema.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from insigma.content.model import Filter, Pack
from insigma.release.canonical import digest, logic_of, logic_of_filter, metadata_of, query_of
from insigma.release.outcomes import Outcome
from insigma.release.semver import rank
from insigma.release.stable_json import as_json
from insigma.schemas import load
from insigma.schemas.quick import compile_schema

LOCK_FILE = "insigma.lock"
FORMAT = 1
REFUSED = "refused"
RULE, FILTER = "rule", "filter"


class BrokenLock(Exception):
    """The lock cannot be read: why."""


class SameLabel(Exception):
    """Two rules or filters are called alike, so that the lock cannot tell them apart."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is compared of a rule or filter. `logic`, `metadata` and `queries` (by target) are digests; a query may be "refused"."""

    kind: str
    id: str
    title: str
    logic: str
    metadata: str
    severity: str
    queries: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """A rule as it was released: its version, from 1, and its facts."""

    version: int
    facts: Facts


@dataclass(frozen=True, slots=True)
class Gone:
    """The last version of a rule that is no longer there: should it come back, it goes on from there."""

    version: int
    id: str


@dataclass(frozen=True, slots=True)
class Lock:
    """The last release: the pack's version, its rules and filters by label, and those that were removed at any time."""

    version: str
    rules: Mapping[str, Entry]
    removed: Mapping[str, Gone] = field(default_factory=dict)

    def text(self) -> str:
        """The file."""
        return as_json(
            {
                "lock": FORMAT,
                "version": self.version,
                "rules": {label: _written(entry) for label, entry in self.rules.items()},
                "removed": {label: {"version": gone.version, "id": gone.id} for label, gone in self.removed.items()},
            }
        )


def _written(entry: Entry) -> dict[str, Any]:
    facts = {name: getattr(entry.facts, name) for name in Facts.__slots__ if name != "queries"}
    return {"version": entry.version, "queries": dict(entry.facts.queries), **facts}


def facts_of(pack: Pack, outcomes: Sequence[Outcome]) -> Mapping[str, Facts]:
    """The facts of every rule and filter of the pack by label; `outcomes` say how each rule compiles. Raises `SameLabel`."""
    queries: dict[str, dict[str, str]] = {}
    for outcome in outcomes:
        made = digest(query_of(outcome.packed.detection)) if outcome.packed is not None else REFUSED
        queries.setdefault(outcome.rule.header.label, {})[outcome.target] = made
    labels = {name: rule.header.label for rule in pack.rules for name in (rule.header.id, rule.header.name) if name is not None}
    found: dict[str, Facts] = {}
    for part in (*pack.rules, *pack.filters):
        header = part.header
        if header.label in found:
            raise SameLabel(header.label)
        is_filter = isinstance(part, Filter)
        found[header.label] = Facts(
            kind=FILTER if is_filter else RULE,
            id=header.id or "",
            title=header.title,
            logic=digest(logic_of_filter(part, labels) if isinstance(part, Filter) else logic_of(part)),
            metadata=digest(metadata_of(header.document.data)),
            severity="" if is_filter else header.level,
            queries={} if is_filter else queries.get(header.label, {}),
        )
    return found


def read_lock(root: Path) -> Lock | None:
    """The lock of the pack at `root`, or None where there is none. Raises `BrokenLock`."""
    path = root / LOCK_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise BrokenLock(getattr(error, "strerror", None) or "it is not UTF-8 text") from error
    try:
        data = json.loads(text, object_pairs_hook=_once)
    except RecursionError as error:
        raise BrokenLock("it is nested too deeply") from error
    except ValueError as error:
        raise BrokenLock(str(error)) from error
    return _read(data)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object; a key that stands twice, as a bad merge leaves it, is an error."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"it names {next(name for name in names if names.count(name) > 1)!r} twice")
    return found


def _read(data: Any) -> Lock:
    if isinstance(data, dict) and data.get("lock") not in (None, FORMAT):
        raise BrokenLock(f"it has format {data['lock']!r}, and this program knows {FORMAT}: use a newer insigma")
    if not compile_schema("lock", load)(data):
        raise BrokenLock("it is not as insigma release writes it")
    try:
        rank(data["version"])
    except ValueError as error:
        raise BrokenLock(str(error)) from error
    rules = {
        label: Entry(written["version"], Facts(**{name: written[name] for name in Facts.__slots__}))
        for label, written in data["rules"].items()
    }
    return Lock(data["version"], rules, {label: Gone(**gone) for label, gone in data["removed"].items()})


def versions_of(root: Path) -> Mapping[str, int]:
    """The version of each released rule of the pack at `root` by label; none where the pack was never released. Raises `BrokenLock`."""
    lock = read_lock(root)
    return {} if lock is None else {label: entry.version for label, entry in lock.rules.items()}


def line_of(root: Path, label: str) -> int:
    """The line of the lock on which a rule's block begins, or 1."""
    wanted = f"    {json.dumps(label, ensure_ascii=False)}: {{"
    lines = (root / LOCK_FILE).read_text(encoding="utf-8").split("\n")
    return lines.index(wanted) + 1 if wanted in lines else 1
