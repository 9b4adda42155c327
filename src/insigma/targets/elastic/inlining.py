"""Tests of looked-up fields that need no look-up: those that a field's few words decide, and lists written into a query.

A list that is known when a rule is compiled is written into Lucene and EQL, which cannot join, as values of the stored field. The
looked-up field has three words: `yes` in the list, its word for a miss outside of it, and `unknown` where the event has no
value to look up; a test of it is made of the places of those words that it holds for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from insigma.bind.model import AllOf, AnyOf, Bound, BoundAny, BoundRule, Column, Negated, OneOf, Refused, Test, tests
from insigma.content.folding import fold
from insigma.content.lookups import NO, UNKNOWN, YES, Found, Held, Lookup
from insigma.content.model import TargetField, TargetMapping
from insigma.content.predicate import Constant, Exists, IsNull, Text, Wildcard

MOST_VALUES = 1024
"""Values of a list that are written into one query: as many clauses as a small node takes ("Search settings")."""

_WHERE = ("detection",)


def looked_up(predicates: Iterable[Bound], others: Iterable[TargetField] = ()) -> tuple[TargetField, ...]:
    """The looked-up fields that the predicates read, and those among `others`, each once, in order."""
    read = [field for predicate in predicates for test in tests(predicate) for field in _read(test)]
    return tuple(dict.fromkeys(field for field in (*read, *others) if field.lookup is not None))


def _read(leaf: Test | OneOf) -> Iterator[TargetField]:
    yield leaf.field
    if isinstance(leaf, Test) and isinstance(leaf.value, Column):
        yield leaf.value.field


def settled(bound: BoundAny) -> BoundAny:
    """The rule without the tests of looked-up fields that hold for each word, or for no word, that the field can be."""
    if isinstance(bound, BoundRule):
        return replace(bound, predicate=_settled(bound.predicate))
    return replace(bound, members=tuple(replace(member, predicate=_settled(member.predicate)) for member in bound.members))


def _settled(predicate: Bound) -> Bound:
    return _changed(predicate, _settled_leaf) if looked_up((predicate,)) else predicate


def _settled_leaf(leaf: Test | OneOf) -> Bound:
    if leaf.field.lookup is None:
        return leaf
    match leaf:
        case Test(value=Exists(wanted)):
            return Constant(wanted)
        case Test(value=IsNull()):
            return Constant(False)
        case _:
            found = {_holds(leaf, word) for word in _words(leaf.field.lookup)}
            return Constant(found.pop() is True) if len(found) == 1 and None not in found else leaf


def _words(lookup: Lookup) -> tuple[str, ...]:
    """All that the field can be; none where that is the table's to say."""
    match lookup.verdict:
        case Held():
            return ()
        case Found(tests=(), missing=missing):
            return (YES, missing, UNKNOWN)
        case Found(missing=missing):
            return (YES, NO, missing, UNKNOWN)
        case _:
            return (YES, NO, UNKNOWN)


def _holds(leaf: Test | OneOf, word: str) -> bool | None:
    """Whether the test holds for the word; None if only a language could say."""
    match leaf:
        case OneOf(values=values):
            return fold(word) in values
        case Test(value=Text(parts=parts)):
            pattern = "".join(re.escape(part) if isinstance(part, str) else ".*" if part is Wildcard.MANY else "." for part in parts)
            return re.fullmatch(pattern, fold(word), re.DOTALL) is not None
        case _:
            return None


def inlined(predicate: Bound, mapping: TargetMapping, language: str) -> Bound:
    """The predicate, settled before, with each list that is looked up written out. Raises `Refused` for whatever else is looked up."""

    def change(leaf: Test | OneOf) -> Bound:
        if leaf.field.lookup is not None:
            return _written_out(leaf, leaf.field.lookup, mapping, language)
        for field in _read(leaf):
            if field.lookup is not None:
                raise _cannot_join(field.lookup, language)
        return leaf

    return _changed(predicate, change) if looked_up((predicate,)) else predicate


def inlined_notes(predicates: Iterable[Bound]) -> tuple[str, ...]:
    """What is said of the lists that the predicates look up, once they are written into a query."""
    return tuple(
        f"list {field.lookup.table} is written into the query as of the build: "
        + (f"rebuild every {field.lookup.refresh} (its refresh)" if field.lookup.refresh else "rebuild when it changes")
        for field in looked_up(predicates)
        if field.lookup is not None
    )


