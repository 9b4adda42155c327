r"""RE2 expressions, and string patterns, as `matches regex` reads them.

Kusto's syntax (KQL reference, "Regex syntax") is that of an engine whose `\d`, `\w`, `\s` and `\b` know all of Unicode,
where RE2 knows ASCII, whose classes can be nested and subtracted, and which takes no bare `{`. What is written here means
the same under both: classes are spelled out, literal punctuation is escaped, groups capture nothing (the manual allows 16
that do), and a word boundary says `(?-u:\b)`. `^`, `$`, `.` and the flags i, m, s and U mean the same in both.

An expression over an array is written for the array's values joined by `SEPARATOR`, with one at either end: the edges of a
value are separators, and nothing but a separator matches a separator.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from insigma.bind.model import Refused
from insigma.content.predicate import Regex, Text, Wildcard

SEPARATOR = "\x1f"
"""Unit separator: what a value of an array is not expected to hold."""

_META = frozenset("\\.+*?()|[]{}^$")
_CLASS_META = frozenset("\\[]^-&~")
_EDGE = r"\x1f"
_LAST = 0x10FFFF
_REPEAT = re.compile(r"\{[0-9]+(?:,[0-9]*)?\}")
_FLAGS = re.compile(r"\(\?([imsU]*)(-[imsU]+)?([:)])")
_NAMED = re.compile(r"\(\?P?<[^>]*>")
_POSIX = re.compile(r"\[:(\^?)([a-z]+):\]")
_PROPERTY = re.compile(r"\\([pP])(?:\{(\^?)([A-Za-z_]+)\}|([A-Za-z]))")
_HEX = re.compile(r"x(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2}))")
_OCTAL = re.compile(r"[0-7]{1,3}")
_ESCAPES = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}

Ranges = tuple[tuple[int, int], ...]
_PERL: dict[str, Ranges] = {"d": ((48, 57),), "w": ((48, 57), (65, 90), (95, 95), (97, 122)), "s": ((9, 10), (12, 13), (32, 32))}
_CLASSES: dict[str, Ranges] = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "ascii": ((0, 127),),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((0, 31), (127, 127)),
    "digit": _PERL["d"],
    "graph": ((33, 126),),
    "lower": ((97, 122),),
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "word": _PERL["w"],
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}


def translate(regex: Regex, *, array: bool = False) -> str:
    """The expression of a rule. Raises `Refused` for what Kusto's engine does not have."""
    flags = ("i" if regex.ignore_case else "") + ("m" if regex.multiline else "") + ("s" if regex.dotall else "")
    if array and regex.multiline:
        raise _unsayable("anchors of lines (flag m) over an array")
    body = _Translator(regex.pattern, array, regex.dotall).whole()
    return (f"(?{flags})" if flags else "") + body


def text_regex(text: Text, ignore_case: bool, *, array: bool = False) -> str:
    """The expression that finds exactly the values that the pattern covers. The pattern is not a lone `*`."""
    parts = list(text.parts)
    start, end = (_EDGE, _EDGE) if array else ("^", "$")
    while parts and parts[0] is Wildcard.MANY:
        start = ""
        parts.pop(0)
    while parts and parts[-1] is Wildcard.MANY:
        end = ""
        parts.pop()
    dotall = not array and any(isinstance(part, Wildcard) for part in parts)
    one = rf"[^{_EDGE}]" if array else "."
    body = "".join((f"{one}*" if part is Wildcard.MANY else one) if isinstance(part, Wildcard) else escape(part) for part in parts)
    return _prefix(ignore_case, dotall) + start + body + end


def any_regex(texts: Iterable[str], ignore_case: bool, *, array: bool = False) -> str:
    """The expression that finds exactly the given strings, whole."""
    written = [escape(text) for text in texts]
    body = written[0] if len(written) == 1 else f"(?:{'|'.join(written)})"
    start, end = (_EDGE, _EDGE) if array else ("^", "$")
    return f"{_prefix(ignore_case, False)}{start}{body}{end}"


