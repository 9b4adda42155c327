"""The condition grammar: `not` binds tighter than `and`, `and` tighter than `or`; `1 of x*`, `all of them`; parentheses.

Input: the text of a condition. Output: a tree of `Expression`s, or `ConditionError` with the offset of the fault.
pySigma's own grammar reads `notsel` as `not sel` and drops a selector that matches nothing, both without a word, and
knows no columns; this one is compared with it on the public rules (tests/content/test_condition.py).
Source: Sigma specification 2.1, "Condition".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_TOKEN = re.compile(r"\s*(?:(?P<word>[A-Za-z0-9_*?.-]+)|(?P<mark>[()])|(?P<bad>\S))")
_OPERATORS = frozenset({"and", "or", "not", "of", "them"})
_QUANTIFIERS = {"1": "or", "any": "or", "all": "and"}


class ConditionError(Exception):
    """What is wrong with a condition, where (offset from 0), and what to do."""

    def __init__(self, message: str, offset: int, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Expression:
    """`operator` is "and", "or", "not" (over `operands`), "name" or "select" (over `name`, a pattern; `quantifier` "and"/"or")."""

    operator: str
    operands: tuple[Expression, ...] = ()
    name: str = ""
    quantifier: str = ""
    offset: int = 0


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    offset: int


def parse_condition(text: str) -> Expression:
    """The tree of a condition. Raises `ConditionError`."""
    parser = _Parser(_tokens(text), len(text))
    expression = parser.alternatives(0)
    leftover = parser.peek()
    if leftover is not None:
        raise ConditionError(f"'{leftover.text}' is not expected here", leftover.offset, _hint(leftover.text))
    return expression


def _hint(word: str) -> str:
    if word == ")":
        return "a parenthesis is closed that was not opened"
    lowered = word.lower()
    if lowered in {"and", "or", "not", "of"} and word != lowered:
        return f"operators are lower case: '{lowered}'"
    return "join selections with 'and' or 'or'"


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        assert match is not None
        bad = match["bad"]
        if bad is not None:
            hint = (
                "the pipe of old Sigma aggregations: write a correlation instead"
                if bad == "|"
                else "conditions hold names, operators and parentheses"
            )
            raise ConditionError(f"'{bad}' is not part of the condition language", match.start("bad"), hint)
        group = "word" if match["word"] is not None else "mark"
        tokens.append(_Token(match[group], match.start(group)))
        position = match.end()
    return tokens


class _Parser:
    """Recursive descent over the tokens, with a bound on nesting."""

    MAX_NESTING = 50

    def __init__(self, tokens: Sequence[_Token], length: int) -> None:
        self._tokens = tokens
        self._next = 0
        self._length = length

    def peek(self) -> _Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _accept(self, word: str) -> bool:
        token = self.peek()
        if token is None or token.text != word:
            return False
        self._next += 1
        return True

    def alternatives(self, depth: int) -> Expression:
        return self._chain("or", depth)

    def _chain(self, operator: str, depth: int) -> Expression:
        operands = [self._operand_of(operator, depth)]
        while self._accept(operator):
            operands.append(self._operand_of(operator, depth))
        return operands[0] if len(operands) == 1 else Expression(operator, tuple(operands), offset=operands[0].offset)

    def _operand_of(self, operator: str, depth: int) -> Expression:
        return self._chain("and", depth) if operator == "or" else self._negation(depth)

    def _negation(self, depth: int) -> Expression:
        token = self.peek()
        offset = token.offset if token is not None else self._length
        if depth > self.MAX_NESTING:
            raise ConditionError(f"nested more than {self.MAX_NESTING} deep", offset)
        if self._accept("not"):
            return Expression("not", (self._negation(depth + 1),), offset=offset)
        if self._accept("("):
            inner = self.alternatives(depth + 1)
            if not self._accept(")"):
                raise ConditionError("the parenthesis is not closed", offset, "add ')'")
            return inner
        return self._selection()

    def _selection(self) -> Expression:
        token = self.peek()
        if token is None:
            raise ConditionError("the condition ends where a selection is expected", self._length)
        following = self._tokens[self._next + 1] if self._next + 1 < len(self._tokens) else None
        if following is not None and following.text == "of":
            return self._selector(token)
        if token.text in _OPERATORS or token.text == ")":
            raise ConditionError(f"'{token.text}' stands where a selection is expected", token.offset)
        if "*" in token.text or "?" in token.text:
            raise ConditionError(f"the pattern '{token.text}' needs '1 of' or 'all of' before it", token.offset)
        self._next += 1
        return Expression("name", name=token.text, offset=token.offset)

    def _selector(self, quantifier: _Token) -> Expression:
        if quantifier.text not in _QUANTIFIERS:
            raise ConditionError(f"'{quantifier.text} of' is not a quantifier", quantifier.offset, "write '1 of', 'any of' or 'all of'")
        self._next += 2
        pattern = self.peek()
        if pattern is None or (pattern.text in _OPERATORS - {"them"}) or pattern.text in "()":
            offset = pattern.offset if pattern is not None else self._length
            raise ConditionError("a selection pattern or 'them' is expected after 'of'", offset)
        self._next += 1
        return Expression("select", name=pattern.text, quantifier=_QUANTIFIERS[quantifier.text], offset=quantifier.offset)


def select(pattern: str, names: Sequence[str]) -> tuple[str, ...]:
    """The selections that a selector's pattern means, in order: `them` is all, and names with a leading `_` want a pattern with one."""
    if pattern == "them":
        return tuple(name for name in names if not name.startswith("_"))
    expression = re.compile("".join(".*" if char == "*" else re.escape(char) for char in pattern), re.DOTALL)
    return tuple(name for name in names if expression.fullmatch(name) and (pattern.startswith("_") or not name.startswith("_")))
