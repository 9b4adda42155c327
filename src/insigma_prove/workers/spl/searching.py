"""The grammar of the search command: terms, comparisons, NOT, OR, AND, parentheses.

NOT binds to the term behind it, OR before AND, and AND is implied between terms (SM "Boolean expressions with logical
operators", "Order of evaluation"). The operators are written in capitals.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from insigma_prove.workers.serve import QueryFault

DEPTH = 200


@dataclass(frozen=True, slots=True)
class Pattern:
    """A value to look for: text, with None for each `*`. `cased` is CASE(), `exact` TERM()."""

    parts: tuple[str | None, ...]
    cased: bool = False
    exact: bool = False

    @property
    def literal(self) -> str | None:
        """The text, if no wildcard is in it."""
        if not self.parts:
            return ""
        return self.parts[0] if len(self.parts) == 1 else None

    @property
    def anything(self) -> bool:
        """Whether it is nothing but `*`."""
        return bool(self.parts) and all(part is None for part in self.parts)


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase in the raw event."""

    pattern: Pattern


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field compared with a value, or with each of several (IN)."""

    field: str
    sign: str
    patterns: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Not:
    operand: Expression


@dataclass(frozen=True, slots=True)
class AllOf:
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    operands: tuple[Expression, ...]


Expression: TypeAlias = "Term | Comparison | Not | AllOf | AnyOf"

_TOKEN = re.compile(
    r"""\s*(?:(?P<paren>[(),])|(?P<sign>!=|<=|>=|==|[=<>])|"(?P<quoted>(?:[^"\\]|\\.)*)\"|(?P<word>(?:[^\s()"=<>!,]|!(?!=))+))""",
    re.DOTALL,
)
_DIRECTIVES = frozenset({"TERM", "CASE"})
_TIMES = frozenset({"earliest", "latest", "_index_earliest", "_index_latest"})


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str

    def is_(self, *texts: str) -> bool:
        return self.kind != "quoted" and self.text in texts


_END = _Token("end", "")


def parse(argument: str) -> Expression:
    """The expression of a search command; no terms at all find everything. Raises `QueryFault`."""
    parser = _Parser(_tokens(argument))
    if parser.peek is _END:
        return AllOf(())
    found = parser.conjunction()
    if parser.peek is not _END:
        raise QueryFault("parse", f"unexpected {parser.peek.text!r} in the search command")
    return found


def _tokens(argument: str) -> list[_Token]:
    found: list[_Token] = []
    at, end = 0, len(argument.rstrip())
    while at < end:
        match = _TOKEN.match(argument, at)
        if match is None or match.lastgroup is None:
            raise QueryFault("parse", f"the search command does not take {argument[at : at + 40]!r}")
        if match.lastgroup == "word" and match["word"].startswith("["):
            raise QueryFault("unsupported", "a subsearch in a search command is not run here")
        found.append(_Token(match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    @property
    def peek(self) -> _Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else _END

    def _take(self) -> _Token:
        token = self.peek
        self._at += 1
        return token

    def conjunction(self) -> Expression:
        found = [self._disjunction()]
        while self.peek is not _END and not self.peek.is_(")"):
            if self.peek.is_("AND"):
                self._take()
            found.append(self._disjunction())
        return found[0] if len(found) == 1 else AllOf(tuple(found))

    def _disjunction(self) -> Expression:
        found = [self._negation()]
        while self.peek.is_("OR"):
            self._take()
            found.append(self._negation())
        return found[0] if len(found) == 1 else AnyOf(tuple(found))

    def _negation(self) -> Expression:
        self._depth += 1
        if self._depth > DEPTH:
            raise QueryFault("unsupported", f"expressions nested more than {DEPTH} deep are not run here")
        found = self._negated() if self.peek.is_("NOT") else self._primary()
        self._depth -= 1
        return found

    def _negated(self) -> Expression:
        self._take()
        return Not(self._negation())

    def _primary(self) -> Expression:
        token = self._take()
        if token.is_("("):
            found = self.conjunction()
            if not self._take().is_(")"):
                raise QueryFault("parse", "a parenthesis of the search command is not closed")
            return found
        if token.kind not in ("word", "quoted") or token.is_("AND", "OR", "XOR"):
            raise QueryFault("parse", f"a term is expected in the search command, not {token.text!r}")
        if self.peek.kind == "sign":
            return self._comparison(token)
        if self.peek.is_("IN") and self._at + 1 < len(self._tokens) and self._tokens[self._at + 1].is_("("):
            self._take()
            return Comparison(_field(token), "=", self._list())
        if token.text in _DIRECTIVES and token.kind == "word" and self.peek.is_("("):
            return Term(self._directive(token.text))
        return Term(_pattern(token))

    def _comparison(self, token: _Token) -> Expression:
        sign = self._take().text.replace("==", "=")
        name = _field(token)
        value = self._take()
        if value.kind not in ("word", "quoted"):
            raise QueryFault("parse", f"a value is expected after {name}{sign}")
        if value.text in _DIRECTIVES and value.kind == "word" and self.peek.is_("("):
            return Comparison(name, sign, (self._directive(value.text),))
        return Comparison(name, sign, (_pattern(value),))

    def _list(self) -> tuple[Pattern, ...]:
        """The values of IN (SR search, "IN operator")."""
        self._take()
        found: list[Pattern] = []
        while True:
            token = self._take()
            if token.kind not in ("word", "quoted"):
                raise QueryFault("parse", "a value is expected in the list after IN")
            found.append(_pattern(token))
            token = self._take()
            if token.is_(")"):
                return tuple(found)
            if not token.is_(","):
                raise QueryFault("parse", "the list after IN is not closed")

    def _directive(self, name: str) -> Pattern:
        """TERM() and CASE() (SM "Use CASE() and TERM() to match phrases")."""
        self._take()
        token = self._take()
        if token.kind not in ("word", "quoted") or not self._take().is_(")"):
            raise QueryFault("parse", f"{name}() takes one term")
        pattern = _pattern(token)
        return Pattern(pattern.parts, cased=name == "CASE", exact=name == "TERM")


def _field(token: _Token) -> str:
    name = _unescaped(token.text) if token.kind == "quoted" else token.text
    if name in _TIMES:
        raise QueryFault("unsupported", f"the time modifier '{name}' is not run here: the range of the search says it")
    if "*" in name or "::" in name:
        raise QueryFault("unsupported", f"the field name {name!r} is not run here")
    return name


def _unescaped(text: str) -> str:
    return re.sub(r'\\(["\\])', r"\1", text)


def _pattern(token: _Token) -> Pattern:
    r"""A value. A backslash escapes a quotation mark or itself, and never an asterisk (SM "Backslashes")."""
    parts: list[str | None] = []
    for piece in re.split(r'(\\["\\]|\*)', token.text):
        if piece == "*":
            parts.append(None)
        elif piece:
            plain = piece[1:] if re.fullmatch(r'\\["\\]', piece) else piece
            if parts and parts[-1] is not None:
                parts[-1] += plain
            else:
                parts.append(plain)
    return Pattern(tuple(parts))
