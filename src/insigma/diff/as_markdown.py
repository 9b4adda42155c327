"""A difference as the comment of a pull request: a table, then a part a rule, cut where a comment would be too long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from insigma.diff.markdown import bullets, cell, code, cut, details, fenced
from insigma.diff.model import Difference, FileDiff, Kind, RuleDiff
from insigma.diff.said import (
    cases_said,
    change_said,
    counts_said,
    in_order,
    kind_said,
    level_said,
    parts_said,
    query_lines,
    query_said,
    side_said,
    status_said,
    tenants_said,
    verdicts_said,
    words_lines,
)

LIMIT = 65_536
"""Characters that a comment on GitHub holds."""
_CLOSING = 1_000
"""Characters kept for saying what was cut."""
_MOST_CHANGES = 30
"""Changes told of one file."""
_MOST_LINES = 100
"""Lines told of a rule's logic in words."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of the page, and the same without its queries for where room is short."""

    name: str
    full: str
    brief: str


def as_markdown(difference: Difference, limit: int = LIMIT) -> str:
    """The page, no longer than `limit` characters; what does not fit is counted at its end."""
    head = "\n".join(_head(difference)) + "\n"
    room = limit - _CLOSING
    if len(head) > room:
        head = "\n".join(_head(difference, table=False)) + "\n"
    parts = [_rule(diff) for diff in in_order(difference.rules)]
    if difference.files or difference.layout:
        parts.append(_Part("files beside the rules", _page(_files(difference)), ""))
    parts = [*_findings(difference), *parts]
    return head + _fitted(parts, room - len(head))


def _fitted(parts: Sequence[_Part], room: int) -> str:
    """The parts that there is room for, each whole, else without its queries, else named as left out."""
    shown: list[str] = []
    shortened: list[str] = []
    left_out: list[str] = []
    for part in parts:
        text = next((text for text in (part.full, part.brief) if text and len(text) <= room and not left_out), None)
        if text is None:
            left_out.append(part.name)
            continue
        if text is not part.full:
            shortened.append(part.name)
        shown.append(text)
        room -= len(text)
    return "".join(shown) + _remainder(shortened, left_out)


def _remainder(shortened: Sequence[str], left_out: Sequence[str]) -> str:
    """What was cut, in no more than `_CLOSING` characters."""
    told = [
        f"{len(names)} more {verb}: {_some(names)}."
        for verb, names in (("without their queries", shortened), ("not shown", left_out))
        if names
    ]
    if not told:
        return ""
    return "\n".join(["", "---", "", f"A comment holds no more. {' '.join(told)} `insigma diff` shows everything.", ""])


def _some(names: Sequence[str]) -> str:
    """The first few names."""
    shown = [code(cut(name, 24)) for name in names[:4]]
    return ", ".join(shown) + (", …" if len(names) > 4 else "")


def _page(lines: Iterator[str]) -> str:
    return "\n".join(["", *lines, ""])


def _head(difference: Difference, *, table: bool = True) -> Iterator[str]:
    yield "## What this changes"
    yield ""
    yield f"{code(side_said(difference.base))} → {code(side_said(difference.head))}: {counts_said(difference)}."
    if not difference.rules:
        return
    yield ""
    if not table:
        yield "There are too many rules for a table."
        return
    targets = difference.targets
    yield "| rule | what | touched | severity | " + "".join(f"{target} | " for target in targets) + "verdicts | tenants |"
    yield "|---" * (6 + len(targets)) + "|"
    yield from (_row(diff, targets) for diff in in_order(difference.rules))


def _row(diff: RuleDiff, targets: Sequence[str]) -> str:
    level = level_said(diff).replace("->", "→")
    queries = {query.target: query for query in diff.queries}
    cells = [
        cell(diff.label),
        kind_said(diff) if diff.kind is not Kind.UNREADABLE else "**cannot be read**",
        ", ".join(parts_said(diff)),
        cell(level) if level else "",
        *(_outcome(diff, target) if target in queries else "" for target in targets),
        str(len(diff.cases.verdicts)) if diff.cases.verdicts else "",
        ", ".join(cell(name) for name in diff.tenants.affected[:5]) + (", …" if len(diff.tenants.affected) > 5 else ""),
    ]
    return f"| {' | '.join(cells)} |"


