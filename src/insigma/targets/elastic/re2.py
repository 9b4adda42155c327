"""RE2 expressions as a small tree: what the regular expressions of a rule say, before any dialect.

Follows the syntax page of RE2 (github.com/google/re2/wiki/Syntax). `parse` takes what RE2 has accepted already, and
refuses what an automaton over whole values cannot say: word boundaries and flags inside the expression.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from insigma.bind.model import Refused
from insigma.content.predicate import Regex
from insigma.targets.elastic import codepoints as points
from insigma.targets.elastic.codepoints import Ranges

LARGEST_CLASS = 4096
MOST_REPEATS = 1000

_LEADING_FLAGS = re.compile(r"\(\?([imsU]+)\)")
_REPEAT = re.compile(r"\{([0-9]{1,4})(,([0-9]{0,4}))?\}")
_GROUP = re.compile(r"\(\?(?::|P?<[A-Za-z_][A-Za-z0-9_]*>)")
_ESCAPES = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_CLASSES = {"d": points.DIGITS, "w": points.WORD, "s": points.SPACES}
_POSIX: dict[str, Ranges] = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "ascii": ((0, 127),),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((0, 31), (127, 127)),
    "digit": points.DIGITS,
    "graph": ((33, 126),),
    "lower": ((97, 122),),
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "word": points.WORD,
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}


@dataclass(frozen=True, slots=True)
class Chars:
    """One character out of a set."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Edge:
    """The start of the text, or (`end`) its end."""

    end: bool


@dataclass(frozen=True, slots=True)
class Repeat:
    """`item` from `low` to `high` times; `high` None is without bound. Lazy and greedy are one here."""

    item: Node
    low: int
    high: int | None


