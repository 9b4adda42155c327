"""Rules with one text of an attacker in them, compiled for each target and language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from insigma.bind.binder import bind
from insigma.bind.open import open_mapping
from insigma.content.assemble import assemble
from insigma.content.model import AnyRule, Pack, TargetMapping, Taxonomy
from insigma.content.pack import load_pack
from insigma.content.yaml_reader import read_bytes
from insigma.specialise.lists import Lists, fill_lists
from insigma.targets.base import Detection, Refused
from insigma.targets.elastic.target import LANGUAGES, ElasticTarget
from insigma.targets.sentinel.target import SentinelTarget
from insigma.targets.splunk.target import SplunkTarget
from insigma_prove.generate import alphabet
from insigma_prove.generate.drafts import as_yaml
from tests.conftest import ROOT
from tests.injection.lexers import LEXERS, Shape

ASKED = (*(("elastic", language) for language in LANGUAGES), ("splunk", "spl"), ("sentinel", "kql"))
"""Every target with each of its languages."""

ATTACKS = (
    'a" | delete', "a' | delete", 'a\\" | delete "', "a` | delete `b", "a | delete", "$result.user$ | delete",
    "[search index=*]", "a] | [delete",
    "a\n[everything]\nsearch = | delete", "a\r\n| delete", "\\\n| delete", "a\\", "a\\\\", 'a\\\\" | delete', "a*) OR (b:*",
    '") OR 1==1 OR ("',
    '""" OR true OR """', "a /* | delete */ // b", "a // b", "{{#context}} %{x} ${x}", "a\u2028| delete", "a\u3000OR\u3000b:*",
    "' or '1'='1",
    'x") | union T //', 'x"; T | take 1', "~~~ | delete ~~~", "``` | delete ```", 'h"x', '@"x', "a)]}", "([{", "x:(y OR *)",
    "/.*/", "a/ OR /b",
    "_exists_:x", "field == null or true", "| eval x=1", "`macro(1)`", "<script>", "search *", "union *", "a\x00b", "\x1b[2J",
    "\x85| delete",
)  # fmt: skip
"""Whole attacks, on one language or another, a .conf file, a template or a terminal."""

SETTINGS = settings(max_examples=20, deadline=None, derandomize=True, database=None)


def hostile() -> SearchStrategy[str]:
    """Attacks, and whatever syntax, blanks, controls and letters make together."""
    pieces = st.sampled_from((*ATTACKS, *alphabet.SYNTAX, *alphabet.BLANK, *alphabet.CONTROL, *alphabet.LETTERS, "word"))
    return st.one_of(st.sampled_from(ATTACKS), st.lists(pieces, min_size=1, max_size=4).map("".join)).filter(bool)


@lru_cache(maxsize=1)
def the_pack() -> Pack:
    return load_pack(ROOT).pack


def document(name: str = "one", number: int = 1, taxonomy: str = "insurance", **parts: Any) -> dict[str, Any]:
    """A rule document: a harmless head, and whatever parts are given over it."""
    head = {"title": f"Title {name}", "name": name, "id": f"5d1a4f0e-0000-4000-8000-{number:012d}", "status": "test", "level": "high"}
    if "correlation" not in parts:
        head["logsource"] = {"category": "insurance_claims" if taxonomy == "insurance" else "dns"}  # type: ignore[assignment]
    return {**head, "taxonomy": taxonomy, "insurance": {"pack_id": "ins-clm-001", "role": "alert"}, **parts}


def detected(selection: Any, **parts: Any) -> dict[str, Any]:
    """An event rule of one selection."""
    return document(detection={"s": selection, "condition": "s"}, **parts)


@dataclass(frozen=True, slots=True)
class Made:
    """A rule that could be read, and its detection; None where the target refuses it."""

    rule: AnyRule
    detection: Detection | None


def read(documents: Sequence[Mapping[str, Any]], lists: Lists) -> AnyRule | None:
    """The last rule, or None where the reader finds a fault."""
    found = read_bytes(as_yaml(documents), "rule.yml")
    assembled = assemble(found.documents)
    filled = fill_lists(assembled.rules, lists)
    if found.diagnostics or assembled.diagnostics or filled.diagnostics:
        return None
    return next(rule for rule in filled.rules if rule.header.id == documents[-1]["id"])


def made(target: str, language: str, *documents: Mapping[str, Any], lists: Lists | None = None) -> Made | None:
    """The last rule compiled; None where the reader refuses it."""
    rule = read(documents, lists or {})
    if rule is None:
        return None
    pack = the_pack()
    mapping = pack.mappings[target]
    if documents[-1]["taxonomy"] == "sigma":
        mapping = open_mapping(rule, mapping)
    return Made(rule, compiled(target, language, rule, mapping, pack.taxonomy))


def compiled(target: str, language: str, rule: AnyRule, mapping: TargetMapping, taxonomy: Taxonomy) -> Detection | None:
    """The detection, or None where it is refused."""
    try:
        bound = bind(rule, mapping, taxonomy)
        if target == "elastic":
            return ElasticTarget(mapping, language).compile(bound)
        return (SplunkTarget(mapping) if target == "splunk" else SentinelTarget(mapping)).compile(bound)
    except Refused:
        return None


def shape(detection: Detection) -> Shape:
    """The shape of its query; of the function that the query calls, where it is too long to stand by itself. Raises `NoToken`."""
    lexer = LEXERS[detection.language]
    if not detection.companions:
        return lexer(detection.query)
    (function,) = detection.companions
    assert (function.kind, lexer(detection.query)) == ("function", ("name", "(", ")"))
    return lexer(function.query)
