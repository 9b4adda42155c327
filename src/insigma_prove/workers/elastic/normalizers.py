"""Normalizers of keyword fields: a mapping character filter, then the lowercase filter.

Source: "Normalizers", "Mapping character filter" and "Lowercase token filter" of the Elasticsearch 8.18 reference. Lucene's
MappingCharFilter takes the longest key at each place; LowerCaseFilter folds code point by code point.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

Normalizer: TypeAlias = Callable[[str], str]

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_SHORT = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def normalizers(settings: Mapping[str, Any], lower: Callable[[str], str]) -> dict[str, Normalizer]:
    """The normalizers that index settings define, and the built-in `lowercase`. Raises ValueError for what is not modelled.

    `lower` gives the lower case of one code point, as Java has it.
    """
    analysis = settings.get("index", settings).get("analysis", {})
    filters = {name: _char_filter(name, body) for name, body in analysis.get("char_filter", {}).items()}
    folding = _lowercase(lower)
    found: dict[str, Normalizer] = {"lowercase": folding}
    for name, body in analysis.get("normalizer", {}).items():
        steps = [filters[each] for each in _several(body.get("char_filter", []))]
        for each in _several(body.get("filter", [])):
            if each != "lowercase":
                raise ValueError(f"normalizer {name}: filter {each} is not modelled")
            steps.append(folding)
        found[name] = _chained(tuple(steps))
    return found


def _several(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def _chained(steps: tuple[Normalizer, ...]) -> Normalizer:
    known: dict[str, str] = {}

    def normalize(text: str) -> str:
        if text not in known:
            result = text
            for step in steps:
                result = step(result)
            known[text] = result
        return known[text]

    return normalize


def _lowercase(lower: Callable[[str], str]) -> Normalizer:
    known = {chr(code): chr(code + 32) if 65 <= code <= 90 else chr(code) for code in range(128)}

    def fold(char: str) -> str:
        if char not in known:
            known[char] = lower(char)
        return known[char]

    return lambda text: "".join(map(fold, text))


def _char_filter(name: str, body: Mapping[str, Any]) -> Normalizer:
    if body.get("type") != "mapping" or "mappings" not in body:
        raise ValueError(f"char_filter {name} of type {body.get('type')} is not modelled")
    pairs = dict(_pair(rule) for rule in body["mappings"])
    if not pairs:
        return lambda text: text
    pattern = re.compile("|".join(re.escape(key) for key in sorted(pairs, key=lambda key: (-len(key), key))))
    return lambda text: pattern.sub(lambda found: pairs[found.group()], text)


def _pair(rule: str) -> tuple[str, str]:
    """One rule `key => value`; spaces around either are dropped, escapes resolved (MappingCharFilterFactory)."""
    key, arrow, value = rule.partition("=>")
    if not arrow or not key.strip():
        raise ValueError(f"mapping rule {rule!r} is not 'key => value'")
    return _unescaped(key.strip()), _unescaped(value.strip())


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else _SHORT.get(found[2], found[2]), text)
