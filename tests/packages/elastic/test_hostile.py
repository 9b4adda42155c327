"""Texts of a rule in rules.ndjson: each comes back as it was given, on one line, and is nothing but a text."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.injection.rules import ATTACKS
from tests.packages.elastic.packaged import context_of, faults, package, packed_rule, rules_of
from tests.targets.elastic_harness import compiled

EVENT = compiled("s: {event.action: claim-export}\ncondition: s")
TEXTS = (
    'a "quoted" text',
    "two\nlines\r\nand\ta tab",
    "back\\slash \\n \\u0041",
    "line\u2028para\u2029next\x85end",
    "\U0001f9d1\u200d\U0001f4bb \U0001f4a5",
    '!{investigate{"label": "x"}} !{osquery{}}',
    "\u202eevil\u2066hidden\u2069 \u200f",
    "]]> $token$ ${env} {{mustache}} <script>",
    '"},{"rule_id":"x","enabled":true}',
    '"}\n{"rule_id": "second line"}',
)


@pytest.mark.parametrize("text", [*TEXTS, *ATTACKS])
def test_each_text_comes_back(text: str) -> None:
    head: dict[str, Any] = {
        "title": text,
        "description": text,
        "license": text,
        "references": [text],
        "falsepositives": [text],
        "tags": [text, f"attack.{text}"],
        "insurance": {"pack_id": text, "domain": text, "role": "alert", "response": {"actions": [{"code": text, "approver": text}]}},
    }
    files = package(packed_rule(EVENT, "own", **head), context=context_of(text))
    assert files["elastic/rules.ndjson"].count("\n") == 1
    assert len(files["elastic/rules.ndjson"].splitlines()) == 1
    (rule,) = rules_of(files)
    kept = text.strip()  # but for the title, texts are stripped
    assert (rule["name"], rule["description"], rule["license"]) == (text, kept or text, kept)
    assert rule["references"] == rule["false_positives"] == ([kept] if kept else [])
    assert {text, f"attack.{text}", f"Tenant: {text}", f"Pack: {text}"} <= set(rule["tags"])
    assert "!{" not in rule["note"]
    assert kept.replace("!{", "! {") in rule["note"]
    assert rule["enabled"] is True
    assert rule["query"] == EVENT.query
    assert faults("detection-rule", rule) == []


def test_an_author_is_split_at_commas_and_nothing_else() -> None:
    (rule,) = rules_of(package(packed_rule(EVENT, author='Ann "A" \u202e, Bob\n{"x": 1}')))
    assert rule["author"] == ['Ann "A" \u202e', 'Bob\n{"x": 1}']


def test_what_readers_may_take_for_a_line_end_is_escaped() -> None:
    line = package(packed_rule(EVENT, title="a\u2028b\u2029c\x85d"))["elastic/rules.ndjson"]
    assert r"a\u2028b\u2029c\u0085d" in line
    assert json.loads(line)["name"] == "a\u2028b\u2029c\x85d"
