"""How many states a range of code points takes inside an automaton over UTF-8, as Lucene builds it (UTF32ToUTF8)."""

from __future__ import annotations

from functools import lru_cache

ASCII = 0x7F

_LAST_OF = {1: 0x7F, 2: 0xDF, 3: 0xEF, 4: 0xF7}
_FIRST_OF = {1: 0x00, 2: 0xC2, 3: 0xE0, 4: 0xF0}
_LAST_BYTE, _FIRST_BYTE = 0xBF, 0x80


@lru_cache(maxsize=4096)
def states_between(low: int, high: int) -> int:
    """The states between the two ends of an edge that takes the code points `low` to `high`, both included."""
    return _split(_encoded(low), _encoded(high)) if high > ASCII else 0


def share_a_byte(high: int, low: int) -> bool:
    """Whether two edges of one state, of which one ends at `high` and the next begins at `low`, begin with the same byte of several."""
    return low > ASCII and _encoded(high)[0] == _encoded(low)[0]


def _encoded(point: int) -> bytes:
    return chr(point).encode("utf-8", "surrogatepass")


def _split(first: bytes, last: bytes) -> int:
    """The states of the range, cut into its beginning, its middle and its end where the leading bytes differ."""
    shared = 0
    if len(first) == len(last):
        while shared < len(first) - 1 and first[shared] == last[shared]:
            shared += 1
        left = len(first) - shared - 1
        if not left:
            return shared
        middle = left if last[shared] - first[shared] > 1 else 0
        return shared + _beginning(first, shared, False) + middle + _end(last, shared, False)
    between = sum(range(len(first), len(last) - 1))
    return _beginning(first, 0, True) + between + _end(last, 0, True)


def _beginning(first: bytes, at: int, rest: bool) -> int:
    """From this sequence on; `rest` says that larger bytes at this place belong to the range too."""
    left = len(first) - at - 1
    if not left:
        return 0
    largest = _LAST_BYTE if at else _LAST_OF[len(first)]
    return 1 + _beginning(first, at + 1, True) + (left if rest and first[at] != largest else 0)


def _end(last: bytes, at: int, rest: bool) -> int:
    """Up to this sequence; `rest` says that smaller bytes at this place belong to the range too."""
    left = len(last) - at - 1
    if not left:
        return 0
    smallest = _FIRST_BYTE if at else _FIRST_OF[len(last)]
    return 1 + _end(last, at + 1, True) + (left if rest and last[at] != smallest else 0)