def _outcome(diff: RuleDiff, target: str) -> str:
    """What happened on a target, in a word or two of our own."""
    (query,) = (query for query in diff.queries if query.target == target)
    before, after = query.before.state, query.after.state
    if before == after:
        return "query" if query.before.text != query.after.text else "reason" if query.before.reason != query.after.reason else "settings"
    return f"**{after}**" if after in ("refused", "disabled") else after if after != "none" else "gone"


def _findings(difference: Difference) -> list[_Part]:
    """What could not be read, side by side."""
    found = []
    for side in (difference.base, difference.head):
        lines = [
            f"{finding.place.path}:{finding.place.line}:{finding.place.column}: {finding.code} {finding.message}"
            for finding in sorted(side.findings)
        ]
        if lines:
            heading = f"### Cannot be read in {code(side.name)}"
            text = _page(iter([heading, "", *fenced(lines, "text")]))
            found.append(_Part(f"what cannot be read in {side.name}", text, _page(iter([heading, "", f"{len(lines)} findings"]))))
    return found


def _rule(diff: RuleDiff) -> _Part:
    brief = list(_rule_lines(diff))
    queries = [line for query in diff.queries if (lines := query_lines(query)) for line in _query(query.target, lines)]
    return _Part(diff.label, _page(iter([*brief, *queries])), _page(iter(brief)))


def _rule_lines(diff: RuleDiff) -> Iterator[str]:
    yield f"### {code(diff.label)}: {kind_said(diff) if diff.kind is not Kind.UNREADABLE else 'cannot be read'}"
    yield ""
    moved = diff.path_before and diff.path and diff.path_before != diff.path
    yield f"{code(diff.title)}, {code(diff.path_before) + ' → ' if moved else ''}{code(diff.path or diff.path_before)}"
    if diff.kind is Kind.UNREADABLE:
        yield from ("", f"It stands in {code(diff.unread)} and cannot be read there.")
        return
    severity = [f"severity: {said}" for said in (level_said(diff),) if said] + [f"status: {said}" for said in (status_said(diff),) if said]
    yield from _section("Logic", (*diff.logic, *diff.through, *severity))
    if words := words_lines(diff):
        yield from ("", *fenced(map(cut, words[:_MOST_LINES]), "diff"))
    yield from _section("Metadata", map(change_said, diff.metadata))
    yield from _section("Queries", (f"{query.target}: {said}" for query in diff.queries for said in query_said(query)))
    yield from _section("Tests", (*cases_said(diff), *verdicts_said(diff.cases.verdicts)))
    yield from _section("Tenants", tenants_said(diff.tenants))


def _section(name: str, statements: Iterable[str]) -> Iterator[str]:
    told = bullets(statements)
    if told:
        yield from ("", f"**{name}**", "", *told)


def _query(target: str, lines: Sequence[str]) -> list[str]:
    return ["", *details(f"{target} query", fenced(lines, "diff"))]


def _files(difference: Difference) -> Iterator[str]:
    yield "### Beside the rules"
    for diff in difference.files:
        yield from _file(diff)
    if difference.layout:
        yield from ("", "Only comments or layout changed:", "", *bullets(difference.layout))


def _file(diff: FileDiff) -> Iterator[str]:
    kind = "cannot be read" if diff.kind is Kind.UNREADABLE else diff.kind.value
    name = f" {code(diff.name)}" if diff.name != diff.path else ""
    yield from ("", f"**{diff.what}**{name}: {kind}, {code(diff.path)}", "")
    yield from bullets(change_said(change, lines=True) for change in diff.changes[:_MOST_CHANGES])
    if len(diff.changes) > _MOST_CHANGES:
        yield f"- and {len(diff.changes) - _MOST_CHANGES} more"