@dataclass(frozen=True, slots=True)
class Chain:
    """The items one after another; none is the empty string."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """One of the branches. At least two."""

    branches: tuple[Node, ...]


Node: TypeAlias = "Chars | Edge | Repeat | Chain | Either"


def parse(regex: Regex) -> Node:
    """The tree of the expression, its flags worked in. Raises `Refused`."""
    flags, text = set[str](), regex.pattern
    while match := _LEADING_FLAGS.match(text):
        flags |= set(match[1])
        text = text[match.end() :]
    parser = _Parser(text, regex.ignore_case or "i" in flags, regex.dotall or "s" in flags, regex.multiline or "m" in flags)
    node = parser.alternatives()
    if parser.position < len(text):
        raise unsayable(f"')' at {parser.position}")
    return node


def unsayable(what: str) -> Refused:
    return Refused(f"the regular expression has {what}, which Elasticsearch's regular expressions cannot say", ("detection",))


class _Parser:
    """Recursive descent over one expression."""

    def __init__(self, text: str, ignore_case: bool, dotall: bool, multiline: bool) -> None:
        self.text = text
        self.position = 0
        self.ignore_case = ignore_case
        self.dotall = dotall
        self.multiline = multiline

    def peek(self) -> str:
        """The next character, or an empty string at the end."""
        return self.text[self.position : self.position + 1]

    def take(self) -> str:
        char = self.peek()
        if not char:
            raise unsayable("an unfinished part at its end")
        self.position += 1
        return char

    def accept(self, char: str) -> bool:
        found = self.peek() == char
        self.position += found
        return found

    def alternatives(self) -> Node:
        branches = [self.chain()]
        while self.accept("|"):
            branches.append(self.chain())
        return branches[0] if len(branches) == 1 else Either(tuple(branches))

    def chain(self) -> Node:
        items: list[Node] = []
        while self.peek() not in ("", "|", ")"):
            if self.text.startswith("\\Q", self.position):
                items.extend(self.quoted())
            else:
                items.append(self.repeated(self.atom()))
        return items[0] if len(items) == 1 else Chain(tuple(items))

    def quoted(self) -> list[Node]:
        """The characters of \\Q...\\E; a quantifier behind it belongs to the last of them."""
        end = self.text.find("\\E", self.position)
        literal = self.text[self.position + 2 : end if end >= 0 else len(self.text)]
        self.position = end + 2 if end >= 0 else len(self.text)
        items: list[Node] = [self.chars(((ord(char), ord(char)),)) for char in literal]
        if items:
            items[-1] = self.repeated(items[-1])
        return items

    def repeated(self, item: Node) -> Node:
        while True:
            if self.accept("*"):
                item = Repeat(item, 0, None)
            elif self.accept("+"):
                item = Repeat(item, 1, None)
            elif self.accept("?"):
                item = Repeat(item, 0, 1)
            elif match := _REPEAT.match(self.text, self.position):
                self.position = match.end()
                item = _counted(item, match)
            else:
                return item
            self.accept("?")

    def atom(self) -> Node:
        char = self.take()
        match char:
            case "(":
                return self.group()
            case "[":
                return self.character_class()
            case ".":
                return Chars(points.EVERYTHING if self.dotall else points.complement(points.NEWLINE))
            case "^" | "$":
                return self.edge(char == "$")
            case "\\":
                return self.escape()
            case _:
                return self.chars(((ord(char), ord(char)),))

    def edge(self, end: bool) -> Edge:
        if self.multiline:
            raise unsayable("anchors of lines (flag m)")
        return Edge(end)

    def group(self) -> Node:
        if self.peek() == "?":
            match = _GROUP.match(self.text, self.position - 1)
            if match is None:
                raise unsayable(f"'({self.text[self.position : self.position + 3]}'")
            self.position = match.end()
        node = self.alternatives()
        if not self.accept(")"):
            raise unsayable("an unclosed group")
        return node

    def escape(self) -> Node:
        char = self.take()
        if char.lower() in _CLASSES:
            return Chars(self.perl_class(char))
        if char == "A":
            return Edge(False)
        if char == "z":
            return Edge(True)
        point = self.escaped_point(char)
        return self.chars(((point, point),))

    def escaped_point(self, char: str) -> int:
        """The code point that a backslash and `char`, already taken, stand for."""
        if char in _ESCAPES:
            return _ESCAPES[char]
        if char == "x":
            match = re.compile(r"\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2})").match(self.text, self.position)
            if match is not None:
                self.position = match.end()
                return int(match[1] or match[2], 16)
        if char in "01234567" and (match := re.compile(r"[0-7]{1,3}").match(self.text, self.position - 1)):
            self.position = match.end()
            return int(match[0], 8)
        if char.isalnum():
            raise unsayable(f"'\\{char}'")
        return ord(char)

    def character_class(self) -> Node:
        negated = self.accept("^")
        found: list[tuple[int, int]] = []
        first = True
        while first or self.peek() != "]":
            found.extend(self.class_item())
            first = False
        self.position += 1
        inner = points.merged(found)
        return Chars(points.complement(inner) if negated else inner)

    def class_item(self) -> Ranges:
        posix = re.compile(r"\[:(\^?)([a-z]+):\]").match(self.text, self.position)
        if posix is not None and posix[2] in _POSIX:
            self.position = posix.end()
            named = self.cased(_POSIX[posix[2]])
            return points.complement(named) if posix[1] else named
        char = self.take()
        if char == "\\" and self.peek().lower() in _CLASSES:
            return self.perl_class(self.take())
        low = high = self.class_point(char)
        if self.peek() == "-" and self.text[self.position + 1 : self.position + 2] not in ("]", ""):
            self.position += 1
            high = self.class_point(self.take())
        return self.cased(((low, high),))

    def perl_class(self, name: str) -> Ranges:
        """The class \\d, \\w or \\s, or the rest for an upper-case name; case is ignored before the rest is taken."""
        ranges = self.cased(_CLASSES[name.lower()])
        return ranges if name.islower() else points.complement(ranges)

    def class_point(self, char: str) -> int:
        return self.escaped_point(self.take()) if char == "\\" else ord(char)

    def chars(self, ranges: Ranges) -> Chars:
        return Chars(self.cased(ranges))

    def cased(self, ranges: Ranges) -> Ranges:
        """The ranges, closed under case where case is ignored."""
        if not self.ignore_case:
            return ranges
        if points.size(ranges) <= LARGEST_CLASS:
            return points.caseless(ranges)
        rest = points.complement(ranges)
        if points.size(rest) <= LARGEST_CLASS and points.caseless(rest) == rest:
            return ranges
        raise unsayable("a class of thousands of characters together with case ignored")


def _counted(item: Node, match: re.Match[str]) -> Repeat:
    low = int(match[1])
    high = low if match[2] is None else int(match[3]) if match[3] else None
    if max(low, high or 0) > MOST_REPEATS:
        raise unsayable(f"more than {MOST_REPEATS} repeats")
    return Repeat(item, low, high)
