"""What a query reads: the stored fields that it names, and the lookup indices that it joins.

The query is ours, so a scan that knows its string literals is enough; it feeds what Kibana shows to people and changes no
verdict. Sources of the literals: "Query string query", "EQL syntax reference", "ES|QL syntax reference" (Elasticsearch 8.18).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from insigma.content.model import TargetMapping
from insigma.targets.base import Detection

_STRINGS = {
    "lucene": re.compile(r'\\.|"(?:\\.|[^"\\])*"|/(?:\\.|[^/\\])*/', re.DOTALL),
    "eql": re.compile(r'"""(?:[^"]|"(?!""))*"""|"(?:\\.|[^"\\])*"', re.DOTALL),
    "esql": re.compile(r'"""(?:[^"]|"(?!""))*"""|"(?:\\.|[^"\\])*"', re.DOTALL),
}
_WORD = re.compile(r"[A-Za-z_@][A-Za-z0-9_@.-]*", re.ASCII)
_LUCENE_FIELD = re.compile(r"([A-Za-z_@][A-Za-z0-9_@.-]*):|(?<=_exists_:)([A-Za-z_@][A-Za-z0-9_@.-]*)", re.ASCII)
_JOIN = re.compile(r"\bLOOKUP JOIN\s+(insigma-[a-z0-9_]+)", re.ASCII)


def required_fields(detection: Detection, mapping: TargetMapping) -> list[dict[str, str]]:
    """The stored fields that the query names, with their types, by name. Fields that are looked up are not stored."""
    stored = _stored(mapping)
    bare = _bare(detection)
    if detection.language == "lucene":
        words = {name or other for name, other in _LUCENE_FIELD.findall(bare)}
    else:
        words = set(_WORD.findall(bare))
    return [{"name": name, "type": stored[name]} for name in sorted(words & stored.keys())]


def joined_indices(detection: Detection) -> tuple[str, ...]:
    """The lookup indices that an ES|QL query joins, each once, in order."""
    if detection.language != "esql":
        return ()
    return tuple(dict.fromkeys(_JOIN.findall(_bare(detection))))


def _bare(detection: Detection) -> str:
    """The query with every string literal taken out."""
    return _STRINGS[detection.language].sub(" ", detection.query)


def _stored(mapping: TargetMapping) -> Mapping[str, str]:
    """The type of every stored field and of its sub-field in the value's own case."""
    fields = [field for field in mapping.fields.values() if field.lookup is None]
    cased = {field.cased_name: field.type for field in fields if field.cased_name is not None}
    return {**{field.name: field.type for field in fields}, **cased}
