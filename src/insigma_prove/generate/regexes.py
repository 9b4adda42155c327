"""Strategies for regular expressions in RE2 syntax, each with a text that it matches."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from insigma_prove.generate import alphabet
from insigma_prove.generate.draws import pick, rarely

_REPEATS = (("", 1), ("", 1), ("", 1), ("", 1), ("*", 0), ("*", 2), ("+", 2), ("?", 0), ("{0,2}", 1), ("{1,3}", 3), ("{2}", 2), ("*?", 1))


@st.composite
def _pieces(draw: DrawFn, depth: int) -> tuple[str, str]:
    """An atom or a group, perhaps repeated."""
    kind = pick(draw, ("atom", "atom", "atom", "group", "choice")) if depth else "atom"
    if kind == "atom":
        written, hit = pick(draw, alphabet.REGEX_ATOMS)
    else:
        opening = pick(draw, ("(", "(?:"))
        alternatives = draw(st.lists(_runs(depth - 1), min_size=1, max_size=1 if kind == "group" else 2))
        written = f"{opening}{'|'.join(alternative for alternative, _ in alternatives)})"
        hit = pick(draw, alternatives)[1]
    repeat, times = pick(draw, _REPEATS)
    if repeat and len(written) > 1 and kind == "atom" and written[0] not in "[\\":
        written = f"(?:{written})"
    return written + repeat, hit * times


def _runs(depth: int) -> SearchStrategy[tuple[str, str]]:
    return st.lists(_pieces(depth), min_size=1, max_size=3).map(
        lambda parts: ("".join(one for one, _ in parts), "".join(hit for _, hit in parts))
    )


@st.composite
def regexes(draw: DrawFn) -> tuple[str, str]:
    """An expression and a text in which it is found."""
    written, hit = draw(_runs(2))
    start, end = pick(draw, (("", ""), ("", ""), ("^", ""), ("", "$"), ("^", "$"), ("\\A", "\\z")))
    written = start + written + end
    if rarely(draw, 10):
        other, _ = draw(_runs(1))
        written = f"{written}|{other}"
    if rarely(draw, 13):
        written = f"(?i){written}"
    around = "" if start and end else pick(draw, ("", "z", "\n"))
    return written, (hit if start else around + hit) + ("" if end else around)
