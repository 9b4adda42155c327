"""Regular expressions of Elasticsearch (Lucene's RegExp), which must match a whole value, from RE2's substring search.

Source: "Regular expression syntax" of the Elasticsearch reference; Lucene's org.apache.lucene.util.automaton.RegExp, whose
optional operators (# @ & < > ~ and quotes) query_string, EQL and ES|QL all leave switched on.
"""

from __future__ import annotations

from dataclasses import dataclass

from insigma.bind.model import Refused
from insigma.content.predicate import Regex, Text, Wildcard
from insigma.targets.elastic import codepoints as points
from insigma.targets.elastic.codepoints import Ranges
from insigma.targets.elastic.effort import ANYTHING, check_expression, check_pattern
from insigma.targets.elastic.re2 import Chain, Chars, Edge, Either, Node, Repeat, parse, unsayable

LONGEST = 1000
"""`index.max_regex_length`, "Index modules" of the Elasticsearch reference."""
MOST_STATES = 10_000
"""`max_determinized_states`, "Query string query" of the Elasticsearch reference."""
MOST_BRANCHES = 64

_SPECIAL = frozenset('.?+*|{}[]()"\\#@&<>~^$')
_CLASS_SPECIAL = frozenset('\\]["^-&~')
_ANY = ".*"
_START, _END = Edge(end=False), Edge(end=True)
_FOLDABLE = 16_384


@dataclass(frozen=True, slots=True)
class _Branch:
    """One alternative of the search: its items, and whether it must start or end where the value does."""

    items: tuple[Node, ...]
    start: bool = False
    end: bool = False


def lucene_regexp(regex: Regex, folded: bool) -> str:
    """The expression that matches exactly the values in which RE2 finds `regex`. Raises `Refused`.

    `folded` says that the column holds folded values only, so upper case need not be asked for.
    """
    node = parse(regex)
    if _states(node) > MOST_STATES:
        raise unsayable(f"repeats that unfold to more than {MOST_STATES} states")
    branches = _branches(_Branch((node,)))
    text = _joined(branches, folded)
    if len(text) > LONGEST:
        reason = f"the regular expression takes {len(text)} characters in Elasticsearch, which accepts {LONGEST} (index.max_regex_length)"
        raise Refused(reason, ("detection",))
    check_expression(_whole(branches, folded))
    return text


def pattern_regexp(text: Text, *, any_case: bool = False) -> str:
    """A wildcard pattern as a regular expression, for languages whose wildcards cannot be escaped; with `any_case` each letter in all
    its cases, for columns that keep them. Raises `Refused` for one that is too long."""
    wild = {Wildcard.MANY: _ANY, Wildcard.ONE: "."}
    spell = _caseless if any_case else _literal
    written = "".join(wild[part] if isinstance(part, Wildcard) else "".join(map(spell, part)) for part in text.parts)
    if len(written) > LONGEST:
        raise Refused(
            f"the pattern takes {len(written)} characters as a regular expression; Elasticsearch accepts {LONGEST}", ("detection",)
        )
    check_pattern(text, any_case=any_case)
    return written


def _joined(branches: list[_Branch], folded: bool) -> str:
    """The branches as one expression over the whole value, what they share at their ends written once."""
    bodies = [_chain(branch.items, folded) for branch in branches]
    if len({(branch.start, branch.end) for branch in branches}) > 1:
        return "|".join(_open(branch, body) for branch, body in zip(branches, bodies, strict=True))
    body = bodies[0] if len(bodies) == 1 else f"({'|'.join(body or '()' for body in bodies)})"
    return _open(branches[0], body) or "()"


def _whole(branches: list[_Branch], folded: bool) -> Node:
    """The branches as a tree over the whole value: what `_joined` writes."""
    opened: list[Node] = []
    for branch in branches:
        items = tuple(_written(item, folded) for item in branch.items)
        before = () if branch.start or items[:1] == (ANYTHING,) else (ANYTHING,)
        after = () if branch.end or (items or before)[-1:] == (ANYTHING,) else (ANYTHING,)
        opened.append(Chain((*before, *items, *after)))
    return opened[0] if len(opened) == 1 else Either(tuple(opened))


def _written(node: Node, folded: bool) -> Node:
    """The node with the sets of characters that `_chars` writes."""
    match node:
        case Chars(ranges):
            inner, negated = _inner(ranges, folded)
            return Chars(points.complement(inner) if negated else inner)
        case Chain(items):
            return Chain(tuple(_written(item, folded) for item in items))
        case Either(branches):
            return Either(tuple(_written(branch, folded) for branch in branches))
        case Repeat(item, low, high):
            return Repeat(_written(item, folded), low, high)
        case Edge():
            return node


