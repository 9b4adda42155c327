"""JSON that is the same bytes for the same data."""

from __future__ import annotations

import json
from typing import Any


def as_json(value: Any) -> str:
    """Sorted keys, two spaces, UTF-8 as it is, a line break at the end."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
