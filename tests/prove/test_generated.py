"""A short run of the generated tests, and what they would say if a query were wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
import yaml

from insigma.content.assemble import assemble
from insigma.content.model import AnyRule, Correlation, Pack
from insigma.content.yaml_reader import read_bytes
from insigma.diagnostics.model import Place, Severity
from insigma.specialise.lists import fill_lists
from insigma_prove.generate import alphabet
from insigma_prove.generate.drafts import Draft, as_yaml, event_document
from insigma_prove.generate.exclusions import EXCLUSIONS, excluded
from insigma_prove.generate.runner import STRATEGIES, Outcome, Tally, generated
from insigma_prove.generate.telling import MOST_REFUSED, closing, findings, refused_share, table
from insigma_prove.prove import Bench
from insigma_prove.stands import STANDS, Compiled, open_stand
from tests.conftest import ROOT
from tests.prove.conftest import GetEngine

SETS, SEED = {"elastic": 30, "splunk": 60, "sentinel": 25}, 20260214
ENGINE_OF = {"elastic": "elastic", "splunk": "spl", "sentinel": "kusto"}


@pytest.mark.parametrize("target", [target for target in STANDS if target in ENGINE_OF])
def test_generated_sets_agree(target: str, pack: Pack, bench: Bench, engine: GetEngine) -> None:
    engine(ENGINE_OF[target])
    outcomes = generated(target, SETS[target], SEED, bench, pack)
    assert [outcome.disagreement and outcome.disagreement.report for outcome in outcomes] == [None, None]
    for outcome in outcomes:
        assert outcome.generated >= outcome.count - 1
        assert outcome.unread.total() <= outcome.generated / 10, outcome.unread
        assert outcome.positive >= outcome.generated / 6
        assert outcome.negative >= outcome.generated / 6
        for language, tally in outcome.tallies.items():
            slack = 0.15  # a small number of sets
            assert refused_share(tally) <= MOST_REFUSED[target, language, outcome.kind] + slack, (language, tally.refused.most_common(5))
            assert not tally.unsupported, tally.unsupported


def test_the_same_seed_gives_the_same_sets(pack: Pack, bench: Bench, engine: GetEngine) -> None:
    engine("spl")
    first, again, other = (generated("splunk", 12, seed, bench, pack) for seed in (5, 5, 6))
    assert first == again
    assert first != other


class _Breaks:
    """Splunk with one fault put into its queries."""

    def __init__(self, pack: Pack, old: str, new: str) -> None:
        self._stand = open_stand("splunk", pack)
        self._old, self._new = old, new
        self.target, self.languages = self._stand.target, self._stand.languages

    def compile(self, rule: AnyRule, language: str | None) -> Compiled:
        compiled = self._stand.compile(rule, language)
        detection = compiled.detection
        instants = compiled.instants and compiled.instants.replace(self._old, self._new)
        return replace(compiled, detection=replace(detection, query=detection.query.replace(self._old, self._new)), instants=instants)

    def store(self) -> Mapping[str, Any]:
        return self._stand.store()

    def stored(self, events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        return self._stand.stored(events)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("lower(", "upper("),  # case
        ("(?is)", "(?s)"),
        (", 0, 1)=1", ", 0, 0)=1"),  # negation
        (r"\z", ""),  # the end of a text
        (">=", ">"),  # a boundary
        ("nosuchcommand", ""),  # nothing: the control
    ],
)
def test_a_wrong_query_is_found_and_shown_small(
    old: str, new: str, pack: Pack, bench: Bench, engine: GetEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine("spl")
    monkeypatch.setattr("insigma_prove.generate.runner.open_stand", lambda target, pack: _Breaks(pack, old, new))
    outcomes = generated("splunk", 80, SEED, bench, pack)
    found = [outcome.disagreement for outcome in outcomes if outcome.disagreement is not None]
    assert bool(found) == (old != "nosuchcommand")
    for disagreement in found:
        shown = yaml.safe_load(disagreement.report)
        assert set(shown) >= {"target", "language", "differs", "rules", "events", "query"}
        assert len(shown["events"]) <= 3
        assert shown["differs"] == disagreement.message
    told = list(findings(outcomes, Place("insigma.yml")))
    assert [one.code for one in told] == ["INS801"] * len(found)
    assert f"{len(found)} disagree" in closing(outcomes, SEED)
    assert sum(line in {one.report for one in found} for line in table(outcomes)) == len(found)


def test_a_share_refused_beyond_its_bound_is_an_error() -> None:
    tally = Tally(agreed=100, refused=Counter({"why": 150}))
    outcome = Outcome("splunk", "event rules", 1, 250, generated=250, tallies={"spl": tally})
    (found,) = findings([outcome], Place("insigma.yml"))
    assert (found.code, found.severity) == ("INS802", Severity.ERROR)
    assert "refuses 60% of the generated event rules" in found.message
    assert list(findings([replace(outcome, tallies={"spl": Tally(agreed=250)})], Place("insigma.yml"))) == []


@pytest.mark.parametrize("text", [*alphabet.TEXTS, "\ud7ff", "\ue000", "\ufeff", "\ufffe", "\U0010ffff", "\x80\x84\x86"])
def test_every_awkward_text_reaches_the_rule_as_it_is(text: str) -> None:
    read = read_bytes(as_yaml([{**event_document({"s": {"user.name": 1}, "condition": "s"}), "description": text}]), "rule.yml")
    assert read.diagnostics == ()
    assert read.documents[0].data["description"] == text


def test_every_exclusion_says_where_its_reason_stands() -> None:
    assert len({exclusion.name for exclusion in EXCLUSIONS}) == len(EXCLUSIONS)
    for exclusion in EXCLUSIONS:
        page, _, _ = exclusion.reason.partition(", ")
        assert (ROOT / page).is_file()


DETECTION = {"s": {"user.name": "a"}, "condition": "s"}


@pytest.mark.parametrize(
    ("target", "language", "name", "event"),
    [
        ("elastic", "lucene", "U+0130 and Cherokee on Elastic", {"user.name": "İx"}),
        ("splunk", "spl", "long s and Kelvin sign in an event on Splunk", {"user.name": "ſ"}),
        ("splunk", "spl", "vertical tab on Splunk", {"user.roles": ["a", "\x0b"]}),
        ("splunk", "spl", "whole numbers beyond 2^53 in double precision", {"insurance.record_count": "9007199254740993"}),
        ("splunk", "spl", "", {"insurance.record_count": 9007199254740992, "user": {"name": "s"}}),
        ("elastic", "esql", "", {"user.name": "ſ\x0b", "insurance.record_count": 9007199254740993}),
    ],
)
def test_what_is_set_aside(target: str, language: str, name: str, event: Mapping[str, Any], pack: Pack) -> None:
    compiled = open_stand(target, pack).compile(_rule(Draft((event_document(DETECTION),), ())), language)
    assert excluded(compiled, [event]) == name


def _rule(draft: Draft) -> AnyRule:
    assembled = assemble(read_bytes(as_yaml(draft.documents), "rule.yml").documents)
    return fill_lists(assembled.rules, draft.lists).rules[-1]


def test_both_kinds_are_made_up() -> None:
    assert set(STRATEGIES) == {"event rules", "correlations"}
    assert Correlation is not None
