"""Percentiles by nearest rank, judged by counting: nothing is sorted and nothing estimated.

The percentile P of n values is the k-th smallest of them, k = max(1, ceil(P * n / 100)). It is at least T exactly if fewer
than k values are below T, and at most T exactly if k or more do not exceed T. For whole c, c < ceil(x) is c < x, so with c
values counted the test is 100 * c < P * n, in whole numbers. For P = 0 the rank is 1: 100 * c < 1 says the same of it.
The windows have at least one value; that is for the caller to see to.
"""

from __future__ import annotations

from dataclasses import dataclass

from insigma.content.model import Bound, Correlation, CorrelationType, CountOperator

PERCENTILES = frozenset({CorrelationType.VALUE_PERCENTILE, CorrelationType.VALUE_MEDIAN})


@dataclass(frozen=True, slots=True)
class Tally:
    """How many values of a window are below `number`, or, with `inclusive`, do not exceed it; `name` tells tallies apart."""

    name: str
    number: int | float
    inclusive: bool

    @property
    def sign(self) -> str:
        """The comparison of a value with the number."""
        return "<=" if self.inclusive else "<"


@dataclass(frozen=True, slots=True)
class RankTest:
    """Whether the tally has come to the rank (`reached`), or has not."""

    tally: Tally
    reached: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """One bound of the condition: all its tests hold, or (`alternatives`) one of them."""

    tests: tuple[RankTest, ...]
    alternatives: bool


def percentile_of(correlation: Correlation) -> int:
    """The percentile that is asked for: the median is the 50th."""
    percentile = correlation.condition.percentile
    return 50 if percentile is None else percentile


def judgements(correlation: Correlation) -> tuple[Judgement, ...]:
    """The condition of a percentile correlation as tests of tallies; all judgements have to hold."""
    return tuple(_judgement(bound, position) for position, bound in enumerate(correlation.condition.bounds, 1))


def tallies(correlation: Correlation) -> tuple[Tally, ...]:
    """The tallies that the judgements read, each once, in order."""
    return tuple(dict.fromkeys(test.tally for judgement in judgements(correlation) for test in judgement.tests))


def clause(judgement: Judgement, percentile: int, counted: str, prefix: str = "") -> str:
    """The judgement as ES|QL and SPL write it. `counted` is the column with the number of values, `prefix` stands before tallies' names."""
    rank = f"{percentile} * {counted}" if percentile else "1"
    tests = [f"100 * {prefix}{test.tally.name} {'>=' if test.reached else '<'} {rank}" for test in judgement.tests]
    return f"({' OR '.join(tests)})" if judgement.alternatives else " AND ".join(tests)


def _judgement(bound: Bound, position: int) -> Judgement:
    below, upto = Tally(f"below_{position}", bound.number, False), Tally(f"upto_{position}", bound.number, True)
    match bound.operator:
        case CountOperator.GTE:
            return Judgement((RankTest(below, False),), False)
        case CountOperator.GT:
            return Judgement((RankTest(upto, False),), False)
        case CountOperator.LTE:
            return Judgement((RankTest(upto, True),), False)
        case CountOperator.LT:
            return Judgement((RankTest(below, True),), False)
        case CountOperator.EQ:
            return Judgement((RankTest(below, False), RankTest(upto, True)), False)
        case CountOperator.NEQ:
            return Judgement((RankTest(below, True), RankTest(upto, False)), True)
