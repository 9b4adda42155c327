"""RE2 syntax, as rules write it, into the PCRE that Splunk's `match()` runs, with the same meaning.

Differences that matter (RE2's syntax page; pcrepattern(3)): `$` without `m` is the very end in RE2 but may stand before a
last newline in PCRE; `^` with `m` follows a last newline only in RE2; `\\v` and octal escapes read differently; PCRE gives
a meaning to `{,n}`. Anchors are therefore written out and the flag `m` never emitted. Refused is what depends on
whether Splunk's PCRE reads bytes or characters, which its manual does not say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from insigma.bind.model import Refused
from insigma.content.predicate import Regex
from insigma.targets.splunk.patterns import escape, flags, hexadecimal, needs_hexadecimal

_REPEAT = re.compile(r"\{[0-9]+(?:,[0-9]*)?\}", re.ASCII)
_POSSESSIVE = re.compile(r"(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})\+", re.ASCII)
_QUANTIFIER = re.compile(r"[*+?]|\{[0-9]+(?:,[0-9]*)?\}", re.ASCII)
_GROUP_FLAGS = re.compile(r"\?([imsU]*)(?:-([imsU]+))?([:)])", re.ASCII)
_GROUP_NAME = re.compile(r"\?P?<[A-Za-z0-9_]+>", re.ASCII)
_POSIX = re.compile(r"\[:\^?[a-z]+:\]", re.ASCII)
_HEX = re.compile(r"x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})", re.ASCII)
_OCTAL = re.compile(r"[0-7]{1,3}", re.ASCII)
_ITEM = re.compile(
    r"\\Q.*?(?:\\E|\Z)|\\(?P<letter>.)|\[(?P<negated>\^?)\]?(?P<inside>(?:\[:\^?[a-z]+:\]|\\.|[^\]\\])*)\]|(?P<dot>\.)", re.DOTALL
)
_NEGATED = re.compile(r"\\[DWS]|\[:\^")
_SAME_OUTSIDE = frozenset("AzbBdDwWsSfnrt")
_SAME_INSIDE = frozenset("dDwWsSfnrt")
_CONTROL = {"a": "\x07", "v": "\x0b"}


@dataclass(frozen=True, slots=True)
class _Flags:
    ignore_case: bool
    multiline: bool
    dotall: bool
    ungreedy: bool

    def changed(self, on: str, off: str) -> _Flags:
        names = {"i": "ignore_case", "m": "multiline", "s": "dotall", "U": "ungreedy"}
        return replace(self, **{names[letter]: letter in on for letter in on + off})


def translate(regex: Regex) -> str:
    """The PCRE expression, flags in front, that finds what the RE2 expression finds. Raises `Refused`."""
    start = _Flags(regex.ignore_case, regex.multiline, regex.dotall, ungreedy=False)
    body = _Translator(regex.pattern, start).run()
    return flags(regex.ignore_case, regex.dotall) + body


def counts_characters(regex: Regex) -> bool:
    """Whether it asks for a number of characters of any kind, so that a letter beyond ASCII must be one and not several bytes."""
    return any(_is_wide(item) and not regex.pattern.startswith(("*", "+"), item.end()) for item in _ITEM.finditer(regex.pattern))


def _is_wide(item: re.Match[str]) -> bool:
    """Whether the item stands for characters beyond ASCII without naming them."""
    inside = item["inside"] or ""
    return bool(item["dot"] or item["negated"] or _NEGATED.search(inside) or (item["letter"] or "") in tuple("DWS"))


class _Translator:
    """One walk over the pattern; `flags` is a stack, one entry an open group."""

    def __init__(self, pattern: str, flags: _Flags) -> None:
        self.pattern = pattern
        self.at = 0
        self.flags = [flags]
        self.written: list[str] = []

    def run(self) -> str:
        while self.at < len(self.pattern):
            self.written.append(self._next())
        return "".join(self.written)

    def _next(self) -> str:
        char = self.pattern[self.at]
        if _POSSESSIVE.match(self.pattern, self.at):
            raise _refused("a repetition of a repetition")
        match char:
            case "\\":
                return self._escape()
            case "[":
                return self._class()
            case "(":
                return self._open()
            case "^" | "$":
                return self._anchor(char)
            case "{":
                return self._repeat()
        self.at += 1
        if char == ")" and len(self.flags) > 1:
            self.flags.pop()
        return char if char in ".*+?|)" else self._literal(char)

    def _anchor(self, char: str) -> str:
        self.at += 1
        if self.flags[-1].multiline:
            return r"(?:^|(?<=\n))" if char == "^" else self._assertion(r"(?=\n|\z)")
        return self._assertion("^" if char == "^" else r"\z")

    def _assertion(self, written: str) -> str:
        """PCRE repeats no assertion (pcrepattern(3), "Repetition"), RE2 does: in a group it is the same to both."""
        return f"(?:{written})" if _QUANTIFIER.match(self.pattern, self.at) else written

    def _repeat(self) -> str:
        found = _REPEAT.match(self.pattern, self.at)
        self.at += len(found.group()) if found else 1
        return found.group() if found else r"\{"

    def _open(self) -> str:
        self.at += 1
        current = self.flags[-1]
        if found := _GROUP_FLAGS.match(self.pattern, self.at):
            self.at = found.end()
            changed = current.changed(found[1], found[2] or "")
            if found[3] == ")":
                self.flags[-1] = changed
            else:
                self.flags.append(changed)
            letters = _letters(found[1], found[2] or "")
            return f"(?{letters}{found[3]}" if letters or found[3] == ":" else ""
        self.flags.append(current)
        if found := _GROUP_NAME.match(self.pattern, self.at):
            self.at = found.end()
        elif self.pattern.startswith("?", self.at):
            raise _refused("a group that starts with '(?'")
        return "("

    def _escape(self) -> str:
        letter = self.pattern[self.at + 1 : self.at + 2]
        if letter == "Q":
            return self._quoted()
        if letter in _SAME_OUTSIDE and letter:
            self.at += 2
            return self._assertion(f"\\{letter}") if letter in "AzbB" else f"\\{letter}"
        return self._literal(self._escaped_char())

    def _quoted(self) -> str:
        end = self.pattern.find(r"\E", self.at + 2)
        text = self.pattern[self.at + 2 : end if end >= 0 else None]
        self.at = end + 2 if end >= 0 else len(self.pattern)
        return self._literal(text)

    def _literal(self, text: str) -> str:
        """The text. A quantifier behind it is for all bytes of its last character: without a group it would be for the last of them."""
        ignore_case = self.flags[-1].ignore_case
        last = escape(text[-1:], ignore_case)
        if not last.isascii() and not last.startswith("(?:") and _QUANTIFIER.match(self.pattern, self.at):
            last = f"(?:{last})"
        return escape(text[:-1], ignore_case) + last

    def _escaped_char(self) -> str:
        """The character that the escape at the current place stands for."""
        rest = self.pattern[self.at + 1 :]
        if found := _HEX.match(rest):
            self.at += 1 + found.end()
            return _chr(int(found[1] or found[2], 16))
        if found := _OCTAL.match(rest):
            self.at += 1 + found.end()
            return _chr(int(found[0], 8))
        char = rest[:1]
        self.at += 2
        if char in _CONTROL:
            return _CONTROL[char]
        if not char or char.isalnum():
            raise _refused(f"'\\{char}'")
        return char

    def _class(self) -> str:
        self.at += 1
        written = ["["]
        if self.pattern.startswith("^", self.at):
            written.append("^")
            self.at += 1
        first = True
        while first or not self.pattern.startswith("]", self.at):
            if self.at >= len(self.pattern):
                raise _refused("a character class without an end")
            written.append(self._class_item())
            first = False
        self.at += 1
        return "".join(written) + "]"

    def _class_item(self) -> str:
        if found := _POSIX.match(self.pattern, self.at):
            self.at = found.end()
            return found.group()
        char = self.pattern[self.at]
        if char == "\\":
            letter = self.pattern[self.at + 1 : self.at + 2]
            if letter and letter in _SAME_INSIDE:
                self.at += 2
                return f"\\{letter}"
            return _in_class(self._escaped_char(), escaped=True)
        self.at += 1
        return _in_class(char, escaped=char in "[]^")


def _in_class(char: str, *, escaped: bool) -> str:
    if not char.isascii():
        raise _refused("a character class with characters beyond ASCII")
    if needs_hexadecimal(char):
        return hexadecimal(char)
    return f"\\{char}" if escaped and char in "[]^-" else char


def _letters(on: str, off: str) -> str:
    kept_on, kept_off = on.replace("m", ""), off.replace("m", "")
    return f"{kept_on}-{kept_off}" if kept_off else kept_on


def _chr(code: int) -> str:
    if code > 0x10FFFF:
        raise _refused(f"the character {code:x}")
    return chr(code)


def _refused(what: str) -> Refused:
    return Refused(f"the regular expression has {what}, which has no safe form in Splunk", ("detection",))
