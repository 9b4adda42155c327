"""Text of others in titles, descriptions and queries stays text, in JSON, in templates, in YAML and in Markdown."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from insigma.content.attack import load_attack
from insigma.content.model import Header
from insigma.packages.base import PackContext, Packed
from insigma.packages.sentinel.files import SentinelPackager
from insigma.targets.base import Detection
from tests.packages.sentinel.conftest import Package
from tests.packages.sentinel.templates import evaluated, is_expression, resources, texts
from tests.packages.test_sentinel import DETECTION, header

TEXTS = (
    "[concat('a', parameters('workspace'))]",
    "[[x]]",
    "[resourceGroup().id]\n",
    "\"'`\\",
    '"; drop table InsClaims_CL //',
    "a\nb: c\n- d\n---\n...\n",
    "{{ActorUsername}} $token$ %s ${x} <script>alert(1)</script> ]]>",
    "é ß 𝄞 \u202e \u2028 \u0085 日本語",
    "\t\r\n tabs \r",
    "x" * 20_000,
    "[" + "x" * 20_000 + "]",
    "# Title\n\n| a | b |\n[link](https://x.example)",
)


def packaged(head: Header, detection: Detection = DETECTION, context: PackContext | None = None) -> tuple[dict[str, Any], Any, Package]:
    """The alert rule as it is deployed, the YAML as it reads, and the package."""
    packager = SentinelPackager(context or PackContext("acme", "insurance", "1.0.0"), load_attack())
    package = packager.package([Packed(head, detection, {})])
    (rule,) = resources(package, "alertRules")
    assert is_expression(rule["name"])
    assert not [text for text in texts(rule["properties"]) if is_expression(text)]
    (shown,) = (yaml.safe_load(text) for path, text in package.items() if path.endswith(".yaml"))
    return evaluated(rule["properties"]), shown, package


def entitled(title: str, description: str) -> Header:
    plain = header()
    return replace(plain, title=title, document=replace(plain.document, data={"title": title, "description": description}))


@pytest.mark.parametrize("text", TEXTS)
def test_titles_descriptions_and_queries_come_back(text: str) -> None:
    rule, shown, _ = packaged(entitled(text, text), replace(DETECTION, query=text[:9_000]))
    assert rule["query"] == text[:9_000]
    assert shown["query"] == f"{text[:9_000]}\n"
    assert (rule["displayName"], rule["description"]) == (shown["name"], shown["description"])
    assert rule["displayName"] == text if len(text) <= 256 else rule["displayName"] == f"{text[:255]}…"
    assert rule["description"] == text if len(text) <= 5_000 else rule["description"] == f"{text[:4_999]}…"


@given(st.text(st.characters(codec="utf-8") | st.sampled_from("[]\n\"'\\{}"), max_size=40))
def test_any_text_comes_back(text: str) -> None:
    rule, shown, _ = packaged(entitled(text, text), replace(DETECTION, query=f"[{text}]"))
    assert (rule["displayName"], rule["description"], rule["query"]) == (text, text, f"[{text}]")
    assert (shown["name"], shown["description"], shown["query"]) == (text, text, f"[{text}]\n")


def test_the_facts_of_a_rule_keep_their_place_in_a_long_description(packed: tuple[Packed, ...]) -> None:
    head = packed[0].header
    long = replace(head, document=replace(head.document, data={**head.document.data, "description": "y" * 6_000}))
    rule, _, _ = packaged(long, packed[0].detection)
    assert len(rule["description"]) <= 5_000
    assert re.search(r"y…\n\nRule: \S+, version 1\.0\.0, domain [\s\S]+\.\n$", rule["description"])


@pytest.mark.parametrize("text", TEXTS)
def test_the_readme_stays_one_document(text: str, package_of: Callable[..., Package], packed: tuple[Packed, ...]) -> None:
    """Names of customers and titles stand on one line, and are no Markdown."""
    off = replace(packed[1], enabled=False, header=replace(packed[1].header, title=text, insurance={"role": "alert"}))
    plain = package_of([replace(off, header=replace(off.header, title="word"))], legal_entity="word")["sentinel/README.md"]
    readme = package_of([off], legal_entity=text)["sentinel/README.md"]
    assert isinstance(readme, str)
    assert isinstance(plain, str)
    assert len(readme.split("\n")) == len(plain.split("\n"))
    assert [line[:3] for line in readme.split("\n")][1:] == [line[:3] for line in plain.split("\n")][1:]
    assert not re.search(r"(?<!\\)[<\[](?!resource|template|workspace|name)", readme)


def test_a_hostile_workspace_is_a_name(package_of: Callable[..., Package], packed: tuple[Packed, ...]) -> None:
    for name in ("[subscription().id]", "a'b", '"}'):
        package = package_of(packed[:1], settings={"workspace": name})
        for path, text in package.items():
            if path.endswith(".json") and "/jobs/" not in path:
                assert evaluated(json.loads(text)["parameters"]["workspace"])["defaultValue"] == name
