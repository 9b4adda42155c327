"""Names: of fields, aliases and rules. On rules of the default taxonomy any field name goes as far as the target's quoting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given

from insigma.content.model import TargetField
from tests.injection.lexers import Shape
from tests.injection.rules import (
    ASKED,
    ATTACKS,
    SETTINGS,
    compiled,
    detected,
    document,
    hostile,
    made,
    read,
    shape,
    the_pack,
)

HARMLESS = ("name", "some.name", "Some Name", "some-name", "Some_Name9", "some.name-x y", "@name")

Documents = Sequence[Mapping[str, Any]]


def _correlated(**body: Any) -> Documents:
    """A count over two open rules, one of them named by `rule`, with the parts of `body`."""
    name = body.pop("rule", "base")
    bases = [
        document(rule, number, "sigma", detection={"s": {"query": rule_value}, "condition": "s"})
        for number, (rule, rule_value) in enumerate(((name, "x"), ("other", "y")), 1)
    ]
    default = {"type": "event_count", "rules": [name, "other"], "timespan": "10m", "condition": {"gte": 3}, "group-by": ["user"]}
    return (*bases, document("count", 9, "sigma", correlation={**default, **body}))


def _aliased(alias: str, field: str) -> Mapping[str, Any]:
    return {"group-by": [alias], "aliases": {alias: {"base": field, "other": "user"}}}


PLACES: dict[str, Callable[[str], Documents]] = {
    "detection": lambda name: (detected({name: "word"}, taxonomy="sigma"),),
    "contains": lambda name: (detected({f"{name}|contains": "word"}, taxonomy="sigma"),),
    "negation": lambda name: (document(taxonomy="sigma", detection={"s": {"x": 1}, "f": {name: "word"}, "condition": "s and not f"}),),
    "null": lambda name: (detected({name: None}, taxonomy="sigma"),),
    "expression": lambda name: (detected({f"{name}|re": "wo.d"}, taxonomy="sigma"),),
    "s6 fieldref": lambda name: (detected({"user|fieldref": name}, taxonomy="sigma"),),
    "s6 fieldref startswith": lambda name: (detected({f"{name}|fieldref|startswith": "user"}, taxonomy="sigma"),),
    "s5 group-by": lambda name: _correlated(**{"group-by": [name]}),
    "s5 second group-by": lambda name: _correlated(**{"group-by": ["user", name]}),
    "s5 counted field": lambda name: _correlated(type="value_count", condition={"gte": 2, "field": name}),
    "summed field": lambda name: _correlated(type="value_sum", condition={"gte": 2, "field": name}),
    "alias": lambda name: _correlated(**_aliased(name, "account")),
    "aliased field": lambda name: _correlated(**_aliased("who", name)),
    "temporal group-by": lambda name: _correlated(**{"type": "temporal", "condition": {"gte": 2}, "group-by": [name]}),
    "ordered group-by": lambda name: _correlated(**{"type": "temporal_ordered", "condition": None, "group-by": [name]}),
    "name of a rule": lambda name: _correlated(rule=name, type="temporal", condition={"gte": 2}),
    "s4 fields": lambda name: (detected({"user": "word"}, taxonomy="sigma", fields=["user", name]),),
    "s4 fields of the pack": lambda name: (detected({"user.name": "word"}, fields=["user.name", name]),),
}


@cache
def _harmless(place: str, target: str, language: str) -> frozenset[Shape]:
    found = (made(target, language, *_without_none(PLACES[place](name))) for name in HARMLESS)
    return frozenset(shape(one.detection) for one in found if one is not None and one.detection is not None)


def _without_none(documents: Documents) -> Documents:
    """temporal_ordered has no condition."""
    return [
        {key: {k: v for k, v in part.items() if v is not None} if key == "correlation" else part for key, part in one.items()}
        for one in documents
    ]


@pytest.mark.parametrize(("target", "language"), ASKED)
@pytest.mark.parametrize("place", PLACES)
def test_a_name_changes_nothing_but_names(place: str, target: str, language: str) -> None:
    shapes = _harmless(place, target, language)

    @SETTINGS
    @given(hostile())
    def same(name: str) -> None:
        found = made(target, language, *_without_none(PLACES[place](name)))
        if found is not None and found.detection is not None:
            assert shape(found.detection) in shapes, found.detection.query
            assert not any(set(column) & set('|"\n\r`[]\\') for column in found.detection.group_fields)

    same()


@pytest.mark.parametrize(("target", "language"), ASKED)
def test_a_mapping_cannot_smuggle_a_name_either(target: str, language: str) -> None:
    """A customer's mapping is data too: the name by which a field is stored is quoted or refused."""
    pack = the_pack()
    rule = read([detected({"user.name|contains": "word", "host.name": "x"})], {})
    assert rule is not None
    mapping = pack.mappings[target]
    harmless = compiled(target, language, rule, mapping, pack.taxonomy)
    assert harmless is not None
    for name in (*ATTACKS, "x' | delete | eval y='", 'User" | delete | stats count by "x', "User | delete"):
        field = TargetField(name, mapping.fields["user.name"].type, mapping.fields["user.name"].case)
        changed = replace(mapping, fields=MappingProxyType({**mapping.fields, "user.name": field}))
        found = compiled(target, language, rule, changed, pack.taxonomy)
        if found is not None:
            assert shape(found) == shape(harmless), found.query


@pytest.mark.parametrize(("target", "language"), ASKED)
def test_what_stands_around_the_detection_is_not_in_the_query(target: str, language: str) -> None:
    """S7 and its like: titles, descriptions, tags, authors."""
    plain = made(target, language, detected({"user.name": "word"}))
    assert plain is not None
    for text in ATTACKS:
        parts = {"title": text, "description": text, "author": text, "falsepositives": [text], "references": [text], "tags": [f"x.{text}"]}
        found = made(target, language, detected({"user.name": "word"}, **parts))
        if found is not None and found.detection is not None and plain.detection is not None:
            assert found.detection.query == plain.detection.query
