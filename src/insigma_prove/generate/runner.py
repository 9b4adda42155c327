"""Generated sets of rules and events, judged by the evaluator and by each engine of a target."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as seeded
from hypothesis.errors import Flaky
from hypothesis.strategies import SearchStrategy

from insigma.content.assemble import assemble
from insigma.content.model import AnyRule, Correlation, Pack
from insigma.content.yaml_reader import read_bytes
from insigma.specialise.lists import fill_lists
from insigma.targets.base import Refused
from insigma_prove.generate.drafts import Draft, as_yaml
from insigma_prove.generate.exclusions import excluded
from insigma_prove.generate.rules import event_rules
from insigma_prove.generate.timelines import correlations
from insigma_prove.prove import Bench, Seat
from insigma_prove.reference import truth
from insigma_prove.stands import Compiled, Stand, open_stand
from insigma_prove.trial import Evidence, QueryRejected, differences, gather

STRATEGIES: Mapping[str, SearchStrategy[Draft]] = {"event rules": event_rules(), "correlations": correlations()}

_FAULTS_OF_CODE = (ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What a mistake in a compiler raises. It is a finding like a wrong query, and told with the rule."""


@dataclass(slots=True)
class Tally:
    """How the sets fared in one language: `refused` and `unsupported` by reason, `excluded` by name."""

    agreed: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    excluded: Counter[str] = field(default_factory=Counter)
    unsupported: Counter[str] = field(default_factory=Counter)

    @property
    def tried(self) -> int:
        return self.agreed + self.refused.total() + self.excluded.total() + self.unsupported.total()


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A set on which an engine and the evaluator differ, shrunk: what differs, and all of it as YAML."""

    language: str
    message: str
    report: str


@dataclass(slots=True)
class Outcome:
    """What came of the sets of one kind ("event rules", "correlations") for one target.

    `unread` counts rules that the reader refuses, by reason; `positive` and `negative` count sets in which the evaluator
    finds something, and in which there is an event that it does not find (a correlation: no alert). `tallies` are by language.
    """

    target: str
    kind: str
    seed: int
    count: int
    generated: int = 0
    unread: Counter[str] = field(default_factory=Counter)
    positive: int = 0
    negative: int = 0
    tallies: dict[str, Tally] = field(default_factory=dict)
    disagreement: Disagreement | None = None


class _Disagrees(Exception):
    """Carries a disagreement through Hypothesis, which looks for a smaller one of the same kind."""

    def __init__(self, found: Disagreement) -> None:
        super().__init__(found.message)
        self.found = found


def generated(target: str, count: int, seed: int, bench: Bench, pack: Pack) -> list[Outcome]:
    """`count` sets for the target, 3 in 5 of event rules, the others of correlations: one outcome each.

    The same seed gives the same sets as long as the program and Hypothesis stay the same. The search ends at the first
    disagreement of a kind. Raises `EngineDied`.
    """
    stand = open_stand(target, pack)
    shares = {"event rules": count - count * 2 // 5, "correlations": count * 2 // 5}
    return [_explore(Outcome(target, kind, seed, share), STRATEGIES[kind], stand, bench, pack) for kind, share in shares.items() if share]


def _explore(outcome: Outcome, strategy: SearchStrategy[Draft], stand: Stand, bench: Bench, pack: Pack) -> Outcome:
    outcome.tallies = {language: Tally() for language in stand.languages}
    trial = _Trial(outcome, stand, bench, pack)

    @settings(
        max_examples=2,
        database=None,
        deadline=None,
        derandomize=False,
        phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
        suppress_health_check=tuple(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(strategy)
    def explore(draft: Draft) -> None:
        trial.run(draft)

    # Hypothesis tries the simplest set, then one at random, and from there on variations of those it had: two in three would be
    # of a rule that was tried already. So each set has a search of its own, with a seed of its own.
    try:
        for number in range(outcome.count):
            seeded(f"{outcome.seed} {number}")(explore)()
    except _Disagrees as disagrees:
        outcome.disagreement = disagrees.found
    except Flaky as flaky:
        last = trial.last
        message = f"an engine says now one thing, now another: {flaky}"
        outcome.disagreement = last and Disagreement(last.language, message, last.report)
    return outcome


class _Trial:
    """One set after the other; what is counted is counted until the first disagreement, not while Hypothesis shrinks it."""

    def __init__(self, outcome: Outcome, stand: Stand, bench: Bench, pack: Pack) -> None:
        self._outcome = outcome
        self._stand = stand
        self._bench = bench
        self._pack = pack
        self._met: set[str] = set()
        self.last: Disagreement | None = None

    def run(self, draft: Draft) -> None:
        """Raises `_Disagrees`."""
        written = _written(draft)
        if self.last is None and written in self._met:
            return
        self._met.add(written)
        counts = self._outcome if self.last is None else Outcome("", "", 0, 0, tallies={name: Tally() for name in self._stand.languages})
        counts.generated += 1
        rule = _read(draft, counts)
        if rule is None:
            return
        expected = truth(rule, draft.events, self._pack.taxonomy)
        found = bool(expected.positions or expected.instants)
        counts.positive += found
        counts.negative += not found if isinstance(rule, Correlation) else len(expected.positions) < len(draft.events)
        compiled = dict(self._compiled(rule, draft, counts))
        for seat, languages in self._seated(compiled):
            evidence = gather(self._stand, seat.client, expected, draft.events)
            for language in languages:
                self._try(seat, compiled[language], language, evidence, draft, counts.tallies[language])

    def _try(self, seat: Seat, compiled: Compiled, language: str, evidence: Evidence, draft: Draft, tally: Tally) -> None:
        try:
            found = "; ".join(one.message for one in differences(compiled, seat.client, evidence, self._pack.taxonomy))
        except QueryRejected as rejected:
            if rejected.stage == "unsupported":
                tally.unsupported[rejected.message[:100]] += 1
                return
            found = f"the engine rejects the query ({rejected.stage}): {rejected.message}"
        if found:
            raise self._disagrees(language, found, draft, compiled)
        tally.agreed += 1

    def _compiled(self, rule: AnyRule, draft: Draft, counts: Outcome) -> Iterator[tuple[str, Compiled]]:
        for language in self._stand.languages:
            tally = counts.tallies[language]
            try:
                compiled = self._stand.compile(rule, language)
            except Refused as refusal:
                tally.refused[refusal.reason] += 1
                continue
            except _FAULTS_OF_CODE as error:
                raise self._disagrees(language, f"the compiler fails: {type(error).__name__}: {error}", draft, None) from error
            name = excluded(compiled, draft.events)
            if name:
                tally.excluded[name] += 1
            else:
                yield language, compiled

    def _seated(self, compiled: Mapping[str, Compiled]) -> Iterator[tuple[Seat, list[str]]]:
        """The most trusted engine of each language, with those of the languages that are its own."""
        chosen: dict[int, tuple[Seat, list[str]]] = {}
        for language, one in compiled.items():
            for seat in self._bench.seats(self._stand.target, one.detection.language)[:1]:
                chosen.setdefault(id(seat), (seat, []))[1].append(language)
        yield from chosen.values()

    def _disagrees(self, language: str, message: str, draft: Draft, compiled: Compiled | None) -> _Disagrees:
        self.last = Disagreement(language, message, _report(self._stand.target, language, message, draft, compiled))
        return _Disagrees(self.last)


def _read(draft: Draft, counts: Outcome) -> AnyRule | None:
    """The last of the draft's rules with its lists filled in; None, counted, where the reader refuses one."""
    read = read_bytes(as_yaml(draft.documents), "generated.yml")
    assembled = assemble(read.documents)
    filled = fill_lists(assembled.rules, draft.lists)
    faults = (*read.diagnostics, *assembled.diagnostics, *filled.diagnostics)
    if faults:
        counts.unread[f"{faults[0].code} {faults[0].message}"[:100]] += 1
        return None
    return next(rule for rule in filled.rules if rule.header.name == draft.documents[-1]["name"])


def _written(draft: Draft) -> str:
    return json.dumps([draft.documents, draft.lists, draft.events])


class _Readable(yaml.SafeDumper):
    """Plain YAML without anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is given
        return True


def _report(target: str, language: str, message: str, draft: Draft, compiled: Compiled | None) -> str:
    """The set as YAML: rules, lists, events, the query and what differs."""
    shown: dict[str, Any] = {"target": target, "language": language, "differs": message}
    shown["rules"] = [
        {key: document[key] for key in ("name", "logsource", "detection", "correlation") if key in document} for document in draft.documents
    ]
    if draft.lists:
        shown["lists"] = {name: list(values) for name, values in draft.lists.items()}
    shown["events"] = [dict(event) for event in draft.events]
    if compiled is not None:
        shown["query"] = compiled.detection.query
    return yaml.dump(shown, Dumper=_Readable, allow_unicode=True, sort_keys=False, width=140)
