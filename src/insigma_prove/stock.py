"""Stock backends before engines: `pysigma:sqlite` on SQLite, `pysigma:loki` through Loki's own parser.

What a stock backend writes is not ours to answer for and stays *unverified* in the ledger. Its event rules can be judged all
the same: executed where the engine executes, else only parsed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from insigma.assure.fixtures import reference_rules, with_logsources
from insigma.content.lists import default_lists
from insigma.content.model import AnyRule, Fixture, Pack, Rule
from insigma.evaluate.events import flatten, text_of, values_of
from insigma.packages.base import PackContext
from insigma.release.proofs import digest_of_events, digest_of_query
from insigma.release.workshops import PYSIGMA_PREFIX, Workshop, open_workshop
from insigma.targets.base import Detection, Refused
from insigma_prove.engines import ENGINES
from insigma_prove.judge import events_differ
from insigma_prove.process import EngineProcess
from insigma_prove.prove import Bench, Proof, Seat
from insigma_prove.reference import truth

STOCK = tuple(spec.target for spec in ENGINES if spec.target.startswith(PYSIGMA_PREFIX))


def prove_stock(
    pack: Pack, targets: Sequence[str], bench: Bench, concerns: Callable[[AnyRule], bool], tell: Callable[[str, str], None]
) -> Iterator[Proof]:
    """One proof for each rule and stock target. Raises `UnknownTarget` for a backend that is not installed."""
    reference = reference_rules(pack, default_lists(pack))
    fixtures = reference.fixtures(pack)
    context = PackContext.of_default(pack)
    for target in targets:
        shop = open_workshop(target, pack, default_lists(pack), context)
        for rule in reference.distinct():
            if concerns(rule):
                tell(target, rule.header.label)
                yield from _of_rule(rule, shop, pack, bench, fixtures.get(rule.header.label))


def _of_rule(rule: AnyRule, shop: Workshop, pack: Pack, bench: Bench, fixture: Fixture | None) -> Iterator[Proof]:
    target = shop.name
    language = target.removeprefix(PYSIGMA_PREFIX)
    try:
        if not isinstance(rule, Rule):
            raise Refused("correlations of stock backends are not judged")
        detection = shop.compile(rule)
    except Refused as refusal:
        yield Proof(rule, target, language, "", "unchecked", reason=refusal.reason, refused=True)
        return
    seats = bench.seats(target, language)
    if not seats:
        yield Proof(rule, target, language, "", "unchecked", digest_of_query(detection), reason="no engine for it is installed")
    for seat in seats:
        grade = seat.grades[language]
        faults = _parsed(detection, seat) if grade == "parsed" else list(_executed(rule, detection, seat, fixture, pack))
        unchecked = "" if fixture is not None or grade == "parsed" else "the rule has no fixture"
        yield Proof(
            rule,
            target,
            language,
            seat.names[language],
            "unchecked" if unchecked else grade,
            digest_of_query(detection),
            detection.window,
            digest_of_events(fixture) if fixture is not None else "",
            len(fixture.cases) if fixture is not None and grade == "executed" else 0,
            tuple(faults),
            unchecked,
        )


def _parsed(detection: Detection, seat: Seat) -> list[tuple[str, str]]:
    assert isinstance(seat.client, EngineProcess)
    reply = seat.client.check(detection.language, detection.query, {})
    return [("", f"the parser rejects the query: {reply['error']['message']}")] if "error" in reply else []


def _executed(rule: Rule, detection: Detection, seat: Seat, fixture: Fixture | None, pack: Pack) -> Iterator[tuple[str, str]]:
    for case in fixture.cases if fixture is not None else ():
        events = with_logsources(case.events, rule, pack)
        expected = truth(rule, events, pack.taxonomy)
        own = [place for place, event in enumerate(events) if _of_source(event, rule, pack)]
        rows = [_row(events[place]) for place in own]
        seat.client.open({"columns": dict.fromkeys(sorted(pack.taxonomy.fields), "")}, rows)
        reply = seat.client.run(detection.language, detection.query, {})
        if "hits" not in reply:
            yield case.name, f"the engine rejects the query: {reply.get('error', {}).get('message', 'it finds no events')}"
            continue
        for difference in events_differ((own[hit] for hit in reply["hits"]), expected):
            yield case.name, difference.message


def _of_source(event: Mapping[str, Any], rule: Rule, pack: Pack) -> bool:
    """Whether the event is of the rule's log source: a stock query asks for none, so its table holds one only."""
    found = pack.taxonomy.find(rule.logsource)
    named = values_of(flatten(event), "insurance.logsource")
    return found is None or not named or any(text_of(value).casefold() == found.name for value in named)


def _row(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event as a flat row; of an array, which a cell cannot hold, its values joined."""
    flat = flatten(event)
    return {name: _cell([*values_of(flat, name)]) for name in flat}


def _cell(values: Sequence[Any]) -> Any:
    return values[0] if len(values) == 1 else " ".join(map(text_of, values)) if values else None
