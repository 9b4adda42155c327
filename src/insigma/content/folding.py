"""Simple per-code-point case folding: the one meaning of "ignores case" in Insigma.

Follows the statuses C and S of Unicode's CaseFolding.txt: no locale, no change of length.
"""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=4096)
def _fold_char(char: str) -> str:
    folded = char.casefold()
    if len(folded) == 1:
        return folded
    lowered = char.lower()
    return lowered if len(lowered) == 1 else char


def fold(text: str) -> str:
    """The folded form of `text`, code point by code point, of the same length."""
    if text.isascii():
        return text.lower()
    return "".join(map(_fold_char, text))
