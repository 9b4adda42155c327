"""Events made from a rule: some that it matches, in random case, and near misses made by changing those.

`synthesise` solves the predicate tree: it picks branches and gives each field a value that satisfies its leaves. What it
gives is only a proposal; the evaluator says which events match.
"""

from __future__ import annotations

import ipaddress
import random
import re
import string
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from re import _parser  # type: ignore[attr-defined]  # Python's own parser of expressions has no public name
from typing import Any, TypeAlias

from insigma.content.folding import fold
from insigma.content.model import Rule
from insigma.content.predicate import (
    And,
    Boolean,
    Cidr,
    Compare,
    Comparison,
    Constant,
    Exists,
    FieldRef,
    IsNull,
    Keyword,
    Match,
    Named,
    Not,
    Number,
    Or,
    Predicate,
    Regex,
    Text,
    TimePart,
    TimeUnit,
    Wildcard,
)
from insigma.evaluate.events import milliseconds

Event: TypeAlias = dict[str, Any]

_LETTERS = string.ascii_letters + string.digits
_MOST_REPEATS = 3


class _Unsolved(Exception):
    """This way through the predicate has no solution that we can find."""


def synthesise(rule: Rule, seed: int, positives: int = 3, mutations: int = 6) -> list[Event]:
    """Up to `positives` events meant to match the rule, and `mutations` changed ones of each or of nothing. Same seed, same events."""
    chance = random.Random(seed)
    found: list[Event] = []
    for _ in range(positives):
        event: Event = {}
        try:
            _satisfy(rule.predicate, True, event, chance)
        except _Unsolved:
            continue
        found.append(event)
    mutated = [_mutated(chance.choice(found), chance) for _ in range(mutations)] if found else []
    return [*found, *mutated, {}]


def _satisfy(predicate: Predicate, wanted: bool, event: Event, chance: random.Random) -> None:
    match predicate:
        case Named(_, operand):
            _satisfy(operand, wanted, event, chance)
        case Not(operand):
            _satisfy(operand, not wanted, event, chance)
        case And(operands) | Or(operands):
            if isinstance(predicate, And) is wanted:
                for operand in sorted(operands, key=_rank):
                    _satisfy(operand, wanted, event, chance)
            else:
                _satisfy_one(operands, wanted, event, chance)
        case Match(field, value):
            if wanted:
                _assign(field, value, event, chance)
            elif isinstance(value, IsNull) or value == Exists(False):
                event.setdefault(field, _word(chance))
        case Keyword(value):
            if wanted:
                event["message"] = f"{event.get('message', '')}{_value(value, None, chance)}"
        case Constant(value):
            if value is not wanted:
                raise _Unsolved


def _satisfy_one(operands: Sequence[Predicate], wanted: bool, event: Event, chance: random.Random) -> None:
    for operand in chance.sample(operands, len(operands)):
        trial = dict(event)
        try:
            _satisfy(operand, wanted, trial, chance)
        except _Unsolved:
            continue
        event.update(trial)
        return
    raise _Unsolved


def _rank(predicate: Predicate) -> int:
    """When an operand is solved: texts with room on both sides first, then those bound to an end, then whole values.

    What only takes values away comes last, when the others have given theirs.
    """
    match predicate:
        case Not():
            return 3
        case Match(_, Text(parts)):
            return sum(not parts or parts[side] is not Wildcard.MANY for side in (0, -1))
        case _:
            return 1


def _assign(field: str, value: Any, event: Event, chance: random.Random) -> None:
    if isinstance(value, IsNull) or value == Exists(False):
        if event.get(field) is not None:
            raise _Unsolved
        event[field] = None
        return
    if isinstance(value, FieldRef):
        event.setdefault(value.field, _word(chance))
        event[field] = _recased(str(event[value.field]), value.cased, chance)
        return
    known = event.get(field)
    event[field] = _joined(known, value, chance) if isinstance(known, str) and isinstance(value, Text) else _value(value, known, chance)


def _joined(known: str, text: Text, chance: random.Random) -> str:
    """One value for two patterns of a field (as `contains|all` asks), where wildcards leave room for both."""
    made = _filled(text, chance)
    if text.literal is not None:
        return made
    begins = not text.parts or text.parts[0] is not Wildcard.MANY
    return made + known if begins else known + made


def _value(value: Any, known: Any, chance: random.Random) -> Any:
    match value:
        case Text():
            return _recased(_filled(value, chance), value.cased, chance)
        case Number(number):
            return chance.choice([number, str(number)])
        case Boolean(flag):
            return flag
        case Compare(operator, number):
            return number + {Comparison.LT: -1, Comparison.LTE: 0, Comparison.GT: 1, Comparison.GTE: 0}[operator]
        case Regex():
            return _recased(_matching(value.pattern, chance), not value.ignore_case, chance)
        case Cidr(network):
            return _address(network, chance)
        case TimePart(unit, number):
            return _time(unit, number, known)
        case Exists():
            return known if known is not None else _word(chance)
        case _:
            raise _Unsolved


