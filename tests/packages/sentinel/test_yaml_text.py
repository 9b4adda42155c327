"""YAML written by ourselves is what PyYAML would write, byte for byte, and reads back as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from insigma.packages.sentinel.yaml_text import by_pyyaml, yaml_text

AWKWARD: list[str] = json.loads(Path(__file__).with_name("awkward.json").read_text(encoding="utf-8"))


def shapes(text: str) -> dict[str, Any]:
    return {
        "alone": text,
        "list": [text, "plain"],
        "nested": [{"a": text, "b": [{"c": "d", "e": text}], "f": 1}, {"g": True}],
        "mapping": {"a": {"b": text, "c": []}, "d": False},
        "empty": [],
        "number": 12,
        "last": "1.0.0",
    }


@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_text(text: str) -> None:
    data = shapes(text)
    assert yaml_text(data) == by_pyyaml(data)
    assert yaml.safe_load(yaml_text(data)) == data


@given(st.text(st.characters(codec="utf-8") | st.sampled_from("\n\n  :#-'\"|>{}[],&*!%@`~\t"), max_size=30))
def test_any_text(text: str) -> None:
    data = {"a": text, "b": [text], "c": {"d": text}}
    assert yaml_text(data) == by_pyyaml(data)
    assert yaml.safe_load(yaml_text(data)) == data


def test_text_at_the_end_ends_no_document() -> None:
    assert yaml_text({"a": "x é\n\n"}) == "a: |+\n  x é\n\n" == by_pyyaml({"a": "x é\n\n"})


def test_plain_rules_do_without_pyyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(_: dict[str, Any]) -> str:
        raise AssertionError("PyYAML was asked")

    monkeypatch.setattr("insigma.packages.sentinel.yaml_text.by_pyyaml", slow)
    data = {"name": "A title, with 'quotes'", "query": 'T\n| where A =~ "x"\n', "tags": ["T1078"], "map": [{"a": "b"}], "enabled": True}
    assert yaml.safe_load(yaml_text(data)) == data
