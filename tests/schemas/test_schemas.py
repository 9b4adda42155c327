"""The schemas are schemas, take what they must, and the quick test agrees with jsonschema."""

from __future__ import annotations

import copy
import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

from insigma.checks.schema_faults import faults
from insigma.content.yaml_reader import Document, read_file
from insigma.diagnostics.model import Diagnostic, Place
from insigma.diagnostics.render import Format, Report, render
from insigma.schemas import NAMES, load
from insigma.schemas.quick import compile_schema, repeats

BASE = "https://raw.githubusercontent.com/insigma/insigma/main/src/insigma/schemas/"
ROOT = Path(__file__).resolve().parents[2]
ODD_VALUES = (
    None,
    True,
    False,
    0,
    1,
    -1,
    1.0,
    1.5,
    "",
    "x",
    "none",
    "2026-01-01",
    [],
    ["a", "a"],
    [1, True],
    [None],
    {},
    {"a": 1},
    {"a": ["b"]},
)
ODD_KEYS = ("every", "repeat", "kind", "at", "unknown", "a b", "")


def validator(name: str) -> jsonschema.Draft202012Validator:
    schemas = [load(known) for known in NAMES]
    registry: Registry[Any] = Registry().with_resources((schema["$id"], Resource.from_contents(schema)) for schema in schemas)
    return jsonschema.Draft202012Validator(load(name), registry=registry)


def kind(document: Document) -> str:
    return next((name for name in ("correlation", "filter") if name in document.data), "rule")


def documents(folder: Path) -> Iterator[Document]:
    for path in sorted(folder.rglob("*.yml")):
        yield from read_file(path, path.name).documents


def pack_documents() -> Iterator[tuple[str, Document]]:
    """A document of every kind in this repository, with the name of its schema."""
    yield from ((kind(document), document) for document in documents(ROOT / "rules"))
    fixtures = ROOT / "tests" / "fixtures"
    folders = (folder for folder in sorted(fixtures.iterdir()) if folder.name != "scenarios")
    yield from (("fixture", document) for folder in folders for document in documents(folder))
    yield from (("target-mapping", document) for document in documents(ROOT / "mappings" / "targets"))
    yield from (("tenant", document) for document in documents(ROOT / "mappings" / "tenants"))
    yield from (("product-mapping", document) for document in documents(ROOT / "mappings" / "products"))
    for name in ("fields", "logsources"):
        yield f"taxonomy-{name}", read_file(ROOT / "mappings" / "taxonomy" / f"{name}.yml", name).documents[0]
    yield "pack", read_file(ROOT / "insigma.yml", "insigma.yml").documents[0]


def test_names_are_the_files() -> None:
    files = (ROOT / "src" / "insigma" / "schemas").glob("*.schema.json")
    assert sorted(path.name.removesuffix(".schema.json") for path in files) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_is_a_schema_with_a_public_id(name: str) -> None:
    schema = load(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"{BASE}{name}.schema.json"
    assert schema["title"]
    assert schema["description"]


@pytest.mark.parametrize("name", NAMES)
def test_top_level_properties_tell_what_they_are(name: str) -> None:
    for key, schema in load(name)["properties"].items():
        assert "$ref" in schema or ("title" in schema and ("description" in schema or "const" in schema)), key


def test_unknown_name() -> None:
    with pytest.raises(FileNotFoundError):
        load("nothing")


def test_pack_is_valid() -> None:
    checked = [(name, compile_schema(name, load)(document.data)) for name, document in pack_documents()]
    assert {name for name, _ in checked} >= {"rule", "correlation", "fixture", "target-mapping", "tenant", "pack"}
    assert all(valid for _, valid in checked)


@pytest.mark.corpus
def test_public_rules_are_valid(corpus: Path) -> None:
    valid = compile_schema("rule", load)
    found = [valid(document.data) for document in documents(corpus)]
    assert len(found) > 3_000
    assert all(found)


def test_quick_agrees_with_jsonschema_on_damaged_documents() -> None:
    chance = random.Random(20261121)
    tests = {name: compile_schema(name, load) for name in NAMES}
    validators = {name: validator(name) for name in NAMES}
    verdicts = set()
    seen: Counter[str] = Counter()
    for name, document in pack_documents():
        seen[name] += 1
        for _ in range(20 if seen[name] <= 4 else 0):
            damaged = damage(document.data, chance)
            verdict = tests[name](damaged)
            assert verdict == validators[name].is_valid(damaged), (name, document.path)
            verdicts.add((name in ("rule", "fixture"), verdict))
    assert len(verdicts) == 4


def damage(data: Any, chance: random.Random) -> Any:
    """The data with one node replaced, deleted or added."""
    damaged = copy.deepcopy(data)
    *above, last = chance.choice([path for path in paths(damaged) if path])
    node = damaged
    for step in above:
        node = node[step]
    match chance.randrange(4):
        case 0:
            del node[last]
        case 1 if isinstance(node, dict):
            node[chance.choice(ODD_KEYS)] = chance.choice(ODD_VALUES)
        case _:
            node[last] = chance.choice(ODD_VALUES)
    return damaged


def paths(node: Any, above: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield above
    for step, value in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from paths(value, (*above, step))


def test_quick_refuses_a_keyword_that_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="'multipleOf'"):
        compile_schema("even", lambda _: {"type": "integer", "multipleOf": 2})


def test_quick_bears_a_schema_that_refers_to_itself() -> None:
    tree = {"type": "object", "additionalProperties": {"$ref": "#"}}
    test = compile_schema("tree", lambda _: tree)
    assert test({"a": {"b": {}}})
    assert not test({"a": {"b": 1}})


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"enum": [1]}, 1.0, True),
        ({"const": True}, True, 1),
        ({"type": "integer"}, 2.0, 2.5),
        ({"type": "number"}, 2.5, True),
        ({"type": ["null", "boolean"]}, None, 0),
        ({"uniqueItems": True}, [1, True, "1"], [[1], [1]]),
        ({"uniqueItems": False}, [1, 1], None),
        ({"oneOf": [{"type": "integer"}, {"minimum": 5}]}, 3, 7),
        ({"if": {"type": "string"}, "then": {"minLength": 2}}, 5, "a"),
        ({"dependentRequired": {"a": ["b"]}}, {"b": 1}, {"a": 1}),
        ({"propertyNames": {"maxLength": 1}}, {"a": 1}, {"ab": 1}),
        ({"minItems": 1, "maxProperties": 1, "maximum": 3}, [1], 4),
    ],
)
def test_quick_keywords(schema: dict[str, Any], good: Any, bad: Any) -> None:
    test = compile_schema("one", lambda _: schema)
    assert test(good)
    if bad is not None:
        assert not test(bad)
        assert not jsonschema.Draft202012Validator(schema).is_valid(bad)
    assert jsonschema.Draft202012Validator(schema).is_valid(good)


