"""Counting decides about a percentile as sorting does."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigma.content.model import Bound, Correlation, CorrelationCondition, CorrelationType, CountOperator
from insigma.targets.ranks import clause, judgements, percentile_of, tallies
from tests.targets.elastic_harness import bound_correlation

NUMBERS = st.integers(-3, 3).map(lambda half: half / 2)


def percentile_correlation(bounds: tuple[Bound, ...], percentile: int | None) -> Correlation:
    body = "type: value_median\nrules: [view]\ntimespan: 1h\ncondition: {gte: 1, field: insurance.record_count}"
    kind = CorrelationType.VALUE_MEDIAN if percentile is None else CorrelationType.VALUE_PERCENTILE
    condition = CorrelationCondition(bounds, ("insurance.record_count",), percentile)
    return replace(bound_correlation(body).correlation, type=kind, condition=condition)


def by_counting(correlation: Correlation, values: list[float]) -> bool:
    """The clauses as a target would run them, over the tallies that it would have counted."""
    counted: dict[str, Any] = {"n": len(values)}
    for tally in tallies(correlation):
        counted[f"t_{tally.name}"] = sum(value <= tally.number if tally.sign == "<=" else value < tally.number for value in values)
    texts = [clause(judgement, percentile_of(correlation), "n", "t_") for judgement in judgements(correlation)]
    return all(eval(text.replace(" AND ", " and ").replace(" OR ", " or "), {}, counted) for text in texts)


@given(
    st.lists(NUMBERS, min_size=1, max_size=12),
    st.lists(st.tuples(st.sampled_from(CountOperator), NUMBERS), min_size=1, max_size=3),
    st.none() | st.integers(0, 100),
)
def test_counting_decides_as_sorting_does(values: list[float], bounds: list[tuple[CountOperator, float]], percentile: int | None) -> None:
    correlation = percentile_correlation(tuple(Bound(*bound) for bound in bounds), percentile)
    rank = max(1, ceil((50 if percentile is None else percentile) * len(values) / 100))
    nearest = sorted(values)[rank - 1]
    assert by_counting(correlation, values) is all(bound.holds(nearest) for bound in correlation.condition.bounds)


@pytest.mark.parametrize(
    ("percentile", "expected"), [(95, "100 * below_1 < 95 * n"), (0, "100 * below_1 < 1"), (None, "100 * below_1 < 50 * n")]
)
def test_the_rank_is_compared_in_whole_numbers(percentile: int | None, expected: str) -> None:
    correlation = percentile_correlation((Bound(CountOperator.GTE, 0.1),), percentile)
    (judgement,) = judgements(correlation)
    assert clause(judgement, percentile_of(correlation), "n") == expected
