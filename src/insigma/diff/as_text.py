"""A difference for a terminal: a block a rule, most important first, every line made safe to show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from insigma.diagnostics.render.hostile import defused, visible
from insigma.diff.model import Difference, FileDiff, Kind, RuleDiff
from insigma.diff.said import (
    cases_said,
    change_said,
    counts_said,
    in_order,
    kind_said,
    level_said,
    query_lines,
    query_said,
    side_said,
    status_said,
    tenants_said,
    verdicts_said,
    words_lines,
)

_STYLES = {"+": "32", "-": "31", "@": "36"}
_HEADS = {Kind.ADDED: "1;32", Kind.REMOVED: "1;31", Kind.UNREADABLE: "1;31", Kind.RENAMED: "1;36", Kind.CHANGED: "1;33"}
_DIM = "2"

Styled = tuple[str, str]
"""A line, and how a terminal that shows colours shows it."""


def as_text(difference: Difference, *, color: bool = False) -> str:
    """The whole as text, one line break at the end."""
    return "".join(f"{_painted(line, style, color)}\n" for line, style in _lines(difference))


def _painted(line: str, style: str, color: bool) -> str:
    """A line in which nothing steers a terminal but our own colours around it."""
    safe = defused(visible(line))
    return f"\x1b[{style}m{safe}\x1b[0m" if color and style and safe else safe


def _lines(difference: Difference) -> Iterator[Styled]:
    yield f"{side_said(difference.base)} -> {side_said(difference.head)}", ""
    for diff in in_order(difference.rules):
        yield "", ""
        yield from _rule(diff)
    if difference.files:
        yield from (("", ""), ("beside the rules", ""))
        yield from (line for diff in difference.files for line in _file(diff))
    if difference.layout:
        yield from (("", ""), ("only comments or layout changed", ""))
        yield from ((f"  {path}", _DIM) for path in difference.layout)
    yield from (("", ""), (counts_said(difference), ""))


def _rule(diff: RuleDiff) -> Iterator[Styled]:
    yield f"{diff.label}: {kind_said(diff)}: {diff.title}", _HEADS[diff.kind]
    moved = diff.path_before and diff.path and diff.path_before != diff.path
    yield f"  {diff.path_before} -> {diff.path}" if moved else f"  {diff.path or diff.path_before}", _DIM
    if diff.kind is Kind.UNREADABLE:
        return
    yield from _section("logic", (*diff.logic, *diff.through))
    yield from _signed("  in words", words_lines(diff))
    yield from _section("severity", filter(None, (level_said(diff),)))
    yield from _section("status", filter(None, (status_said(diff),)))
    yield from _section("metadata", map(change_said, diff.metadata))
    for query in diff.queries:
        yield from _section(query.target, query_said(query))
        yield from _signed("", query_lines(query))
    yield from _section("tests", (*cases_said(diff), *verdicts_said(diff.cases.verdicts)))
    yield from _section("tenants", tenants_said(diff.tenants))


def _section(name: str, statements: Iterable[str]) -> Iterator[Styled]:
    """A heading with statements under it; a single one stands beside it."""
    told = list(statements)
    if len(told) == 1:
        yield f"  {name}: {told[0]}", ""
    elif told:
        yield f"  {name}", ""
        yield from ((f"    {statement}", "") for statement in told)


def _signed(heading: str, lines: Iterable[str]) -> Iterator[Styled]:
    """Lines with a sign before each, in its colour."""
    told = list(lines)
    if told and heading:
        yield heading, ""
    yield from ((f"    {line}", _STYLES.get(line[:1], "")) for line in told)


def _file(diff: FileDiff) -> Iterator[Styled]:
    name = f" {diff.name}" if diff.name != diff.path else ""
    kind = "cannot be read" if diff.kind is Kind.UNREADABLE else diff.kind.value
    yield f"  {diff.what}{name}: {kind}: {diff.path}", ""
    yield from ((f"    {change_said(change, lines=True)}", "") for change in diff.changes)
