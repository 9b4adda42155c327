"""The page that says how a package is loaded."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

import pytest

from insigma.targets.base import Refused
from tests.packages.elastic.packaged import ASSIGNMENT, context_of, everything, package, packed_rule
from tests.targets.elastic_harness import compiled

EVENT = compiled("s: {event.action: claim-export}\ncondition: s")
HOSTILE = "x`$(id)`\n```sh\nrm -rf /\n```\n| a | <b> [c](javascript:d) \u202e\u2028\x07 \"' \\"


def commands(page: str) -> list[list[str]]:
    """The words of each line of the shell blocks."""
    return [shlex.split(line) for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]


def test_every_file_of_the_package_is_loaded_once_and_those_that_others_need_come_first() -> None:
    given = [
        word.split("@", 1)[1] for words in commands(everything()["elastic/README.md"]) for word in words if "@" in word and "$" not in word
    ]
    assert sorted(given) == sorted(path.removeprefix("elastic/") for path in everything() if not path.endswith("README.md"))
    order = {name: place for place, name in enumerate(given)}
    assert order["ingest-pipeline.json"] < order["ingest-pipeline-insurance.json"] < order["index-template.json"]
    assert order["component-template.json"] < order["index-template.json"] < order["data-view.ndjson"] < order["rules.ndjson"]
    for table in ("claim_assignment", "work_calendar", "blocked_partners"):
        base = f"lookups/insigma-{table}"
        assert order[f"{base}.pipeline.json"] < order[f"{base}.index.json"] < order["data-view.ndjson"]
    rows = "lookups/insigma-work_calendar"
    assert order[f"{rows}.index.json"] < order[f"{rows}.bulk.ndjson"] < order[f"{rows}.prune.json"] < order["data-view.ndjson"]


def test_the_space_of_the_profile() -> None:
    assert 'KIBANA_SPACE="${KIBANA_URL}/s/soc"' in everything()["elastic/README.md"]
    for settings in ({}, {"space": "default"}, {"space": ""}):
        assert 'KIBANA_SPACE="${KIBANA_URL}"' in package(context=context_of(settings=settings))["elastic/README.md"]
    for space in ("a b", "A", "x/../..", '"; id; "', 7):
        with pytest.raises(Refused, match="no space of Kibana"):
            package(context=context_of(settings={"space": space}))


def test_the_tables_that_the_customer_fills() -> None:
    page = everything()["elastic/README.md"].split("## Tables that you fill")[1].split("\n## ")[0]
    assert (
        "| `insigma-claim_assignment` | `claim`, `user` | `claim` string, `user` string, `valid_from` time, `relation` string | 15m |"
        in page
    )
    assert "work_calendar" not in page
    assert '{"claim": "...", "user": "...", "valid_from": 0, "relation": "..."}' in page


def test_a_package_without_tables_has_no_step_for_them() -> None:
    page = package(packed_rule(EVENT))["elastic/README.md"]
    assert "Lookup indices" not in page
    assert "Tables that you fill" not in page
    assert "\n2. The data view" in page


def test_a_hostile_profile_changes_neither_commands_nor_headings() -> None:
    calm = package(packed_rule(EVENT, enabled=False), context=context_of(tables=(ASSIGNMENT,), legal_entity="ACME"))["elastic/README.md"]
    table = replace(ASSIGNMENT, description=HOSTILE, owner=HOSTILE, source=HOSTILE, refresh=HOSTILE)
    wild = package(
        packed_rule(EVENT, HOSTILE.split("\n")[0], title=HOSTILE, enabled=False),
        context=context_of(tables=(table,), legal_entity=HOSTILE),
    )["elastic/README.md"]
    assert commands(wild) == commands(calm)
    assert len(wild.splitlines()) == len(calm.splitlines())
    heads = [[line.split(":")[0] for line in page.splitlines() if line.startswith("#")] for page in (calm, wild)]
    assert heads[0] == heads[1]
    assert not re.search("[\x00-\x09\x0b-\x1f\u2028\u202e]", wild)
    assert r"\(U+202E\)" in wild
    assert "<b>" not in wild.replace("\\<", "")
