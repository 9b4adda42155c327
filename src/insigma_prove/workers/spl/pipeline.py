"""A search as a list of commands: cut at the pipes that stand outside quotes, parentheses in the data and subsearches.

A search starts with terms, for which the search command is implied, or with a pipe and a generating command (SM "About the
search language", SR search).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from insigma_prove.workers.serve import QueryFault

GENERATING = frozenset({"makeresults", "multisearch"})
"""Commands that may stand first behind a pipe (SR "Command types", generating commands), of those known here."""

_EXPRESSIONS = frozenset({"where", "eval", "stats", "eventstats", "streamstats"})
_NAME = re.compile(r"\s*([A-Za-z]+)(?![A-Za-z0-9_=.])\s*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its name in lower case and what is written after it."""

    name: str
    argument: str


@dataclass(frozen=True, slots=True)
class Segment:
    """What stands between two pipes."""

    text: str
    first: bool


def commands(query: str) -> tuple[Command, ...]:
    """The commands of a search. Raises `QueryFault` for unclosed quotes or brackets, macros, and a wrong first command."""
    segments = split(query)
    if segments[0].text.strip():
        return (_leading(segments[0].text), *(_command(segment.text) for segment in segments[1:]))
    following = tuple(_command(segment.text) for segment in segments[1:])
    if not following:
        raise QueryFault("parse", "the search is empty")
    if following[0].name not in {*GENERATING, "search"}:
        raise QueryFault("parse", f"'{following[0].name}' cannot be the first command of a search")
    return following


def split(query: str) -> list[Segment]:
    """The pieces between the pipes, untouched."""
    pieces: list[Segment] = []
    start = at = 0
    while at <= len(query):
        at = _end_of_segment(query, start)
        pieces.append(Segment(query[start:at], not pieces))
        start = at = at + 1
    return pieces


def _end_of_segment(query: str, start: int) -> int:
    """Where the segment that starts here ends: at a pipe or at the end."""
    found = _NAME.match(query, start)
    apostrophes = start > 0 and found is not None and found[1].lower() in _EXPRESSIONS
    depth, at = 0, start
    while at < len(query):
        char = query[at]
        if char == '"' or (char == "'" and apostrophes):
            at = _end_of_quoted(query, at)
            continue
        if char == "`":
            raise QueryFault("unsupported", "macros and comments (backticks) are not run here")
        if char == "|" and not depth:
            return at
        depth += (char == "[") - (char == "]")
        if depth < 0:
            raise QueryFault("parse", "a closing bracket without an opening one")
        at += 1
    if depth:
        raise QueryFault("parse", "a subsearch is not closed")
    return at


def _end_of_quoted(query: str, start: int) -> int:
    quote, at = query[start], start + 1
    while at < len(query):
        if query[at] == "\\" and quote == '"':
            at += 2
        elif query[at] == quote:
            return at + 1
        else:
            at += 1
    raise QueryFault("parse", f"a quotation mark ({quote}) is not closed")


def _leading(text: str) -> Command:
    """The terms at the start: the search command is implied (SR search, "Description")."""
    found = _NAME.match(text)
    if found is not None and found[1] == "search":
        return Command("search", text[found.end() :].strip())
    return Command("search", text.strip())


def _command(text: str) -> Command:
    found = _NAME.match(text)
    if found is None:
        raise QueryFault("parse", f"a command is expected at {text.strip()[:40]!r}")
    return Command(found[1].lower(), text[found.end() :].strip())


def subsearches(argument: str) -> list[str]:
    """The searches in brackets of an argument that has nothing else. Raises `QueryFault`."""
    found: list[str] = []
    rest = argument.strip()
    while rest:
        if not rest.startswith("["):
            raise QueryFault("parse", f"a subsearch in brackets is expected at {rest[:40]!r}")
        end = _end_of_brackets(rest)
        found.append(rest[1 : end - 1].strip())
        rest = rest[end:].strip()
    return found


def _end_of_brackets(text: str) -> int:
    depth, at = 0, 0
    while at < len(text):
        if text[at] == '"':
            at = _end_of_quoted(text, at)
            continue
        depth += (text[at] == "[") - (text[at] == "]")
        at += 1
        if not depth:
            return at
    raise QueryFault("parse", "a subsearch is not closed")