def _filled(text: Text, chance: random.Random) -> str:
    """The pattern with its wildcards filled by letters and digits."""
    pieces = []
    for part in text.parts:
        if part is Wildcard.MANY:
            pieces.append(_word(chance) if chance.random() < 0.7 else "")
        elif part is Wildcard.ONE:
            pieces.append(chance.choice(_LETTERS))
        else:
            pieces.append(part)
    return "".join(pieces)


def _word(chance: random.Random) -> str:
    return "".join(chance.choices(_LETTERS, k=chance.randint(1, 5)))


def _recased(text: str, cased: bool, chance: random.Random) -> str:
    if cased:
        return text
    upper, lower = ("".join(map(change, text)) for change in (_upper, _lower))
    return chance.choice([text, upper, lower, "".join(chance.choice([_upper(char), _lower(char)]) for char in text)])


def _upper(char: str) -> str:
    """The capital letter, where it is one character and no other letter to a rule (`ß` has none such)."""
    return char.upper() if fold(char.upper()) == fold(char) else char


def _lower(char: str) -> str:
    return char.lower() if fold(char.lower()) == fold(char) else char


def _time(unit: TimeUnit, number: int, known: Any) -> str:
    """A time with that part, else as the known one. It begins in 2020, a leap year of 53 weeks."""
    start = milliseconds(known) if known is not None else None
    moment = datetime(2020, 1, 15, 10, tzinfo=UTC) if start is None else datetime.fromtimestamp(start / 1000, UTC)
    try:
        if unit is TimeUnit.WEEK:
            year, _, weekday = moment.isocalendar()
            return datetime.combine(datetime.fromisocalendar(year, number, weekday), moment.timetz()).isoformat()
        parts: dict[str, Any] = {unit.value: number}
        return moment.replace(**parts).isoformat()
    except ValueError:
        raise _Unsolved from None


def _address(network: str, chance: random.Random) -> str:
    try:
        parsed = ipaddress.ip_network(network, strict=False)
    except ValueError:
        raise _Unsolved from None
    return str(parsed[chance.randrange(min(parsed.num_addresses, 65_536))])


def _matching(pattern: str, chance: random.Random) -> str:
    """A text in which the expression is found, by walking Python's own parse of it."""
    try:
        return "".join(_pieces(_parser.parse(pattern), chance))
    except (re.error, OverflowError):
        raise _Unsolved from None


def _pieces(tree: Any, chance: random.Random) -> Iterator[str]:
    for operator, argument in tree:
        name = str(operator)
        if name == "LITERAL":
            yield chr(argument)
        elif name in ("NOT_LITERAL", "ANY"):
            yield chance.choice([char for char in _LETTERS if name == "ANY" or char != chr(argument)])
        elif name == "IN":
            yield _of_class(argument, chance)
        elif name == "BRANCH":
            yield from _pieces(chance.choice(argument[1]), chance)
        elif name == "SUBPATTERN":
            yield from _pieces(argument[3], chance)
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            least, most, repeated = argument
            for _ in range(chance.randint(least, min(most, least + _MOST_REPEATS))):
                yield from _pieces(repeated, chance)
        elif name != "AT":
            raise _Unsolved


def _of_class(members: Any, chance: random.Random) -> str:
    """A character of a class: letters and digits first, else whatever it holds."""
    inside = {char for char in map(chr, range(32, 127)) if any(_holds(member, char) for member in members)}
    if members and str(members[0][0]) == "NEGATE":
        inside = {char for char in map(chr, range(32, 127)) if not any(_holds(member, char) for member in members[1:])}
    if not inside:
        for name, argument in members:
            if str(name) == "LITERAL":
                return chr(argument)
        raise _Unsolved
    return chance.choice(sorted(inside))


def _holds(member: Any, char: str) -> bool:
    name, argument = str(member[0]), member[1]
    if name == "LITERAL":
        return chr(argument) == char
    if name == "RANGE":
        return bool(argument[0] <= ord(char) <= argument[1])
    if name != "CATEGORY":
        return False
    kinds = {"DIGIT": char.isdigit(), "SPACE": char.isspace(), "WORD": char.isalnum() or char == "_"}
    kind = str(argument).removeprefix("CATEGORY_")
    return kinds.get(kind.removeprefix("NOT_"), False) is not kind.startswith("NOT_")


def _mutated(event: Mapping[str, Any], chance: random.Random) -> Event:
    """The event with one thing changed: a field gone, null, given another value, or a character more, less or other."""
    changed = dict(event)
    if not changed:
        return changed
    field = chance.choice(sorted(changed))
    value = changed[field]
    match chance.randrange(6):
        case 0:
            del changed[field]
        case 1:
            changed[field] = None
        case 2:
            changed[field] = _word(chance)
        case 3:
            changed[field] = f"{value}{chance.choice(_LETTERS)}"
        case 4:
            changed[field] = f"{chance.choice(_LETTERS)}{value}"
        case _:
            text = str(value)
            spot = chance.randrange(len(text)) if text else 0
            changed[field] = text[:spot] + chance.choice(_LETTERS) + text[spot + 1 :]
    return changed


def as_events(made: Sequence[Event], logsource: str) -> list[Event]:
    """The events with a time and the log source that the rule is about, one second apart."""
    return [
        {"@timestamp": f"2026-02-14T10:00:{second:02d}.000Z", "insurance.logsource": logsource, **event}
        for second, event in enumerate(made)
    ]