def _open(branch: _Branch, body: str) -> str:
    """The body with room around it for the rest of the value."""
    before = "" if branch.start or body.startswith(_ANY) else _ANY
    after = "" if branch.end or ((body or before).endswith(_ANY) and not body.endswith("\\" + _ANY)) else _ANY
    return before + body + after


def _branches(branch: _Branch) -> list[_Branch]:
    """The branch with its outer anchors taken off; alternatives that hold anchors at the edges become branches of their own."""
    items = _flat(branch.items)
    if items[:1] == (_START,):
        return _branches(_Branch(items[1:], True, branch.end))
    if items[-1:] == (_END,):
        return _branches(_Branch(items[:-1], branch.start, True))
    for position in (0, len(items) - 1):
        either = items[position] if items else None
        if isinstance(either, Either) and (len(items) == 1 or _has_edge(either)):
            return _spread(branch, items[:position], either, items[position + 1 :])
    if any(_has_edge(item) for item in items):
        raise unsayable("an anchor inside")
    return [_Branch(items, branch.start, branch.end)]


def _flat(items: tuple[Node, ...]) -> tuple[Node, ...]:
    """The items, those of nested chains among them."""
    flat: list[Node] = []
    for item in items:
        flat.extend(_flat(item.items) if isinstance(item, Chain) else (item,))
    return tuple(flat)


def _spread(branch: _Branch, before: tuple[Node, ...], either: Either, after: tuple[Node, ...]) -> list[_Branch]:
    found: list[_Branch] = []
    for alternative in either.branches:
        found.extend(_branches(_Branch((*before, alternative, *after), branch.start, branch.end)))
    if len(found) > MOST_BRANCHES:
        raise unsayable(f"anchors in more than {MOST_BRANCHES} alternatives")
    return found


def _has_edge(node: Node) -> bool:
    match node:
        case Edge():
            return True
        case Repeat(item, _, _):
            return _has_edge(item)
        case Chain(nodes) | Either(nodes):
            return any(_has_edge(inner) for inner in nodes)
        case Chars():
            return False


def _states(node: Node) -> int:
    """About how many states the automaton has before it is determinised."""
    match node:
        case Repeat(item, low, high):
            return max(1, low, high or 0) * _states(item)
        case Chain(nodes) | Either(nodes):
            return 1 + sum(_states(inner) for inner in nodes)
        case _:
            return 1


def _chain(items: tuple[Node, ...], folded: bool) -> str:
    return "".join(f"({_write(item, folded)})" if isinstance(item, Either) else _write(item, folded) for item in items)


def _write(node: Node, folded: bool) -> str:
    match node:
        case Chars(ranges):
            return _chars(ranges, folded)
        case Chain(items):
            return _chain(items, folded) or "()"
        case Either(branches):
            return "|".join(_write(branch, folded) for branch in branches)
        case Repeat(item, low, high):
            inner = _write(item, folded)
            return (inner if isinstance(item, Chars) else f"({inner})") + _quantifier(low, high)
        case Edge():
            raise unsayable("an anchor inside")


def _quantifier(low: int, high: int | None) -> str:
    named = {(0, None): "*", (1, None): "+", (0, 1): "?"}.get((low, high))
    if named is not None:
        return named
    return f"{{{low}}}" if low == high else f"{{{low},{'' if high is None else high}}}"


def _chars(ranges: Ranges, folded: bool) -> str:
    """A set of characters: `.`, a literal or a class, whichever says it shortest."""
    inner, negated = _inner(ranges, folded)
    if not inner:
        return "." if negated else "#"
    if not negated and points.size(inner) == 1:
        return _literal(chr(inner[0][0]))
    return ("[^" if negated else "[") + "".join(_range(low, high) for low, high in inner) + "]"


def _inner(ranges: Ranges, folded: bool) -> tuple[Ranges, bool]:
    """What stands between the brackets, and whether it is what the set leaves out."""
    negated = bool(ranges) and ranges[-1][1] == points.LAST
    inner = points.complement(ranges) if negated else ranges
    return points.folded_only(inner) if folded and points.size(inner) <= _FOLDABLE else inner, negated


def _range(low: int, high: int) -> str:
    if high - low < 2:
        return "".join(_class_literal(chr(point)) for point in range(low, high + 1))
    return f"{_class_literal(chr(low))}-{_class_literal(chr(high))}"


def _class_literal(char: str) -> str:
    return "\\" + char if char in _CLASS_SPECIAL else char


def _caseless(char: str) -> str:
    return _chars(points.caseless(((ord(char), ord(char)),)), folded=False)


def _literal(char: str) -> str:
    return "\\" + char if char in _SPECIAL else char
