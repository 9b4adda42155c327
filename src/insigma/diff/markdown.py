"""Text that nobody vouches for, put into Markdown so that it stays text.

Everything that comes from a pack stands in code: there GitHub makes no link, no mention, no emoji and no HTML of it.
Sources: CommonMark 0.31, "Code spans", "Fenced code blocks", "Entity and numeric character references"; GitHub Flavored
Markdown 0.29, "Tables (extension)", where `|` ends a cell even in a code span.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from insigma.diagnostics.render.hostile import visible

_RUNS = re.compile("`+")
_MARKS = re.compile("[^A-Za-z0-9 -]")


def cut(text: str, longest: int = 500) -> str:
    """The text made visible, and no longer than that."""
    shown = visible(text)
    return shown if len(shown) <= longest else f"{shown[:longest]}…"


def code(text: str) -> str:
    """The text, on one line, as a code span whose fence is longer than every run of backticks in it."""
    shown = visible(text) or " "
    fence = "`" * (1 + max((len(run) for run in _RUNS.findall(shown)), default=0))
    padding = " " if shown.strip(" ") and (shown[0] in "` " or shown[-1] in "` ") else ""
    return f"{fence}{padding}{shown}{padding}{fence}"


def cell(text: str) -> str:
    """The text as code that may stand in a table: where a bar is in it, as HTML with every mark written as a number."""
    shown = visible(text)
    if "|" not in shown:
        return code(text)
    return "<code>" + _MARKS.sub(lambda match: f"&#{ord(match[0])};", shown) + "</code>"


def fenced(lines: Iterable[str], language: str) -> list[str]:
    """The lines as a code block whose fence is longer than every run of backticks in them."""
    shown = [visible(line) for line in lines]
    longest = max((len(run) for line in shown for run in _RUNS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", *shown, fence]


def bullets(statements: Iterable[str]) -> list[str]:
    """A list of statements, each in code, and not endless."""
    return [f"- {code(cut(statement))}" for statement in statements]


def details(summary: str, inner: Iterable[str]) -> list[str]:
    """A part that opens on a click. `summary` is our own plain text."""
    return ["<details>", f"<summary>{summary}</summary>", "", *inner, "", "</details>"]
