"""The changelog: an entry for people, put before those of earlier releases."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from insigma.release.changes import Change, Kind
from insigma.release.lock import FILTER, LOCK_FILE, RULE

CHANGELOG_FILE = "CHANGELOG.md"
HEADINGS = {
    Kind.REMOVED: "Removed",
    Kind.ADDED: "Added",
    Kind.LOGIC: "Logic changed",
    Kind.SEVERITY: "Severity changed",
    Kind.METADATA: "Metadata changed",
    Kind.QUERY: "Only the compiled query changed",
}

_PLAIN = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)
_MARKUP = re.compile(r"([\\`*_\[\]<>|#~&!])")


def entry_of(changes: Sequence[Change], pack: str, version: str, date: str | None, *, first: bool) -> str:
    """The entry of a release, ending with a line break. The first names no rules: all are new, and the lock lists them."""
    lines = [_heading(pack, version) + (f" ({date})" if date else ""), ""]
    if first:
        rules = sum(change.facts.kind == RULE for change in changes)
        lines += [f"First release that is locked: {rules:,} {'rule' if rules == 1 else 'rules'}, each at version 1 (`{LOCK_FILE}`).", ""]
    elif not changes:
        lines += ["No rule changed.", ""]
    else:
        for kind, heading in HEADINGS.items():
            told = [_line(change, kind) for change in changes if change.kinds[0] is kind]
            lines += [f"### {heading}", "", *told, ""] if told else []
    return "\n".join(lines[:-1]) + "\n"


def _heading(pack: str, version: str) -> str:
    return f"## {_escaped(pack)} {version}"


def _line(change: Change, kind: Kind) -> str:
    """A rule with its versions, and what else about it changed."""
    old, new = change.old, change.new
    versions = f"version {new.version}" if new else f"was at version {old.version}" if old else ""
    more = [versions]
    if old and new and old.facts.severity != new.facts.severity:
        more.append(f"{_escaped(old.facts.severity)} → {_escaped(new.facts.severity)}")
    also = [HEADINGS[other].lower() for other in change.kinds if other is not kind and other not in (Kind.SEVERITY, Kind.QUERY)]
    also += ["compiled query changed"] if kind is not Kind.QUERY and Kind.QUERY in change.kinds else []
    if kind is Kind.QUERY:
        more.append(", ".join(change.targets))
    name = f"`{change.label}`" if _PLAIN.fullmatch(change.label) else _escaped(change.label)
    title = "" if change.facts.title == change.label else f" {_escaped(change.facts.title)}"
    noun = "filter " if change.facts.kind == FILTER else ""
    return f"- {noun}{name}{title} ({'; '.join([*more, *also])})"


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def with_entry(changelog: str, entry: str) -> str:
    """The changelog with the entry before all others. One of the same release, left by an interrupted run, is replaced."""
    sections = list(_sections(changelog or "# Changelog\n\n"))
    head = entry.split("\n", 1)[0].split(" (", 1)[0]
    kept = [section for section in sections[1:] if section.split("\n", 1)[0].split(" (", 1)[0] != head]
    return "\n\n".join(part.rstrip("\n") for part in (sections[0], entry, *kept) if part) + "\n"


def _sections(text: str) -> Iterator[str]:
    """What stands before the first heading of the second level, then each such section. Headings in code blocks are none."""
    lines: list[str] = []
    fenced = False
    for line in text.splitlines(keepends=True):
        if line.startswith("```"):
            fenced = not fenced
        if line.startswith("## ") and not fenced:
            yield "".join(lines)
            lines = []
        lines.append(line)
    yield "".join(lines)
