"""Walking a document as written: what is found, and where."""

from __future__ import annotations

from insigma.checks.polarity import negated_selections
from insigma.checks.scope import did_you_mean, dig, find_key, insurance, texts
from insigma.checks.walk import conditions, detection_entries, detection_items, selections
from insigma.content.yaml_reader import Document, read_bytes

RULE = """\
title: x
detection:
  words: [a, b]
  word: c
  fields:
    a|contains|all: [x, y]
    b: null
    '|all': [k]
  maps:
    - a: 1
      b: [2, 3]
    - [{c: 4}, d]
    - e
  condition: [fields, not maps]
  timeframe: 5m
"""


def document(text: str) -> Document:
    return read_bytes(text.encode(), "x.yml").documents[0]


def test_selections_leave_out_what_is_none() -> None:
    assert [selection.name for selection in selections(document(RULE))] == ["words", "word", "fields", "maps"]
    filtered = document("filter: {rules: any, selection: {a: 1}, condition: not selection}")
    assert [selection.name for selection in selections(filtered)] == ["selection"]


def test_every_value_with_its_place() -> None:
    rule = document(RULE)
    found = [(item.field, item.modifiers, item.value, rule.place(*item.value_path).line) for item in detection_items(rule)]
    assert found == [
        (None, (), "a", 3),
        (None, (), "b", 3),
        (None, (), "c", 4),
        ("a", ("contains", "all"), "x", 6),
        ("a", ("contains", "all"), "y", 6),
        ("b", (), None, 7),
        (None, ("all",), "k", 8),
        (None, (), "e", 13),
        ("a", (), 1, 10),
        ("b", (), 2, 11),
        ("b", (), 3, 11),
        (None, (), "d", 12),
        ("c", (), 4, 12),
    ]


def test_an_entry_keeps_what_stands_there() -> None:
    entries = {entry.field: entry for entry in detection_entries(document("detection: {s: {a: [], b: {c: 1}, d: [[1], 2]}}"))}
    assert (entries["a"].value, entries["a"].values) == ([], ())
    assert (entries["b"].value, entries["b"].values) == ({"c": 1}, ())
    assert [value for value, _ in entries["d"].values] == [1, 2]


def test_documents_of_no_shape_give_nothing() -> None:
    for text in ("title: x", "detection: x", "detection: [1]", "filter: null", "detection: {condition: {gte: 5}}"):
        assert list(detection_entries(document(text))) == []
        assert list(conditions(document(text))) == []


def test_conditions_one_or_many() -> None:
    assert list(conditions(document(RULE))) == [("fields", ("detection", "condition", 0)), ("not maps", ("detection", "condition", 1))]
    assert list(conditions(document("detection: {condition: a}"))) == [("a", ("detection", "condition"))]


def test_what_a_condition_negates() -> None:
    def negated(condition: str) -> frozenset[str]:
        return negated_selections(document(f"detection: {{a: {{x: 1}}, b1: {{x: 1}}, b2: {{x: 1}}, condition: '{condition}'}}"))

    assert negated("a and not 1 of b*") == {"b1", "b2"}
    assert negated("a and not (b1 or not b2)") == {"b1"}
    assert negated("not not a") == frozenset()
    assert negated("a or not a") == {"a"}
    assert negated("not all of them") == {"a", "b1", "b2"}
    assert negated("a and and") == frozenset()


def test_a_dotted_path_finds_keys_that_hold_dots() -> None:
    data = {"a": {"b.c|gte": 1, "b": {"c": 2}, "d": [{"e.f": 3}]}}
    assert find_key(data, "a.b.c|gte") == ("a", "b.c|gte")
    assert find_key(data, "a.b.c") == ("a", "b", "c")
    assert find_key(data, "a.d.0.e.f") == ("a", "d", 0, "e.f")
    assert find_key(data, "a.b.c|gte.d") is None
    assert find_key(data, "a.x") is None
    assert find_key(5, "a") is None


def test_digging_bears_anything() -> None:
    rule = document("insurance: {f3: [a, 5], role: base}\nfields: x\n")
    assert insurance(rule, "f3", 1) == 5
    assert insurance(rule, "f3", 2) is None
    assert insurance(rule, "role", "x") is None
    assert dig(rule, "insurance", 0) is None
    assert [text for text, _ in texts(rule, "insurance", "f3")] == ["a"]
    assert [text for text, _ in texts(rule, "fields")] == ["x"]
    assert list(texts(rule, "nothing")) == []


def test_the_nearest_word() -> None:
    assert did_you_mean("Claim-Veiw", ["claim-view", "claim-search"]) == "did you mean 'claim-view'?"
    assert did_you_mean("zzz", ["claim-view"], "see there") == "see there"
