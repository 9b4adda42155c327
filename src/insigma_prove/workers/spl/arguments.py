"""The arguments of commands such as stats, sort and table: words, quoted names, groups in parentheses, options."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from insigma_prove.workers.serve import QueryFault

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_WORD = re.compile(r'[^\s,()"]+')
_OPTION = re.compile(r"([A-Za-z_]+)(!?=)(.*)", re.ASCII | re.DOTALL)
_TRUE, _FALSE = frozenset({"true", "t", "1", "yes"}), frozenset({"false", "f", "0", "no"})


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of an argument. `kind` is "word", "string", "group" (text between parentheses) or "comma".

    `glued` says that no space stands before it.
    """

    kind: str
    text: str
    glued: bool


def items(argument: str) -> list[Item]:
    """The pieces of an argument. Raises `QueryFault` for what is not closed."""
    found: list[Item] = []
    at, end = 0, 0
    while at < len(argument):
        char = argument[at]
        if char.isspace():
            at += 1
            continue
        kind, text, stop = _next(argument, at)
        found.append(Item(kind, text, at == end and at > 0))
        at = end = stop
    return found


def _next(argument: str, at: int) -> tuple[str, str, int]:
    char = argument[at]
    if char == ",":
        return "comma", ",", at + 1
    if char == '"':
        if quoted := _STRING.match(argument, at):
            return "string", quoted[1], quoted.end()
        raise QueryFault("parse", "a quotation mark is not closed")
    if char == "(":
        end = _closing(argument, at)
        return "group", argument[at + 1 : end], end + 1
    if char == ")":
        raise QueryFault("parse", f"an unexpected parenthesis at {argument[at : at + 40]!r}")
    word = _WORD.match(argument, at)
    assert word is not None
    return "word", word[0], word.end()


def _closing(argument: str, at: int) -> int:
    depth = 0
    while at < len(argument):
        char = argument[at]
        if char == '"':
            quoted = _STRING.match(argument, at)
            if quoted is None:
                break
            at = quoted.end()
            continue
        if char == "'" and (end := argument.find("'", at + 1)) >= 0:
            at = end + 1
            continue
        depth += (char == "(") - (char == ")")
        if not depth:
            return at
        at += 1
    raise QueryFault("parse", "a parenthesis is not closed")


def unescaped(text: str) -> str:
    """What stands between quotation marks: a backslash escapes a quotation mark or itself (SM "Backslashes")."""
    return re.sub(r'\\(["\\])', r"\1", text)


def names(argument: str | Sequence[Item]) -> list[str]:
    """Field names, apart by spaces or commas. Raises `QueryFault` for anything else."""
    pieces = items(argument) if isinstance(argument, str) else argument
    found = []
    for item in pieces:
        if item.kind == "group":
            raise QueryFault("parse", f"a field name is expected, not ({item.text})")
        if item.kind != "comma":
            found.append(unescaped(item.text) if item.kind == "string" else item.text)
    return found


def options(pieces: Sequence[Item], known: frozenset[str]) -> tuple[dict[str, str], list[Item]]:
    """The `name=value` pieces, and the rest. Raises `QueryFault` for a name that is not known or comes twice."""
    found: dict[str, str] = {}
    rest: list[Item] = []
    at = 0
    while at < len(pieces):
        item = pieces[at]
        at += 1
        option = _OPTION.fullmatch(item.text) if item.kind == "word" else None
        if option is None or option[2] != "=":
            rest.append(item)
            continue
        name, value = option[1].lower(), option[3]
        if not value:
            if at >= len(pieces) or pieces[at].kind == "comma":
                raise QueryFault("parse", f"the option '{name}' has no value")
            value = pieces[at].text
            at += 1
        if name not in known:
            raise QueryFault("unsupported", f"the option '{name}' is not run here")
        if name in found:
            raise QueryFault("parse", f"the option '{name}' comes twice")
        found[name] = value
    return found, rest


def boolean(found: dict[str, str], name: str, default: bool) -> bool:
    """An option that is true or false (measured: `true t yes 1` and `false f no 0`). Raises `QueryFault`."""
    value = found.get(name, "true" if default else "false").lower()
    if value in _TRUE or value in _FALSE:
        return value in _TRUE
    raise QueryFault("parse", f"the option '{name}' is not a boolean: {value!r}")


def whole(found: dict[str, str], name: str, default: int) -> int:
    """An option that is a whole number, not negative. Raises `QueryFault`."""
    value = found.get(name, str(default))
    if value.isascii() and value.isdigit():
        return int(value)
    raise QueryFault("parse", f"the option '{name}' is not a whole number: {value!r}")