def refuse_lookups(fields: Iterable[TargetField], language: str, where: tuple[str | int, ...]) -> None:
    """Raises `Refused` for a looked-up field among those that a query would have to have as columns."""
    for field in fields:
        if field.lookup is not None:
            raise _cannot_join(field.lookup, language, where)


def _cannot_join(lookup: Lookup, language: str, where: tuple[str | int, ...] = _WHERE) -> Refused:
    return Refused(f"{language} cannot join: '{lookup.field}' is looked up in table {lookup.table}", where)


def _written_out(leaf: Test | OneOf, lookup: Lookup, mapping: TargetMapping, language: str) -> Bound:
    if lookup.values is None or len(lookup.keys) != 1 or not isinstance(lookup.verdict, Found) or lookup.verdict.tests:
        raise _cannot_join(lookup, language)
    if len(lookup.values) > MOST_VALUES:
        raise Refused(
            f"list {lookup.table} has {len(lookup.values)} values, more than the {MOST_VALUES} that are written into one query", _WHERE
        )
    found = [_holds(leaf, word) for word in (YES, lookup.verdict.missing, UNKNOWN)]
    if None in found:
        raise _cannot_join(lookup, language)
    listed = _listed(lookup.keys[0][1], lookup.values, mapping)
    present = _present(lookup.keys[0][1], mapping)
    match found:
        case True, True, _:
            return present
        case True, False, True:
            return _any((listed, _not(present)))
        case True, False, False:
            return listed
        case False, True, True:
            return _not(listed)
        case False, True, False:
            return _all((present, _not(listed)))
        case _:
            return _not(present)


def _key(name: str, mapping: TargetMapping) -> TargetField:
    field = mapping.fields.get(name)
    if field is None:
        raise Refused(f"field '{name}' has no place in the {mapping.target} mapping", _WHERE, unmapped=True)
    if field.array:
        raise Refused(f"a list is looked up by '{name}', which may hold several values", _WHERE)
    if field.type != "keyword" or field.lookup is not None:
        raise Refused(f"a list is looked up by '{name}', which is not stored as text: its values are not written into a query", _WHERE)
    return field


def _listed(name: str, values: Iterable[str], mapping: TargetMapping) -> Bound:
    """That the field is one of the values, in any case. An empty value is in no list."""
    field = _key(name, mapping)
    folded = tuple(dict.fromkeys(fold(value) for value in values if value))
    if len(folded) == 1:
        return Test(field.name, field, name, Text(folded), True)
    return OneOf(field.name, field, name, folded, True) if folded else Constant(False)


def _present(name: str, mapping: TargetMapping) -> Bound:
    """That the field has a value, and not an empty text."""
    field = _key(name, mapping)
    empty = Test(field.name, field, name, Text(()), True)
    return AllOf((Test(field.name, field, name, Exists(True), False), Negated(empty)))


def _changed(predicate: Bound, change: Callable[[Test | OneOf], Bound]) -> Bound:
    """The predicate with each test changed, and without the constants that this brings."""
    match predicate:
        case Test() | OneOf():
            return change(predicate)
        case AllOf(operands):
            return _all(tuple(_changed(operand, change) for operand in operands))
        case AnyOf(operands):
            return _any(tuple(_changed(operand, change) for operand in operands))
        case Negated(operand):
            return _not(_changed(operand, change))
        case _:
            return predicate


def _all(operands: tuple[Bound, ...]) -> Bound:
    return _joined(AllOf, operands, Constant(True), Constant(False))


def _any(operands: tuple[Bound, ...]) -> Bound:
    return _joined(AnyOf, operands, Constant(False), Constant(True))


def _joined(kind: type[AllOf] | type[AnyOf], operands: tuple[Bound, ...], neutral: Constant, deciding: Constant) -> Bound:
    lifted = tuple(each for operand in operands for each in (operand.operands if isinstance(operand, kind) else (operand,)))
    if deciding in lifted:
        return deciding
    kept = tuple(operand for operand in lifted if operand != neutral)
    return kind(kept) if len(kept) > 1 else kept[0] if kept else neutral


def _not(operand: Bound) -> Bound:
    if isinstance(operand, Constant):
        return Constant(not operand.value)
    return operand.operand if isinstance(operand, Negated) else Negated(operand)
