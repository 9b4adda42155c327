"""Each defect that was measured in stock backends, by its name: ours is right on a real engine, or refuses and says why.

The cases are YAML: a detection with events (`matches` are the positions of those that it means), or a correlation over
`rules` with events at so many seconds (`alerts` are its groups). Every case runs on every language of every target; one that
refuses stands under `refused` with a piece of its reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from insigma.content.assemble import assemble
from insigma.content.model import AnyRule, Correlation, Pack
from insigma.content.pack import load_pack
from insigma.content.yaml_reader import read_bytes
from insigma.targets.base import Refused
from insigma_prove.prove import Bench
from insigma_prove.reference import truth
from insigma_prove.stands import Stand, open_stand
from insigma_prove.trial import tried
from tests.engines import seat

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
START = datetime(2026, 2, 14, 10, tzinfo=UTC)
CASES = [
    (path.stem, number, case)
    for path in sorted((HERE / "cases").glob("*.yml"))
    for number, case in enumerate(yaml.safe_load(path.read_text("utf-8")))
]
LANGUAGES = [("elastic", "lucene"), ("elastic", "eql"), ("elastic", "esql"), ("splunk", "spl"), ("sentinel", "kql")]
ONLY_CORRELATIONS_REFUSED = {"lucene": "no correlations"}


@lru_cache(maxsize=1)
def pack() -> Pack:
    return load_pack(ROOT).pack


@lru_cache(maxsize=8)
def stand(target: str) -> Stand:
    return open_stand(target, pack())


def document(name: str, number: int, body: Mapping[str, Any]) -> str:
    head = {
        "title": name,
        "name": name,
        "id": f"5d1a4f0e-0000-4000-8000-{number:012d}",
        "status": "test",
        "level": "high",
        "taxonomy": "insurance",
        "insurance": {"pack_id": "ins-clm-001", "domain": "claims", "role": "alert"},
    }
    return json.dumps({**head, **body})


def rule_of(case: Mapping[str, Any]) -> AnyRule:
    source = {"category": case.get("logsource", "insurance_claims")}
    detections = case.get("rules") or {"rule": case["detection"]}
    texts = [document(name, number, {"logsource": source, "detection": body}) for number, (name, body) in enumerate(detections.items())]
    if "correlation" in case:
        texts.append(document("correlation", 99, {"correlation": case["correlation"]}))
    read = read_bytes("\n---\n".join(texts).encode(), "rule.yml")
    assembled = assemble(read.documents)
    assert not read.diagnostics + assembled.diagnostics
    return assembled.rules[-1] if "detection" in case else next(rule for rule in assembled.rules if isinstance(rule, Correlation))


def events_of(case: Mapping[str, Any]) -> list[dict[str, Any]]:
    made = []
    for number, written in enumerate(case["events"]):
        fields = {name: value for name, value in written.items() if name != "at"}
        time = START + timedelta(seconds=written.get("at", number))
        source = case.get("logsource", "insurance_claims")
        made.append({"@timestamp": time.isoformat().replace("+00:00", "Z"), "insurance.logsource": source, **fields})
    return made


def test_every_defect_of_a_target_has_a_case() -> None:
    named = {case["defect"] for _, _, case in CASES}
    elsewhere = {"E21", "E23", "E24", *(f"S{number}" for number in (3, 4, 5, 6, 7, 14))}
    assert named | elsewhere >= {*(f"E{number}" for number in range(1, 25)), *(f"S{number}" for number in range(1, 15))}


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{stem}-{number}-{case['defect']}") for stem, number, case in CASES])
def test_the_evaluator_means_what_the_case_says(case: Mapping[str, Any]) -> None:
    expected = truth(rule_of(case), events_of(case), pack().taxonomy)
    if "matches" in case:
        assert sorted(expected.positions) == case["matches"]
    else:
        assert sorted(group[0] for group in expected.spans) == case["alerts"]


@pytest.mark.parametrize(("target", "language"), LANGUAGES)
@pytest.mark.parametrize("case", [pytest.param(case, id=f"{stem}-{number}-{case['defect']}") for stem, number, case in CASES])
def test_the_query_means_the_same_or_is_refused(case: Mapping[str, Any], target: str, language: str, bench: Bench) -> None:
    refusals = {**(ONLY_CORRELATIONS_REFUSED if "correlation" in case else {}), **case.get("refused", {})}
    if language in refusals:
        with pytest.raises(Refused, match=re.escape(refusals[language])):
            stand(target).compile(rule_of(case), language)
        return
    compiled = stand(target).compile(rule_of(case), language)
    client = seat(bench, target, compiled.detection.language).client
    found = tried(compiled, stand(target), client, events_of(case), pack().taxonomy)
    assert not found, f"{[difference.message for difference in found]}\n{compiled.detection.query}"