@pytest.mark.parametrize(
    ("pattern", "good", "bad"),
    [
        ("^a$", "a", "a\n"),
        ("^a$|^b$", "b", "b\n"),
        (r"^a\$$", "a$", "a"),
        (r"^[$a]+$", "a$a", "a\n"),
        (r"^[\]$]b$", "$b", "$b\n"),
        (r"^a\\$", "a\\", "a\\\n"),
    ],
)
def test_the_end_of_a_pattern_is_the_end_of_the_text(pattern: str, good: str, bad: str) -> None:
    """As ECMA-262 has it, which JSON Schema asks for; Python takes a line break before the end too."""
    test = compile_schema("one", lambda _: {"pattern": pattern})
    assert test(good)
    assert not test(bad)


def test_a_name_with_a_line_break_behind_it_is_told() -> None:
    profile = {"tenant": {"id": "firma\n"}, "lists": {"names\n": {"mode": "inline", "values": []}}}
    assert {fault.path for fault in faults("tenant", profile)} == {("tenant", "id"), ("lists", "names\n")}
    assert faults("tenant", {"tenant": {"id": "firma"}, "lists": {"names": {"mode": "inline", "values": []}}}) == ()


def test_what_stands_twice_is_told_each_time() -> None:
    assert list(repeats(["a", "b", "a", "a"])) == [2, 3]
    assert list(repeats([1, True, 1.0, "1", 0, False, -0.0])) == [2, 6]
    assert list(repeats([{"a": [1], "b": {}}, {"b": {}, "a": [1.0]}, {"a": [True], "b": {}}, [[]], [{}], [[]]])) == [1, 5]


def test_a_list_of_a_hundred_thousand_takes_no_time() -> None:
    values = [f"value {number}" for number in range(100_000)]
    profile = {"tenant": {"id": "firma"}, "lists": {"names": {"mode": "inline", "values": values}}}
    begun = time.perf_counter()
    assert faults("tenant", profile) == ()
    values += ["VALUE 1", "value 7"]
    found = faults("tenant", {**profile, "unknown": 1})
    assert [(fault.path, fault.message) for fault in found if fault.path[:1] == ("lists",)] == [
        (("lists", "names", "values", 100_001), "'value 7' stands twice in 'values'")
    ]
    assert time.perf_counter() - begun < 5, "every item was compared with every other"


def test_json_diagnostics_follow_their_schema() -> None:
    report = Report.of(
        [Diagnostic(Place("rules/a.yml", 2, 3), "INS201", "the title is empty", "say what it finds", rule="ins-clm-001")], []
    )
    data = json.loads(render(report, Format.JSON))
    assert validator("diagnostics").is_valid(data)
    assert not validator("diagnostics").is_valid({"diagnostics": data["diagnostics"]})


ROW = {
    "rule": "ins-clm-c01",
    "title": "Suspicious Mass Claim File Access Outside Assignment",
    "target": "elastic",
    "tenant": "default",
    "outcome": "compiled",
    "language": "esql",
    "window": "hopping(5m)",
    "proof": "unchecked",
    "engine": "no engine has judged this query: run insigma prove",
    "reason": "",
    "notes": [],
}


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        ({}, True),
        ({"outcome": "refused", "language": "", "reason": "cased on a folded field"}, True),
        ({"outcome": "refused"}, False),
        ({"outcome": "disabled", "reason": ""}, False),
        ({"outcome": "skipped"}, False),
        ({"reason": None}, False),
        ({"extra": 1}, False),
    ],
)
def test_ledger_rows(change: dict[str, Any], valid: bool) -> None:
    assert validator("ledger").is_valid({"rows": [{**ROW, **change}]}) is valid
