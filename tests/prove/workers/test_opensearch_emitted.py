"""What the Elastic target writes, asked of a real node: nothing that it emits is lost in silence."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from insigma.packages.elastic.template import index_template
from insigma_prove.engines import engine, missing
from insigma_prove.process import EngineProcess
from tests.targets.elastic_harness import compiled, pack
from tests.targets.elastic_limits import FIELD, LIMITS, Limit

pytestmark = pytest.mark.slow

AMOUNT, SCORE = "insurance.claim.amount", "insurance.fraud.score"
NUMBERS = (-1, -0.0, 0, 5)
SOURCE = {"insurance.logsource": "insurance_claims"}


@pytest.fixture(scope="module")
def node() -> Iterator[EngineProcess]:
    """One node for all tests, without the template's default field: it is as lenient as it can be."""
    spec = engine("opensearch")
    if why := missing(spec):
        pytest.skip(f"OpenSearch judges nothing here: {why} (insigma prove --install --all)")
    with EngineProcess(spec) as process:
        yield process


def template(*, default_field: bool) -> dict[str, Any]:
    """The packaged template, with or without the field of searches that name none."""
    packaged: dict[str, Any] = index_template(pack()[0])["template"]
    if not default_field:
        del packaged["settings"]["index"]["query"]
    return packaged


@pytest.fixture(scope="module")
def lenient(node: EngineProcess) -> EngineProcess:
    node.open(template(default_field=False), [{**SOURCE, AMOUNT: value, SCORE: value, FIELD: "x"} for value in NUMBERS])
    return node


def query(selection: dict[str, Any]) -> str:
    return compiled(f"s: {json.dumps(selection)}\ncondition: s", "lucene").query


@pytest.mark.parametrize("limit", LIMITS.values(), ids=LIMITS)
def test_the_largest_pattern_that_is_written_is_one_that_the_node_builds(lenient: EngineProcess, limit: Limit) -> None:
    assert lenient.run("lucene", query(limit.selection(limit.fine)), {}).keys() == {"hits"}


@pytest.mark.parametrize("name", [AMOUNT, SCORE])
@pytest.mark.parametrize(
    ("modifier", "value", "hits"),
    [
        ("", 0, [1, 2]),
        ("", [0, 5], [1, 2, 3]),
        ("|neq", 0, [0, 3]),
        ("|gte", 0, [1, 2, 3]),
        ("|gt", 0, [3]),
        ("|lte", 0, [0, 1, 2]),
        ("|lt", 0, [0]),
    ],
)
def test_both_zeros_are_zero(lenient: EngineProcess, name: str, modifier: str, value: Any, hits: list[int]) -> None:
    assert lenient.run("lucene", query({name + modifier: value}), {}) == {"hits": hits}


@pytest.mark.parametrize("clause", [f"{FIELD}:*a????????????b*", f"{AMOUNT}:abc"])
def test_under_the_template_a_clause_that_cannot_be_built_is_an_error(node: EngineProcess, clause: str) -> None:
    node.open(template(default_field=True), [{**SOURCE, AMOUNT: 1, FIELD: "x"}])
    assert node.run("lucene", clause, {})["error"]["stage"] == "type"
    assert node.run("lucene", query({FIELD: "x"}), {}) == {"hits": [0]}
