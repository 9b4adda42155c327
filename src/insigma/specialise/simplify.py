"""Predicates without constants: what is left when parts of a rule are known to hold, or never to hold."""

from __future__ import annotations

from collections.abc import Callable

from insigma.content.predicate import And, Constant, Keyword, Match, Named, Not, Or, Predicate, conjunction, disjunction

Replace = Callable[[Match | Keyword], Predicate]


def replaced(predicate: Predicate, replace: Replace) -> Predicate:
    """The predicate with every leaf put through `replace`, and constants taken out as far as they decide something."""
    match predicate:
        case And(operands):
            return _joined(tuple(replaced(operand, replace) for operand in operands), neutral=True)
        case Or(operands):
            return _joined(tuple(replaced(operand, replace) for operand in operands), neutral=False)
        case Not(operand):
            inner = replaced(operand, replace)
            return Constant(not inner.value) if isinstance(inner, Constant) else Not(inner)
        case Named(name, operand):
            inner = replaced(operand, replace)
            return inner if isinstance(inner, Constant) else Named(name, inner)
        case Match() | Keyword():
            return replace(predicate)
        case _:
            return predicate


def _joined(operands: tuple[Predicate, ...], *, neutral: bool) -> Predicate:
    """And (where true is neutral) or Or (where false is) of the operands."""
    if Constant(not neutral) in operands:
        return Constant(not neutral)
    kept = tuple(operand for operand in operands if operand != Constant(neutral))
    if not kept:
        return Constant(neutral)
    return conjunction(kept) if neutral else disjunction(kept)
