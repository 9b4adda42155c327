"""Which documents are acceptable: our reading beside pySigma's, each disagreement with its reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError
from sigma.rule import SigmaRule

from tests.content.reading import read, shown

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "cases" / "pysigma.yml").read_text(encoding="utf-8"))


def pysigma_reads(text: str) -> bool:
    try:
        collection = SigmaCollection.from_dicts(list(yaml.load_all(text, yaml.CSafeLoader)))
        for rule in collection.rules:
            if isinstance(rule, SigmaRule):
                for condition in rule.detection.parsed_condition:
                    condition.parse()
    except (SigmaError, AttributeError, TypeError):
        return False
    return True


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_document_is_read_or_refused(case: dict[str, Any]) -> None:
    _, faults = read({"rule.yml": case["text"]})
    assert ("refused" if faults else "read") == case["ours"], shown(faults)
    assert ("read" if pysigma_reads(case["text"]) else "refused") == case["theirs"]
    assert bool(case.get("because")) == (case["ours"] != case["theirs"])
