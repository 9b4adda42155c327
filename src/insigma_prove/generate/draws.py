"""Drawing in little time: one strategy for each number of choices, made once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

T = TypeVar("T")


def pick(draw: DrawFn, options: Sequence[T]) -> T:
    """One of the options, all as likely; the first is the plainest, to which Hypothesis shrinks.

    What `sampled_from` does, without a strategy made and checked at every draw.
    """
    return options[draw(_index(len(options)))]


def rarely(draw: DrawFn, one_in: int) -> bool:
    """True once in so many draws."""
    return draw(_index(one_in)) == one_in - 1


@lru_cache(maxsize=1024)
def _index(number: int) -> SearchStrategy[int]:
    return st.integers(0, number - 1)
