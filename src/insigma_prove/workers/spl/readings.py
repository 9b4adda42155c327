"""What the manual leaves open, as settings: the store's `readings` say which way it is read.

So one query can be run both ways, and a result that does not depend on the reading is known not to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from insigma_prove.workers.spl.limits import MAX_STREAM_WINDOW

_CHOICES = {
    "pcre": ("utf-8", "bytes"),
    "lower": ("unicode", "ascii"),
    "streamstats": ("all", "windowed"),
    "lookup_empty": ("absent", "text"),
    "lookup_nothing": ("cleared", "kept"),
}


@dataclass(frozen=True, slots=True)
class Readings:
    """One way of reading the manual.

    `pcre`: whether PCRE sees characters or the bytes of UTF-8. `lower`: whether lower(), upper(), the search command and the
    keys of lookup know letters beyond ASCII. `streamstats`: whether, without a window, it takes all events before, or the last
    10,000: the page says both (SR streamstats, "Description" and "window"). `ties`: a seed by which rows that sort alike are
    shuffled; None keeps them in the order they came in (SR sort promises neither). `lookup_empty`: whether an empty cell that
    lookup puts out makes the field absent or empty text. `lookup_nothing`: whether a field that it has nothing for is cleared
    or keeps what it held. `max_stream_window` is the setting of limits.conf.
    """

    pcre: str = "utf-8"
    lower: str = "unicode"
    streamstats: str = "all"
    ties: int | None = None
    lookup_empty: str = "absent"
    lookup_nothing: str = "cleared"
    max_stream_window: int = MAX_STREAM_WINDOW


def readings_of(store: Mapping[str, Any]) -> Readings:
    """The `readings` and `limits` that a store asks for; the defaults where it has none. Raises ValueError for one there is not."""
    asked = dict(store.get("readings", {}))
    ties = asked.pop("ties", None)
    if ties is not None and not isinstance(ties, int):
        raise ValueError("the reading 'ties' is not a whole number")
    for name, value in asked.items():
        if value not in _CHOICES.get(name, ()):
            raise ValueError(f"there is no reading {name}={value!r}")
    limits = dict(store.get("limits", {}))
    window = limits.pop("max_stream_window", MAX_STREAM_WINDOW)
    if limits or not isinstance(window, int) or window < 1:
        raise ValueError("there is one limit to set, 'max_stream_window', a whole number from 1")
    return Readings(**asked, ties=ties, max_stream_window=window)