def escape(text: str) -> str:
    """The text as an expression that matches only itself."""
    return "".join(f"\\{char}" if char in _META else char for char in text)


def _prefix(ignore_case: bool, dotall: bool) -> str:
    letters = ("i" if ignore_case else "") + ("s" if dotall else "")
    return f"(?{letters})" if letters else ""


def _unsayable(what: str) -> Refused:
    return Refused(f"the regular expression has {what}, which Kusto's regular expressions cannot say in the same sense", ("detection",))


@dataclass(slots=True)
class _Translator:
    """One pass over an expression that RE2 has accepted. `dotall` is the flag s as it stands at `position`."""

    text: str
    array: bool
    dotall: bool
    position: int = 0

    def whole(self) -> str:
        written = self.branches()
        if self.position < len(self.text):
            raise _unsayable(f"')' at {self.position}")
        return written

    def branches(self) -> str:
        """Up to the group's end; flags that are set inside a group end with it."""
        dotall = self.dotall
        written: list[str] = []
        while self.position < len(self.text) and self.text[self.position] != ")":
            written.append(self.part())
        self.dotall = dotall
        return "".join(written)

    def part(self) -> str:
        text, at = self.text, self.position
        if text.startswith("\\Q", at):
            return self.quoted()
        if match := _REPEAT.match(text, at):
            self.position = match.end()
            return match[0]
        char = text[at]
        if char == "(":
            return self.group()
        if char == "[":
            return self.character_class()
        if char == "\\":
            return self.escaped()
        self.position += 1
        if char == ".":
            return self.dot()
        if char in "^$":
            return self.edge(char == "$")
        return char if char in "|*+?" else escape(char)

    def quoted(self) -> str:
        end = self.text.find("\\E", self.position)
        literal = self.text[self.position + 2 : end if end >= 0 else len(self.text)]
        self.position = end + 2 if end >= 0 else len(self.text)
        return escape(literal)

    def group(self) -> str:
        opening = "(?:"
        dotall = self.dotall
        if match := _FLAGS.match(self.text, self.position):
            if self.array and "m" in match[1]:
                raise _unsayable("anchors of lines (flag m) over an array")
            self.dotall = "s" in match[1] or (self.dotall and "s" not in (match[2] or ""))
            self.position = match.end()
            if match[3] == ")":
                return match[0]
            opening = match[0]
        elif match := _NAMED.match(self.text, self.position):
            self.position = match.end()
        else:
            self.position += 1
        body = self.branches()
        self.dotall = dotall
        if self.position >= len(self.text):
            raise _unsayable("an unclosed group")
        self.position += 1
        return f"{opening}{body})"

    def dot(self) -> str:
        if not self.array:
            return "."
        return rf"[^{_EDGE}]" if self.dotall else rf"[^\n{_EDGE}]"

    def edge(self, end: bool, written: str | None = None) -> str:
        """An anchor; over an array a separator, where nothing of the value can stand on its other side."""
        if not self.array:
            return written or ("$" if end else "^")
        start = self.position - (2 if written else 1)
        outside = self.text[self.position : self.position + 1] if end else self.text[max(start - 1, 0) : start]
        if outside not in ("", "|", ")" if end else "("):
            raise _unsayable("an anchor inside the expression, over an array")
        return _EDGE

    def escaped(self) -> str:
        if match := _PROPERTY.match(self.text, self.position):
            return self.property(match)
        char = self.text[self.position + 1]
        self.position += 2
        if char in "Az":
            return self.edge(char == "z", f"\\{char}")
        if char == "b":
            return r"(?-u:\b)"
        if char in "BC":
            raise _unsayable(f"'\\{char}'")
        if char.lower() in _PERL:
            return self.write_class(_PERL[char.lower()], char.isupper())
        point = self.escaped_point(char)
        return escape(chr(point))

    def property(self, match: re.Match[str]) -> str:
        """A Unicode class by name; a negated one may not stand where it would match a separator."""
        self.position = match.end()
        negated = (match[1] == "P") is not bool(match[2])
        name = match[3] or match[4]
        if self.array and (negated or name.startswith("C") or name == "Any"):
            raise _unsayable(f"'{match[0]}' over an array")
        return f"\\{'P' if negated else 'p'}{{{name}}}"

    def escaped_point(self, char: str) -> int:
        """The code point that a backslash and `char`, already taken, stand for."""
        if char in _ESCAPES:
            return _ESCAPES[char]
        if match := _HEX.match(self.text, self.position - 1):
            self.position = match.end()
            return int(match[1] or match[2], 16)
        if match := _OCTAL.match(self.text, self.position - 1):
            self.position = match.end()
            return int(match[0], 8)
        if char.isalnum():
            raise _unsayable(f"'\\{char}'")
        return ord(char)

    def character_class(self) -> str:
        self.position += 1
        negated = self.text.startswith("^", self.position)
        self.position += negated
        found: list[tuple[int, int]] = []
        named: list[str] = []
        first = True
        while first or self.text[self.position] != "]":
            self.class_item(found, named)
            first = False
        self.position += 1
        return self.write_class(tuple(found), negated, named)

    def class_item(self, found: list[tuple[int, int]], named: list[str]) -> None:
        if (match := _POSIX.match(self.text, self.position)) and match[2] in _CLASSES:
            self.position = match.end()
            ranges = _CLASSES[match[2]]
            found.extend(_complement(ranges) if match[1] else ranges)
        elif match := _PROPERTY.match(self.text, self.position):
            named.append(self.property(match))
        elif self.text[self.position] == "\\" and self.text[self.position + 1].lower() in _PERL:
            name = self.text[self.position + 1]
            self.position += 2
            found.extend(_complement(_PERL[name.lower()]) if name.isupper() else _PERL[name])
        else:
            low = high = self.class_point()
            if self.text[self.position] == "-" and self.text[self.position + 1] != "]":
                self.position += 1
                high = self.class_point()
            found.append((low, high))

    def class_point(self) -> int:
        char = self.text[self.position]
        self.position += 1
        if char != "\\":
            return ord(char)
        char = self.text[self.position]
        self.position += 1
        return self.escaped_point(char)

    def write_class(self, ranges: Ranges, negated: bool, named: Iterable[str] = ()) -> str:
        """A class of plain ranges; over an array none that holds the separator."""
        if self.array:
            edge = ord(SEPARATOR)
            ranges = (*ranges, (edge, edge)) if negated else _without(ranges, edge)
        inside = "".join((*(_range(low, high) for low, high in ranges), *named))
        if not inside:
            raise _unsayable("a class without characters")
        return f"[{'^' if negated else ''}{inside}]"


def _range(low: int, high: int) -> str:
    return _class_char(low) if low == high else f"{_class_char(low)}-{_class_char(high)}"


def _class_char(point: int) -> str:
    char = chr(point)
    if char in _CLASS_META:
        return f"\\{char}"
    return char if char.isprintable() else f"\\x{point:02x}" if point < 0x80 else f"\\x{{{point:X}}}"


def _complement(ranges: Ranges) -> Ranges:
    found = []
    start = 0
    for low, high in sorted(ranges):
        if low > start:
            found.append((start, low - 1))
        start = max(start, high + 1)
    if start <= _LAST:
        found.append((start, _LAST))
    return tuple(found)


def _without(ranges: Ranges, point: int) -> Ranges:
    found: list[tuple[int, int]] = []
    for low, high in ranges:
        if low <= point <= high:
            found += [part for part in ((low, point - 1), (point + 1, high)) if part[0] <= part[1]]
        else:
            found.append((low, high))
    return tuple(found)
