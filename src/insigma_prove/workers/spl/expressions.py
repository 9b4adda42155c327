r"""The grammar of eval expressions, as eval, where and the like read them.

Operators from the tightest: unary minus; `* / %`; `+ - .`; comparisons, LIKE and IN; NOT; AND; XOR; OR (SM "Boolean
expressions with logical operators", "Order of evaluation"; SR eval, "Operators"). Field names with anything but letters,
digits and underscores stand between single quotes, text between double ones (SR where, "Usage"). In text, a backslash escapes
a quotation mark or itself and `\t` is a tab (SM "Types of expressions"); before other characters it stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from insigma_prove.workers.serve import QueryFault

DEPTH = 200


@dataclass(frozen=True, slots=True)
class Literal:
    """Text, a number or a boolean."""

    value: str | float | bool


@dataclass(frozen=True, slots=True)
class Field:
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """Two operands and an arithmetic operator, `.`, a comparison or LIKE."""

    sign: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Logic:
    """NOT with one operand, AND, OR and XOR with two or more."""

    sign: str
    operands: tuple[Node, ...]


Node: TypeAlias = "Literal | Field | Call | Operation | Logic"

COMPARISONS = ("=", "==", "!=", "<=", ">=", "<", ">")
_TOKEN = re.compile(
    r"""\s*(?:"(?P<text>(?:[^"\\]|\\.)*)"|'(?P<field>[^']*)'|(?P<number>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?![A-Za-z_]))"""
    r"""|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign><=|>=|!=|==|[-+*/%.,=<>()]))""",
    re.DOTALL | re.ASCII,
)
_ESCAPE = re.compile(r'\\(["\\tnr])')
_ESCAPED = {"t": "\t", "n": "\n", "r": "\r"}
_WORDS = frozenset({"AND", "OR", "NOT", "XOR", "LIKE", "IN"})


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    end: int


def parse(source: str) -> Node:
    """The expression. Raises `QueryFault`."""
    parser = _Parser(source)
    found = parser.either()
    parser.finish()
    return found


def parse_assignments(source: str) -> list[tuple[str, Node]]:
    """What eval assigns: `name=expression, name=expression` (SR eval, "Syntax"). Raises `QueryFault`."""
    parser = _Parser(source)
    found: list[tuple[str, Node]] = []
    while not found or parser.accept(","):
        name = parser.target()
        found.append((name, parser.either()))
    parser.finish()
    return found


def _tokens(source: str) -> list[_Token]:
    found: list[_Token] = []
    at, end = 0, len(source.rstrip())
    while at < end:
        match = _TOKEN.match(source, at)
        if match is None or match.lastgroup is None:
            raise QueryFault("parse", f"the expression is malformed at {source[at : at + 40].strip()!r}")
        found.append(_Token(match.lastgroup, match[match.lastgroup], match.end()))
        at = match.end()
    return [*found, _Token("end", "the end", end)]


class _Parser:
    def __init__(self, source: str) -> None:
        self._tokens = _tokens(source)
        self._at = 0
        self._depth = 0

    def _peek(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._tokens[self._at]
        self._at += token.kind != "end"
        return token

    def accept(self, *signs: str) -> str | None:
        """The next operator or word, if it is one of these."""
        token = self._peek()
        if token.kind in ("sign", "name") and token.text in signs:
            return self._take().text
        return None

    def finish(self) -> None:
        if self._peek().kind != "end":
            raise QueryFault("parse", f"the expression is malformed: unexpected {self._peek().text!r}")

    def target(self) -> str:
        token = self._take()
        if token.kind not in ("name", "field", "text") or not token.text or not self.accept("="):
            raise QueryFault("parse", f"eval wants name=expression, not {token.text!r}")
        if "{" in token.text and "}" in token.text and token.kind != "name":
            raise QueryFault("unsupported", "eval to a field name made of another field's value is not run here")
        return token.text

    def either(self) -> Node:
        return self._chain("OR", self._exclusive)

    def _exclusive(self) -> Node:
        return self._chain("XOR", self._both)

    def _both(self) -> Node:
        return self._chain("AND", self._negated)

    def _chain(self, sign: str, operand: Callable[[], Node]) -> Node:
        found = [operand()]
        while self.accept(sign):
            found.append(operand())
        return found[0] if len(found) == 1 else Logic(sign, tuple(found))

    def _negated(self) -> Node:
        self._depth += 1
        if self._depth > DEPTH:
            raise QueryFault("unsupported", f"expressions nested more than {DEPTH} deep are not run here")
        found = Logic("NOT", (self._negated(),)) if self.accept("NOT") else self._compared()
        self._depth -= 1
        return found

    def _compared(self) -> Node:
        left = self._sum()
        if sign := self.accept(*COMPARISONS, "LIKE"):
            return Operation(sign, left, self._sum())
        if self.accept("IN"):
            if not self.accept("("):
                raise QueryFault("parse", "IN wants a list in parentheses")
            return Call("in", (left, *self._arguments()))
        return left

    def _sum(self) -> Node:
        found = self._product()
        while sign := self.accept("+", "-", "."):
            found = Operation(sign, found, self._product())
        return found

    def _product(self) -> Node:
        found = self._unary()
        while sign := self.accept("*", "/", "%"):
            found = Operation(sign, found, self._unary())
        return found

    def _unary(self) -> Node:
        if self.accept("-"):
            return Operation("-", Literal(0.0), self._unary())
        token = self._take()
        match token.kind:
            case "text":
                return Literal(_ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), token.text))
            case "number":
                return Literal(float(token.text))
            case "field":
                return Field(token.text)
            case "name" if token.text not in _WORDS:
                return self._named(token.text)
            case "sign" if token.text == "(":
                found = self.either()
                if not self.accept(")"):
                    raise QueryFault("parse", "a parenthesis of the expression is not closed")
                return found
        raise QueryFault("parse", f"the expression is malformed: unexpected {token.text!r}")

    def _named(self, name: str) -> Node:
        if self.accept("("):
            return Call(name.lower(), self._arguments())
        return Literal(name == "true") if name in ("true", "false") else Field(name)

    def _arguments(self) -> tuple[Node, ...]:
        if self.accept(")"):
            return ()
        found = [self.either()]
        while self.accept(","):
            found.append(self.either())
        if not self.accept(")"):
            raise QueryFault("parse", f"the arguments are not closed: unexpected {self._peek().text!r}")
        return tuple(found)
