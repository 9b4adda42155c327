"""Regular expressions for `match()` and `mvfind()`: from string patterns, and from RE2 syntax.

Splunk's engine is PCRE (Search Manual, "SPL and regular expressions"). What is written here never holds a double
quote, a backtick, a dollar sign, a control character or two backslashes in a row, so that it stands between double
quotes unchanged whichever way the command reads escapes. ASCII letters ignore case by `(?i)`; every other letter is
spelled out in its cases, as the manual does not say whether `(?i)` knows them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache

from insigma.content.folding import fold
from insigma.content.predicate import Text, Wildcard
from insigma.targets.splunk.quoting import writable

_META = frozenset(".^|?*+()[]{}")
_HEX = frozenset('"\\`$')
_LAST_CASED = 0x1E943


def text_regex(text: Text, ignore_case: bool) -> str:
    """The expression that finds exactly the values that the pattern covers. The pattern is not a lone `*`."""
    parts = list(text.parts)
    start, end = "^", r"\z"
    while parts and parts[0] is Wildcard.MANY:
        start = ""
        parts.pop(0)
    while parts and parts[-1] is Wildcard.MANY:
        end = ""
        parts.pop()
    body = "".join(_part(part, ignore_case) for part in parts)
    return flags(ignore_case and _has_ascii_letter(parts), any(isinstance(part, Wildcard) for part in parts)) + start + body + end


def any_regex(texts: Iterable[str], ignore_case: bool) -> str:
    """The expression that finds exactly the given strings, whole."""
    written = [escape(text, ignore_case) for text in texts]
    body = written[0] if len(written) == 1 else f"(?:{'|'.join(written)})"
    return flags(ignore_case, False) + f"^{body}" + r"\z"


def flags(ignore_case: bool, dotall: bool) -> str:
    """The flags as a prefix, or nothing."""
    letters = ("i" if ignore_case else "") + ("s" if dotall else "")
    return f"(?{letters})" if letters else ""


def escape(text: str, ignore_case: bool) -> str:
    """The text as an expression that matches only itself, or its spellings in any case. Raises `Refused` (see `writable`)."""
    return "".join(_char(char, ignore_case) for char in writable(text))


def hexadecimal(char: str) -> str:
    """An ASCII character as an escape of two digits."""
    return f"\\x{ord(char):02x}"


def needs_hexadecimal(char: str) -> bool:
    """Whether the character must not stand in a query as itself."""
    return char in _HEX or (char.isascii() and unicodedata.category(char) == "Cc")


def cases(char: str) -> str:
    """A character beyond ASCII in all its cases, as a group of alternatives; itself if it has only one.

    Alternatives rather than a class, as they mean the same whether the engine reads bytes or characters.
    """
    same = fold_classes().get(fold(char), char)
    return same if len(same) == 1 else f"(?:{'|'.join(same)})"


@lru_cache(maxsize=1)
def fold_classes() -> Mapping[str, str]:
    """For each folded character beyond ASCII that has several cases: all of them, the folded one first."""
    found: dict[str, list[str]] = {}
    for code in range(0x80, _LAST_CASED + 1):
        char = chr(code)
        if (char.casefold() != char or char.lower() != char) and (folded := fold(char)) != char and not folded.isascii():
            found.setdefault(folded, [folded]).append(char)
    return {folded: "".join(chars) for folded, chars in found.items()}


def _part(part: str | Wildcard, ignore_case: bool) -> str:
    if isinstance(part, Wildcard):
        return ".*" if part is Wildcard.MANY else "."
    return escape(part, ignore_case)


def _char(char: str, ignore_case: bool) -> str:
    if needs_hexadecimal(char):
        return hexadecimal(char)
    if char in _META:
        return f"\\{char}"
    return char if char.isascii() or not ignore_case else cases(char)


def _has_ascii_letter(parts: Iterable[str | Wildcard]) -> bool:
    return any(char.isascii() and char.isalpha() for part in parts if isinstance(part, str) for char in part)
