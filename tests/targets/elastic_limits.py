"""Patterns on both sides of what Lucene determinises: how each is written for a size, and the first size that a node gave up on.

Measured on a node (`tests/prove/workers/test_opensearch.py` asks it again) with the query strings that the target writes.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

FIELD = "insurance.claim.status"
"""A string field, stored in lower case."""


def _cjk(size: int) -> str:
    chance = random.Random(1)
    return "".join(chr(chance.randint(0x4E00, 0x9FFF)) for _ in range(size))


def _words(size: int) -> str:
    chance = random.Random(1)
    return "*".join("".join(chance.choice("etaoinshrdlu") for _ in range(chance.randint(2, 8))) for _ in range(size))


@dataclass(frozen=True, slots=True)
class Limit:
    """Selections `{FIELD|modifiers: write(size)}`. `fails` is the first size that is too much.

    `fine` is the last that is taken by all languages: a wildcard is one state longer than the prefix that Lucene makes of `x*`.
    """

    modifiers: str
    write: Callable[[int], str]
    fails: int
    shorter: int = 1

    @property
    def fine(self) -> int:
        return self.fails - self.shorter

    def selection(self, size: int) -> dict[str, Any]:
        return {FIELD + self.modifiers: self.write(size)}


LIMITS = {
    "contains, one letter": Limit("|contains", lambda size: "x" * size, 315),
    "contains, two letters": Limit("|contains", lambda size: ("ab" * size)[:size], 444),
    "contains, three bytes a letter": Limit("|contains", _cjk, 1574),
    "endswith, one letter": Limit("|endswith", lambda size: "x" * size, 446),
    "endswith, two letters": Limit("|endswith", lambda size: ("ab" * size)[:size], 630),
    "startswith": Limit("|startswith", lambda size: "x" * size, 1001, shorter=2),
    "startswith, three bytes a letter": Limit("|startswith", lambda size: "\u65e5" * size, 334),
    "any letter, at the start": Limit("", lambda size: f"a{'?' * size}b", 999),
    "any letter, inside": Limit("|contains", lambda size: f"a{'?' * size}b", 12),
    "any letter, near the end": Limit("|endswith", lambda size: f"a{'?' * size}b", 13),
    "any letter, inside, three bytes a letter": Limit("|contains", lambda size: f"\u65e5{'?' * size}\u65e5", 10),
    "words in order": Limit("|contains", _words, 39),
    "re, a class repeated": Limit("|re|i", lambda size: f"[a-z]{{{size}}}", 315),
    "re, a class left out, repeated": Limit("|re|i|s", lambda size: f"[^a]{{{size}}}", 315),
    "re, a class some times": Limit("|re|i", lambda size: f"q[a-z]{{1,{size}}}x", 12),
    "re, anchored, two runs": Limit("|re|i", lambda size: f"^[ab]{{{size}}}[0-9]{{500}}$", 501),
}
