"""What DuckDB gives, as the values that Kusto would give."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from insigma_prove.workers.serve import QueryFault

Row = dict[str, Any]


def row(names: Sequence[str], kinds: Sequence[str], values: Sequence[Any]) -> Row:
    """One row as JSON. `kinds` are the Kusto types that Microsoft's binder promises."""
    return {name: value_of(value, kind) for name, kind, value in zip(names, kinds, values, strict=True)}


def value_of(value: Any, kind: str) -> Any:
    """A value as JSON: a datetime and a timespan as Kusto writes them, a dynamic as what it holds, NaN and the infinities as text."""
    if value is None:
        return "" if kind == "string" else None
    if kind == "dynamic":
        return _dynamic(value)
    if isinstance(value, float | Decimal) and kind in ("long", "int"):
        if value != int(value):
            raise QueryFault("unsupported", f"{value} where Kusto has a {kind}")
        return int(value)
    return _plain(value)


def _dynamic(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    if isinstance(value, list):
        return [_dynamic(item) if isinstance(item, str | list) else _plain(item) for item in value]
    return _plain(value)


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.strftime("%Y-%m-%dT%H:%M:%S") + f".{value.microsecond:06}0Z"
        case timedelta():
            return _timespan(value)
        case float() if not math.isfinite(value):
            return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        case Decimal():
            return float(value)
        case uuid.UUID():
            return str(value)
        case _:
            return value


def _timespan(value: timedelta) -> str:
    microseconds = abs(value) // timedelta(microseconds=1)
    seconds, fraction = divmod(microseconds, 1_000_000)
    days, seconds = divmod(seconds, 86_400)
    text = f"{days}." if days else ""
    text += f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    text += f".{fraction:06}0" if fraction else ""
    return f"-{text}" if value < timedelta(0) else text
