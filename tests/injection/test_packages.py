"""Files of the targets: what they carry parses back to the strings of the rule, and nothing of a rule becomes anything else."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given

from insigma.content.attack import load_attack
from insigma.packages.base import Packager, PackContext, Packed
from insigma.packages.elastic.files import ElasticPackager
from insigma.packages.elastic.rules import KibanaContext
from insigma.packages.sentinel.files import SentinelPackager
from insigma.packages.splunk.files import SplunkPackager
from insigma.targets.base import Refused
from tests.injection.lexers import LEXERS
from tests.injection.rules import ASKED, ATTACKS, SETTINGS, Made, detected, document, hostile, made, the_pack
from tests.packages.test_splunk import parsed

CONTEXT = PackContext("acme", "insurance", "1.0.0")


def packager(target: str) -> Packager:
    if target == "elastic":
        return ElasticPackager(KibanaContext(CONTEXT, the_pack().mappings["elastic"], load_attack()))
    return SplunkPackager(CONTEXT) if target == "splunk" else SentinelPackager(CONTEXT, load_attack())


def written(text: str, target: str, language: str, **parts: Any) -> tuple[Made, Mapping[str, str]] | None:
    """A rule with the text in its head and in a value, and its files and those of the bundle; None where it is refused."""
    head = {"title": "A title", **parts}
    found = made(target, language, detected({"user.name|contains": f"x{text.replace('*', '')}x".replace("\\", "/")}, **head))
    if found is None or found.detection is None:
        return None
    made_here = packager(target)
    try:
        files = made_here.rule_files(found.rule.header, found.detection)
        bundle = made_here.bundle([Packed(found.rule.header, found.detection, files)])
    except Refused:
        return None
    return found, {**files, **bundle}


def kinds(value: Any) -> Any:
    """The keys and kinds of a value."""
    if isinstance(value, dict):
        return {key: kinds(part) for key, part in value.items()}
    return [kinds(part) for part in value] if isinstance(value, list) else type(value).__name__


def lines_of(query: str) -> list[str]:
    return [line.rstrip() for line in query.split("\n")]


def check_elastic(found: Made, files: Mapping[str, str], text: str) -> None:
    assert found.detection is not None
    line, after = files["elastic/insigma.ndjson"].split("\n")  # U+2028 and its like end no line there
    assert after == ""
    native = json.loads(next(content for path, content in files.items() if path.endswith(".json") and "/rules/" in path))
    rule = json.loads(line)
    assert rule == native
    assert (rule["name"], rule["query"]) == (found.rule.header.title, found.detection.query)
    kept = text.strip()
    assert rule["description"].strip() == kept or not kept
    assert "".join(rule["false_positives"]).strip() == "".join(rule["references"]).strip() == kept
    assert json.loads(files["elastic/component-template.json"]) == json.loads(
        packager("elastic").bundle([])["elastic/component-template.json"]
    )


def check_splunk(found: Made, files: Mapping[str, str], text: str) -> None:
    assert found.detection is not None
    stanzas = parsed(files["splunk/savedsearches.conf"])
    assert list(stanzas) == [found.rule.header.title]
    (stanza,) = stanzas.values()
    assert lines_of(stanza["search"]) == lines_of(found.detection.query)
    plain = written("word", "splunk", "spl", description="word")
    assert plain is not None
    assert list(stanza) == list(parsed(plain[1]["splunk/savedsearches.conf"])["A title"])
    assert stanza["description"].endswith(")")


def check_sentinel(found: Made, files: Mapping[str, str], text: str) -> None:
    assert found.detection is not None
    rule = yaml.safe_load(next(content for path, content in files.items() if path.endswith(".yaml")))
    assert (rule["name"], rule["query"]) == (found.rule.header.title, f"{found.detection.query}\n")
    assert rule["description"] in (text, text.strip(), found.rule.header.title)
    plain = written("word", "sentinel", "kql", description="word")
    assert plain is not None
    assert kinds(rule) == kinds(yaml.safe_load(next(content for path, content in plain[1].items() if path.endswith(".yaml"))))


CHECKS = {"elastic": check_elastic, "splunk": check_splunk, "sentinel": check_sentinel}


@pytest.mark.parametrize(("target", "language"), ASKED)
def test_files_parse_back_to_the_same_strings(target: str, language: str) -> None:
    @SETTINGS
    @given(hostile())
    def same(text: str) -> None:
        parts = {"description": text, "author": text, "falsepositives": [text], "references": [text]}
        found = written(text, target, language, **parts)
        if found is not None:
            CHECKS[target](*found, text)

    same()


@pytest.mark.parametrize(("target", "language"), ASKED)
@pytest.mark.parametrize("text", [*ATTACKS, "ok\naction.script = 1\naction.script.filename = evil.sh\nx", "x]\n[y", "default"])
def test_s7_a_title_is_a_title_or_refused(text: str, target: str, language: str) -> None:
    """The stock Splunk backend takes only the brackets out of it, so a line break begins settings of the attacker's."""
    found = written("word", target, language, title=text, description="word", falsepositives=["word"], references=["word"])
    if found is not None:
        CHECKS[target](*found, "word")


@pytest.mark.parametrize("text", ATTACKS)
def test_what_stands_beside_a_sentinel_rule_is_a_function_and_comments(text: str) -> None:
    """A query beyond 10,000 characters is saved as a function, whose name and comment come from the rule."""
    many = [f"{number:04d}{'x' * 60}" for number in range(160)]
    for name in (text, "one"):
        found = made("sentinel", "kql", detected({"user.name|contains": many}, title=text, name=name, description=text))
        if found is None or found.detection is None:
            continue
        (companion,) = found.detection.companions
        assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", companion.name)
        files = packager("sentinel").rule_files(found.rule.header, found.detection)
        beside = next(content for path, content in files.items() if path.endswith(".function.kql"))
        assert LEXERS["kql"](beside) == LEXERS["kql"](companion.query)
        assert all(re.fullmatch(r"sentinel/rules/[A-Za-z0-9_-]+(\.function)?\.(kql|yaml)", path) for path in files)


def test_s4_fields_to_show_are_names_of_the_mapping() -> None:
    """The stock Splunk backend writes what stands under `fields` into the search."""
    for name in ("User | delete", 'x" | delete | table "y', "user.name\n| delete", *ATTACKS):
        for taxonomy in ("insurance", "sigma"):
            for target, language in ASKED:
                plain = made(target, language, document(taxonomy=taxonomy, detection={"s": {"user.name": "x"}, "condition": "s"}))
                found = made(
                    target, language, document(taxonomy=taxonomy, detection={"s": {"user.name": "x"}, "condition": "s"}, fields=[name])
                )
                assert plain is not None
                assert found is None or found.detection is None or plain.detection is None or found.detection.query == plain.detection.query
