"""The public rules on each target: how many compile, why the others do not, and that nothing else is said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from sigma.collection import SigmaCollection
from sigma.rule import SigmaDetection, SigmaDetectionItem, SigmaRule
from sigma.types import SigmaFieldReference

from insigma.bind.model import Refused
from insigma.content.model import Pack, Rule
from insigma.content.pack import bundled_root, load_loose
from insigma.content.predicate import fields_of
from insigma.evaluate.engine import Engine
from insigma.targets.base import Detection
from insigma.targets.pysigma.pipelines import Pipelines, open_pipeline
from tests.public.opened import TARGETS, compiled

pytestmark = pytest.mark.corpus
COUNT = 3_141
SHARE = {"elastic": 0.97, "splunk": 0.97, "sentinel": 0.97, "lucene": 0.97, "eql": 0.96, "esql": 0.96}
"""Of the public rules each must compile so many. EQL and ES|QL have no keywords, which one rule in forty needs."""
REASONS = (
    r"a keyword under 'not' may be found in what the product adds to an event, and would hide the event",
    r"'.*' is a field that splunk adds to every event itself, so the event's own is not surely found by it: rename it \(--pipeline\)",
    r"a keyword with '<<' would be read as a part of the foreach template",
    r"\d+ tests are more than the \d+ that are written into one (EQL|ES\|QL) condition",
    r"\d+ clauses are more than the \d+ that a small Elasticsearch node accepts",
    r"the regular expression has .*, which Elasticsearch's regular expressions cannot say",
    r"the (regular expression|pattern) takes \d+ characters .*Elasticsearch.*",
    r"the (pattern|regular expression) is too complex for Lucene, which gives up determinising it .*",
    r"Lucene's query string has no readable way to write a newline or control character in a regular expression",
    r"(Lucene|EQL) knows networks of ip fields only, and nothing declares '.*' as one",
    r"(Lucene|EQL) cannot compare two fields",
    r"(EQL|ES\|QL) cannot look into every field of an event",
    r"Sentinel stores an empty '.*' and an absent one alike: '' alone cannot be asked for",
    r"the query has \d+ characters, an analytics rule takes \d+",
)


@pytest.fixture(scope="module")
def public(corpus: Path) -> Pack:
    loaded = load_loose((corpus,), bundled_root())
    assert loaded.diagnostics == ()
    assert len(loaded.pack.rules) == COUNT
    return loaded.pack


def outcomes(pack: Pack, target: str) -> Iterator[Detection | Refused]:
    """What becomes of each rule on a target."""
    for rule in pack.rules:
        try:
            yield compiled(rule, target)
        except Refused as refusal:
            yield refusal


@pytest.mark.parametrize("target", list(TARGETS))
def test_nearly_all_public_rules_compile_and_the_others_say_why(target: str, public: Pack) -> None:
    found = list(outcomes(public, target))
    refused = [entry.reason for entry in found if isinstance(entry, Refused)]
    told = [part for reason in refused for part in re.split(r"; (?=Lucene|EQL|ES\|QL)", reason)]
    unknown = [part for part in told if not any(re.fullmatch(f"((Lucene|EQL|ES\\|QL)( and .*)?: )?{known}", part) for known in REASONS)]
    assert unknown == []
    assert len(found) - len(refused) >= SHARE[target] * len(found)


@pytest.mark.parametrize(("target", "name"), [("elastic", "ecs_windows"), ("splunk", "splunk_windows")])
def test_a_pipeline_gives_the_names_that_pysigma_gives(target: str, name: str, corpus: Path, public: Pack) -> None:
    """One rule in six goes through the pipeline both ways: ours, and pySigma's own on its own reading of the rule."""
    pipelines, theirs = Pipelines([name], target), open_pipeline(name, target)
    collection = SigmaCollection.from_dicts([yaml.load(path.read_bytes(), yaml.CSafeLoader) for path in sorted(corpus.rglob("*.yml"))[::6]])
    by_id = {str(rule.id): rule for rule in collection.rules if isinstance(rule, SigmaRule)}
    shared = [rule for rule in public.rules if str(rule.header.id) in by_id]
    assert len(shared) > 500
    for rule in shared:
        assert isinstance(rule, Rule)
        other = by_id[str(rule.header.id)]
        theirs.apply(other)
        wanted = {field for detection in other.detection.detections.values() for field in their_fields(detection)}
        used = set(fields_of(pipelines.apply(rule).rule.predicate))
        assert used <= wanted
        assert wanted - used <= unused(rule, other), rule.header.path


def their_fields(detection: SigmaDetection | SigmaDetectionItem) -> Iterator[str]:
    if isinstance(detection, SigmaDetection):
        for item in detection.detection_items:
            yield from their_fields(item)
        return
    if detection.field is not None:
        yield detection.field
    yield from (value.field for value in detection.value if isinstance(value, SigmaFieldReference))


def unused(rule: Rule, other: SigmaRule) -> set[str]:
    """Fields of selections that the condition does not name: pySigma's rule holds them, the predicate does not."""
    written = " ".join(condition.condition for condition in other.detection.parsed_condition)
    idle = [part for name, part in other.detection.detections.items() if not re.search(rf"\b{name}\b|of them|of .*\*", written)]
    return {field for detection in idle for field in their_fields(detection)}


def test_every_public_rule_evaluates(public: Pack) -> None:
    engine = Engine(public.rules, public.taxonomy)
    for event in (
        {},
        {
            "@timestamp": "2026-01-01T00:00:00Z",
            "Image": r"C:\Windows\System32\whoami.exe",
            "CommandLine": "whoami /fo csv",
            "EventID": 4625,
        },
        {
            "EventID": "4625",
            "Image": ["a", {"b": [None, True, 1.5]}],
            "CommandLine": True,
            "DestinationIp": "10.1.2.3",
            "x": {"y": "\ud83d\ude00"},
        },
        {"message": "segfault " * 1000, "Image": None, "CommandLine": "", "c-uri": "\x00", "EventID": -1e300},
    ):
        engine.feed(event)
    verdicts = engine.verdicts()
    assert len(verdicts) == COUNT
    assert any(verdict.indexes for verdict in verdicts)
