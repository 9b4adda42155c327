"""docs/semantics.md keeps its word: every table of examples and every YAML block on it is executed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.evaluate.harness import alerts_of, codes_of, correlation_rule, documents, event_rule, judge, matches, read_rules

PAGE = Path(__file__).parent.parent.parent / "docs" / "semantics.md"
WITHOUT_EXAMPLES = {"Context"}  # nothing the evaluator does


@dataclass(frozen=True, slots=True)
class Example:
    """A row of a table (`cells` by heading) or a YAML block (`block`)."""

    section: str
    line: int
    cells: dict[str, str]
    block: Any = None


def examples() -> Iterator[Example]:
    section = ""
    heading: list[str] = []
    block: list[str] | None = None
    for number, line in enumerate(PAGE.read_text(encoding="utf-8").splitlines(), 1):
        if block is not None and line == "```":
            yield Example(section, number, {}, yaml.safe_load("\n".join(block)))
            block = None
        elif block is not None:
            block.append(line)
        elif line.startswith("```"):
            assert line == "```yaml", f"line {number}: only YAML is executed"
            block = []
        elif line.startswith("## "):
            section = line.removeprefix("## ")
        elif line.startswith("|"):
            cells = [cell.strip().strip("`").replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if not heading:
                heading = cells
            elif set(line) - set("|-"):
                yield Example(section, number, dict(zip(heading, cells, strict=True)))
        else:
            heading = []


ALL = list(examples())
HEADINGS = [("selection", "event", "matches"), ("selection", "condition", "event", "matches"), ("refused rule", "code")]


def of(*headings: str) -> list[Any]:
    """The rows of the tables with these headings among theirs."""
    return [pytest.param(one.cells, id=f"line {one.line}") for one in ALL if set(headings) <= set(one.cells)]


def test_every_section_has_examples_and_every_table_is_of_a_kind_that_is_executed() -> None:
    sections = set(re.findall(r"^## (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert sections - {one.section for one in ALL} == WITHOUT_EXAMPLES
    assert {frozenset(one.cells) for one in ALL if one.cells} == set(map(frozenset, HEADINGS))
    assert all({"alerts", "correlation"} <= set(one.block) or {"matches", "documents"} <= set(one.block) for one in ALL if not one.cells)


@pytest.mark.parametrize("row", of("selection", "event"))
def test_a_row_matches_as_the_page_says(row: dict[str, str]) -> None:
    assert row["matches"] in ("yes", "no")
    rule = event_rule(yaml.safe_load(row["selection"]), condition=row.get("condition", "selection"))
    assert matches(rule, yaml.safe_load(row["event"])) is (row["matches"] == "yes")


@pytest.mark.parametrize("row", of("refused rule"))
def test_a_rule_that_the_page_calls_refused_is(row: dict[str, str]) -> None:
    refused = yaml.safe_dump({"title": "x", "logsource": {"category": "test"}, **yaml.safe_load(row["refused rule"])})
    assert codes_of(documents(event_rule({"a": 1}), refused)) == [row["code"]]


def seconds(time: str) -> float:
    return datetime.fromisoformat(f"2026-01-01T{time}+00:00").timestamp()


def expected(alert: dict[str, Any]) -> dict[str, Any]:
    read = {key: seconds(value) if key in ("first", "last") else value for key, value in alert.items()}
    return {**read, "instants": [*map(seconds, alert["instants"])]} if "instants" in alert else read


def blocks(key: str) -> list[Any]:
    return [pytest.param(one.block, id=f"to line {one.line}") for one in ALL if one.block is not None and key in one.block]


@pytest.mark.parametrize("block", blocks("alerts"))
def test_a_correlation_alerts_as_the_page_says(block: dict[str, Any]) -> None:
    bases = [event_rule(selection, name=name) for name, selection in block["rules"].items()]
    inner = [correlation_rule(block["inner"], name="inner")] if "inner" in block else []
    rules = read_rules(documents(*bases, *inner, correlation_rule(block["correlation"])))
    events = [{"@timestamp": seconds(event["at"]), **event} for event in block["events"]]
    found = alerts_of(judge(rules, events)[-1])
    wanted = [expected(alert) for alert in block["alerts"]]
    assert [{key: alert.get(key) for key in want} for alert, want in zip(found, wanted, strict=True)] == wanted


@pytest.mark.parametrize("block", blocks("documents"))
def test_the_first_rule_matches_as_the_page_says(block: dict[str, Any]) -> None:
    rules = read_rules(documents(*(yaml.safe_dump(document) for document in block["documents"])))
    assert [*judge(rules, block["events"])[0].indexes] == block["matches"]
