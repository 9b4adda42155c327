"""docs/targets/elastic.md and splunk.md keep their word: each row of their tables of modifiers and correlations is compiled."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from insigma.bind.model import Refused
from insigma.content.sigma_bridge import MODIFIERS
from insigma.targets.base import Detection
from tests.targets import elastic_harness, splunk_harness

PAGES = Path(__file__).parent.parent.parent / "docs" / "targets"
VIEW, PAY, SUCCESS = (
    splunk_harness.selection("event.action: claim-view", "view", number=1),
    splunk_harness.selection("event.action: payment-release", "pay", "insurance_payment", number=3),
    splunk_harness.selection("event.outcome: success", "success", number=4),
)


def rows(page: str, kind: str) -> Iterator[tuple[int, Any, dict[str, str]]]:
    """Line, example and cells by heading of each row of the tables whose first heading is `kind`."""
    heading: list[str] = []
    for number, line in enumerate((PAGES / page).read_text(encoding="utf-8").splitlines(), 1):
        cells = [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not cells:
            heading = []
        elif not heading:
            heading = cells
        elif heading[0] == kind and set(line) - set("|-"):
            yield number, yaml.safe_load(cells[0].strip("`")), dict(zip(heading[1:], cells[1:], strict=True))


def one_line(data: Any) -> str:
    return yaml.safe_dump(data, default_flow_style=True, width=1000, sort_keys=False).strip()


def elastic_event(selection: Any, language: str) -> Detection:
    return elastic_harness.compiled(f"s: {one_line(selection)}\ncondition: s", language)


def elastic_correlation(body: dict[str, Any], language: str) -> Detection:
    return elastic_harness.correlated("\n".join(f"{key}: {one_line({'x': value})[4:-1]}" for key, value in body.items()), language)


def splunk_event(selection: Any, _: str) -> Detection:
    return splunk_harness.compiled(splunk_harness.event_rule(f"  s: {one_line(selection)}\n  condition: s"))


def splunk_correlation(body: dict[str, Any], _: str) -> Detection:
    written = "".join(f"  {key}: {one_line({'x': value})[4:-1]}\n" for key, value in body.items())
    return splunk_harness.compiled(VIEW, PAY, SUCCESS, splunk_harness.correlation(written))


LANGUAGES = {"Lucene": "lucene", "EQL": "eql", "ES|QL": "esql", "SPL": "spl"}
COMPILERS: dict[tuple[str, str], Callable[[Any, str], Detection]] = {
    ("elastic.md", "selection"): elastic_event,
    ("elastic.md", "correlation"): elastic_correlation,
    ("splunk.md", "selection"): splunk_event,
    ("splunk.md", "correlation"): splunk_correlation,
}
CASES = [
    pytest.param(compiler, example, LANGUAGES[name], said, id=f"{page} line {line} {name}")
    for (page, kind), compiler in COMPILERS.items()
    for line, example, cells in rows(page, kind)
    for name, said in cells.items()
]


@pytest.mark.parametrize(("compiler", "example", "language", "said"), CASES)
def test_a_row_is_compiled_or_refused_as_the_page_says(
    compiler: Callable[[Any, str], Detection], example: Any, language: str, said: str
) -> None:
    if said in ("yes", "exact", "hopping", "approximate"):
        found = compiler(example, language)
        assert said == {"event": "yes"}.get(found.window, found.window.partition("(")[0])
    else:
        with pytest.raises(Refused, match=re.escape(said.removeprefix("no: "))):
            compiler(example, language)


@pytest.mark.parametrize("page", ["elastic.md", "splunk.md"])
def test_every_modifier_and_type_stands_on_the_page(page: str) -> None:
    selections = [example for _, example, _ in rows(page, "selection")]
    used = {word for each in selections if isinstance(each, dict) for key in each for word in str(key).split("|")[1:]}
    filled_before = {"expand"}
    same = {"ignorecase": "i", "multiline": "m", "dotall": "s", "utf16le": "wide"}
    assert MODIFIERS - filled_before - set(same) <= used
    kinds = {example["type"] for _, example, _ in rows(page, "correlation")}
    assert kinds == {
        "event_count",
        "value_count",
        "value_sum",
        "value_avg",
        "value_percentile",
        "value_median",
        "temporal",
        "temporal_ordered",
    }
