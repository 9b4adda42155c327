"""The proof of a pack: every detection in every language of its target, run on the events of its rule's fixture.

A detection ends as one `Proof`: proved by an engine (all cases agree), disproved (with the differences), rejected by the
engine's parser, refused by our compiler, or unchecked with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field

from insigma.assure.fixtures import reference_rules, with_logsources
from insigma.content.lists import default_lists
from insigma.content.model import AnyRule, Fixture, Pack, Taxonomy
from insigma.evaluate.lookups import Tables
from insigma.release.proofs import digest_of_events, digest_of_query
from insigma.targets.base import Refused
from insigma_prove.engines import Engine, engines_for, missing
from insigma_prove.process import Client, EngineDied, EngineProcess
from insigma_prove.reference import truth
from insigma_prove.stands import STANDS, Compiled, Stand, open_stand
from insigma_prove.trial import Events, QueryRejected, differences, gather


@dataclass(frozen=True, slots=True)
class Proof:
    """How one detection fared on one engine.

    `grade` is "executed", "typed" or "parsed" where the engine agrees, else "unchecked". `faults` are the disagreements,
    each with the name of its case; `reason` says why a detection is unchecked or was refused. `telling` counts the cases in
    which the rule matches or alerts.
    """

    rule: AnyRule
    target: str
    language: str
    engine: str
    grade: str
    query: str = ""
    window: str = ""
    events: str = ""
    cases: int = 0
    faults: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    refused: bool = False
    telling: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """Events to prove a rule on: as the reference judges them, as they come in, and the tables that they are looked up in."""

    name: str
    events: Events
    ingested: Events
    tables: Tables = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seat:
    """An engine ready to judge: its client, and for each language its name with version and its grade."""

    client: Client
    names: Mapping[str, str]
    grades: Mapping[str, str]


class Bench:
    """The engines of a run, each started once and ended with the bench. Use as a context manager."""

    def __init__(self, wanted: Callable[[Engine], bool]) -> None:
        self._wanted = wanted
        self._stack = ExitStack()
        self._seats: dict[str, Seat] = {}
        self.absent: dict[str, str] = {}

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, name: str, client: Client) -> None:
        """Seat a client that is no engine process of ours, in place of the engine of that name."""
        self._seats[name] = _seat(client)

    def seats(self, target: str, language: str) -> list[Seat]:
        """The engines that judge the language, the most trusted first; `absent` gathers why others do not."""
        found = []
        for spec in engines_for(target, language):
            if spec.name not in self._seats and self._wanted(spec) and spec.name not in self.absent:
                self._start(spec)
            if spec.name in self._seats:
                found.append(self._seats[spec.name])
        return found

    def _start(self, spec: Engine) -> None:
        if why := missing(spec):
            self.absent[spec.name] = why
            return
        try:
            self._seats[spec.name] = _seat(self._stack.enter_context(EngineProcess(spec)))
        except EngineDied as error:
            self.absent[spec.name] = str(error)


def _seat(client: Client) -> Seat:
    said = client.hello()
    if "error" in said:
        raise EngineDied(said["error"]["message"])
    if not {"engine", "version", "languages"} <= said.keys():
        raise EngineDied(f"it does not say what it is, but {dict(said)}"[:300])
    own = dict.fromkeys(said["languages"], f"{said['engine']} {said['version']}")
    return Seat(client, {**own, **said.get("versions", {})}, said["languages"])


def prove(
    pack: Pack, targets: Sequence[str], bench: Bench, concerns: Callable[[AnyRule], bool], tell: Callable[[str, str], None]
) -> Iterator[Proof]:
    """One proof (or several, where several engines judge) for each rule, target and language, in this order of targets.

    `concerns` chooses rules; `tell(target, rule)` is called before each. Targets are proved side by side: each has engines
    of its own, which work in processes of their own.
    """
    reference = reference_rules(pack, default_lists(pack))
    fixtures = reference.fixtures(pack)
    rules = [rule for rule in reference.distinct() if concerns(rule)]

    def of_target(target: str) -> list[Proof]:
        stand = open_stand(target, pack)
        found: list[Proof] = []
        for rule in rules:
            tell(target, rule.header.label)
            found += _of_rule(rule, stand, bench, fixtures.get(rule.header.label), pack)
        return found

    with ThreadPoolExecutor(max(1, len(targets))) as pool:
        for proofs in pool.map(of_target, targets):
            yield from proofs


def provable(targets: Iterable[str], pack: Pack) -> list[str]:
    """Those of the targets that the pack maps and that can be proved."""
    return [target for target in targets if target in STANDS and target in pack.mappings]


def _of_rule(rule: AnyRule, stand: Stand, bench: Bench, fixture: Fixture | None, pack: Pack) -> list[Proof]:
    """The proofs of one rule of the pack in each language of the target."""
    cases = []
    for case in fixture.cases if fixture is not None else ():
        events = with_logsources(case.events, rule, pack)
        cases.append(Case(case.name, events, events))
    return prove_rule(rule, stand, stand.languages, bench, fixture, cases, pack.taxonomy)


def prove_rule(
    rule: AnyRule,
    stand: Stand,
    languages: Sequence[str | None],
    bench: Bench,
    fixture: Fixture | None,
    cases: Sequence[Case],
    taxonomy: Taxonomy,
) -> list[Proof]:
    """The proofs of one rule in each of the languages, None being the one that the target chooses.

    The engine is given each case's events once for all of them. `fixture` is where the cases come from.
    """
    proofs: list[Proof] = []
    trials: list[_Trial] = []
    for language in languages:
        try:
            compiled = stand.compile(rule, language)
        except Refused as refusal:
            proofs.append(Proof(rule, stand.target, language or "", "", "unchecked", reason=refusal.reason, refused=True))
            continue
        spoken = compiled.detection.language
        seats = bench.seats(stand.target, spoken)
        trials += (_Trial(compiled, language or spoken, seat) for seat in seats)
        if not seats:
            proofs.append(_unchecked(compiled, language or spoken, stand.target, "no engine for it is installed"))
    if fixture is None:
        return proofs + [_unchecked(trial.compiled, trial.language, stand.target, "the rule has no fixture") for trial in trials]
    for case in cases:
        _run_case(case, trials, stand, taxonomy)
    return proofs + [trial.proof(stand.target, fixture) for trial in trials]


def _unchecked(compiled: Compiled, language: str, target: str, reason: str) -> Proof:
    detection = compiled.detection
    return Proof(compiled.rule, target, language, "", "unchecked", digest_of_query(detection), detection.window, reason=reason)


class _Trial:
    """A detection before one engine, gathering its faults case by case."""

    def __init__(self, compiled: Compiled, language: str, seat: Seat) -> None:
        self.compiled = compiled
        self.language = language
        self.seat = seat
        self.faults: list[tuple[str, str]] = []
        self.cases = 0
        self.telling = 0
        self.unsupported = ""

    def proof(self, target: str, fixture: Fixture) -> Proof:
        detection = self.compiled.detection
        reason = self.unsupported or ("" if self.cases else "the rule's fixture has no cases")
        grade = "unchecked" if reason else self.seat.grades.get(detection.language, "parsed")
        if detection.window == "approximate" and grade == "executed":
            grade = "typed"  # it runs, but promises nothing of what it finds that could be compared
        return Proof(
            self.compiled.rule,
            target,
            self.language,
            self.seat.names[detection.language],
            grade,
            digest_of_query(detection),
            detection.window,
            digest_of_events(fixture),
            self.cases,
            tuple(self.faults),
            reason,
            telling=self.telling,
        )


def _run_case(case: Case, trials: Sequence[_Trial], stand: Stand, taxonomy: Taxonomy) -> None:
    if not trials:
        return
    expected = truth(trials[0].compiled.rule, case.events, taxonomy)
    stand.lookups = case.tables
    for seat in {id(trial.seat): trial.seat for trial in trials}.values():
        evidence = gather(stand, seat.client, expected, case.events, case.ingested)
        for trial in trials:
            if trial.seat is not seat or trial.unsupported:
                continue
            trial.cases += 1
            trial.telling += bool(expected.positions or expected.instants)
            try:
                found = differences(trial.compiled, seat.client, evidence, taxonomy)
                trial.faults += ((case.name, difference.message) for difference in found)
            except QueryRejected as rejected:
                if rejected.stage == "unsupported":
                    trial.unsupported = f"the engine's adapter cannot run it: {rejected.message}"
                else:
                    trial.faults.append((case.name, f"the engine rejects the query ({rejected.stage}): {rejected.message}"))
