"""docs/targets/sentinel.md keeps its word: each row of its tables of modifiers and correlations is compiled."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from insigma.bind.model import Refused
from insigma.content.sigma_bridge import MODIFIERS
from insigma.targets.base import Detection
from tests.targets.sentinel.harness import ROOT, compiled, correlation, event_rule, selection

VIEW, PAY, SUCCESS = (
    selection("event.action: claim-view", "view", number=1),
    selection("event.action: payment-release", "pay", "insurance_payment", number=3),
    selection("event.outcome: success", "success", number=4),
)


def rows(kind: str) -> Iterator[tuple[Any, str]]:
    """Example and verdict of each row of the tables whose first heading is `kind`."""
    heading: list[str] = []
    for line in (ROOT / "docs/targets/sentinel.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not cells:
            heading = []
        elif not heading:
            heading = cells
        elif heading[0] == kind and set(line) - set("|-"):
            yield yaml.safe_load(cells[0].strip("`")), cells[1]


def one_line(data: Any) -> str:
    return yaml.safe_dump(data, default_flow_style=True, width=1000, sort_keys=False).strip()


def event(example: Any) -> Detection:
    return compiled(event_rule(f"  s: {one_line(example)}\n  condition: s"))


def correlated(example: dict[str, Any]) -> Detection:
    written = "".join(f"  {key}: {one_line({'x': value})[4:-1]}\n" for key, value in example.items())
    return compiled(VIEW, PAY, SUCCESS, correlation(written))


CASES = [(event, example, said) for example, said in rows("selection")] + [
    (correlated, example, said) for example, said in rows("correlation")
]


@pytest.mark.parametrize(("compiler", "example", "said"), CASES)
def test_a_row_is_compiled_or_refused_as_the_page_says(compiler: Any, example: Any, said: str) -> None:
    if said in ("yes", "exact"):
        assert compiler(example).window == {"yes": "event"}.get(said, said)
    else:
        with pytest.raises(Refused, match=re.escape(said.removeprefix("no: "))):
            compiler(example)


def test_every_modifier_and_type_stands_on_the_page() -> None:
    selections = [example for example, _ in rows("selection")]
    used = {word for each in selections if isinstance(each, dict) for key in each for word in str(key).split("|")[1:]}
    same = {"ignorecase", "multiline", "dotall", "utf16le"}
    assert MODIFIERS - {"expand"} - same <= used
    assert len({example["type"] for example, _ in rows("correlation")}) == 8
