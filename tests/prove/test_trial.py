"""One detection before an engine. Each window class is shown right answers, and every kind of wrong one, which must be told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from insigma.content.model import AnyRule, Pack
from insigma_prove.judge import Difference
from insigma_prove.reference import truth
from insigma_prove.stands import Compiled, Stand, open_stand
from insigma_prove.trial import QueryRejected, differences, gather, sequence_end, step_ms, tried
from tests.prove.fakes import BURSTS, START, Answer, Fake, at, correlation, event_rule, right

T0 = START.timestamp()


class Setting:
    """A rule compiled for a target, the events, and an engine that is right until its answer is changed."""

    def __init__(self, pack: Pack, target: str, rule: AnyRule, language: str | None = None, events: Sequence[Any] = BURSTS) -> None:
        self.pack = pack
        self.stand: Stand = open_stand(target, pack)
        self.compiled: Compiled = self.stand.compile(rule, language)
        self.events = events
        self.client = Fake(lambda query: {})
        self.truth = truth(rule, events, pack.taxonomy)
        self.evidence = gather(self.stand, self.client, self.truth, events)
        self.right = right(self.compiled, self.truth, events, self.evidence.held)

    def judged(self, answer: Callable[[str], Answer]) -> list[str]:
        self.client.answer = answer
        return [found.message for found in differences(self.compiled, self.client, self.evidence, self.pack.taxonomy)]

    def changed(self, change: Callable[[list[Any]], list[Any]], instants: bool = False) -> list[str]:
        """The verdict on answers changed in the detection's query, or in the one for instants."""

        def answer(query: str) -> Answer:
            said = self.right(query)
            ((kind, found),) = said.items()
            return {kind: change(found)} if (query == self.compiled.instants) is instants else said

        return self.judged(answer)


def of_events(pack: Pack) -> Setting:
    return Setting(pack, "splunk", event_rule())


def exact(pack: Pack) -> Setting:
    return Setting(pack, "splunk", correlation())


def sequence(pack: Pack) -> Setting:
    return Setting(pack, "elastic", correlation(), "eql")


def hopping(pack: Pack) -> Setting:
    return Setting(pack, "elastic", correlation(), "esql")


def sentinel(pack: Pack) -> Setting:
    late = [at(10_000 + 60 * number, "anna") for number in range(3)]
    return Setting(pack, "sentinel", correlation(), events=[*BURSTS[:12], *late])


SETTINGS = (of_events, exact, sequence, hopping)


@pytest.mark.parametrize("setting", SETTINGS)
def test_right_answers_agree(setting: Callable[[Pack], Setting], pack: Pack) -> None:
    made = setting(pack)
    assert made.truth.positions or made.truth.instants, "a setting in which nothing happens shows nothing"
    assert made.judged(made.right) == []


@pytest.mark.parametrize("setting", SETTINGS)
def test_an_engine_that_finds_nothing_is_told(setting: Callable[[Pack], Setting], pack: Pack) -> None:
    made = setting(pack)
    assert made.changed(lambda found: [])


@pytest.mark.parametrize("setting", [of_events, exact, hopping])
def test_whatever_single_thing_is_missing_is_told(setting: Callable[[Pack], Setting], pack: Pack) -> None:
    made = setting(pack)
    ((_, found),) = made.right(made.compiled.detection.query).items()
    for gone in range(len(found)):
        messages = made.changed(lambda found, gone=gone: [one for place, one in enumerate(found) if place != gone])  # type: ignore[misc]
        if setting is hopping and found[gone]["user.name"] == "dora":  # lies in windows of the full timespan alone
            assert messages == []
        else:
            assert messages, f"{found[gone]} is missing, and nobody says so"


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", ["hits", "rows", "sequences"])
def test_an_answer_of_another_kind_is_rejected(setting: Callable[[Pack], Setting], kind: str, pack: Pack) -> None:
    made = setting(pack)
    ((own, _),) = made.right(made.compiled.detection.query).items()
    if kind != own:
        with pytest.raises(QueryRejected, match=f"it finds {kind} where {own} are expected"):
            made.judged(lambda query: {kind: []})
    with pytest.raises(QueryRejected, match="it finds nothing where"):
        made.judged(lambda query: {})


@pytest.mark.parametrize("setting", SETTINGS)
def test_what_the_engine_rejects_is_told_with_its_stage(setting: Callable[[Pack], Setting], pack: Pack) -> None:
    made = setting(pack)
    with pytest.raises(QueryRejected) as raised:
        made.judged(lambda query: {"error": {"stage": "type", "message": "no column x"}})
    assert (raised.value.stage, raised.value.message, str(raised.value)) == ("type", "no column x", "type: no column x")


def test_an_event_too_many_is_told(pack: Pack) -> None:
    made = of_events(pack)
    wrong = next(place for place, event in enumerate(BURSTS) if event["event.action"] == "claim-export")
    assert made.changed(lambda hits: [*hits, wrong]) == [f"the query finds event {wrong}, which the rule does not match"]


def test_events_are_told_by_their_own_positions_where_repeats_are_not_stored(pack: Pack) -> None:
    made = Setting(pack, "elastic", event_rule(), "lucene")
    assert len(made.client.opened[0]) == len(BURSTS) - 1
    assert made.judged(made.right) == []
    assert made.changed(lambda hits: hits[:-1]) == [f"event {len(BURSTS) - 1} matches the rule, but the query does not find it"]


def row(name: str, **changes: Any) -> Callable[[list[Any]], list[Any]]:
    """The rows with one of them changed."""
    return lambda rows: [{**one, **changes} if one["user.name"] == name else one for one in rows]


FIRST, LAST = T0 + 120, T0 + 7260


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (row("anna", insigma_first=FIRST + 60), "group (anna) alerts from"),
        (row("anna", insigma_first=FIRST - 0.001), "group (anna) alerts from"),
        (row("anna", insigma_last=T0 + 180), "group (anna) alerts from"),
        (row("anna", insigma_last=LAST + 3600), "group (anna) alerts from"),
        (row("anna", insigma_value=3), "group (anna) has the value 3.0, by the rule 4"),
        (row("anna", insigma_value="5"), "group (anna) has the value 5.0, by the rule 4"),
        (row("anna", insigma_value=None), "group (anna) has no value, by the rule 4"),
        (row("cleo", **{"user.name": "Cleopatra"}), "group (cleo) alerts by the rule, but not by the query"),
        (lambda rows: [*rows, {**rows[0], "user.name": "ben"}], "group (ben) alerts by the query, but not by the rule"),
        (lambda rows: [*rows, {**rows[0], "user.name": "(search cut short)"}], "group ((search cut short)) alerts by the query"),
        (lambda rows: [*rows, {**rows[1], "user.name": "CLEO"}], "group (cleo) has 2 rows"),
    ],
)
def test_a_wrong_row_of_an_exact_detection_is_told(change: Callable[[list[Any]], list[Any]], message: str, pack: Pack) -> None:
    messages = exact(pack).changed(change)
    assert messages
    assert messages[0].startswith(message)


@pytest.mark.parametrize("column", ["user.name", "insigma_first", "insigma_last"])
def test_a_row_without_one_of_its_columns_is_rejected(column: str, pack: Pack) -> None:
    made = exact(pack)
    for change in (lambda one: {**one, column: None}, lambda one: {name: value for name, value in one.items() if name != column}):
        with pytest.raises(QueryRejected, match=f"nothing in the column {column}"):
            made.changed(lambda rows, change=change: [change(one) for one in rows])  # type: ignore[misc]


def moved(place: int, by_ms: int) -> Callable[[list[Any]], list[Any]]:
    return lambda rows: [{**one, "insigma_ms": str(int(one["insigma_ms"]) + (by_ms if at == place else 0))} for at, one in enumerate(rows)]


@pytest.mark.parametrize(
    ("change", "count"),
    [
        (lambda rows: rows[1:], 1),
        (lambda rows: rows[:-1], 1),
        (moved(0, 1), 2),
        (moved(2, -1), 2),
        (lambda rows: [*rows, {**rows[0], "insigma_group_1": "ben"}], 1),
        (lambda rows: [{**one, "insigma_group_1": "anna"} for one in rows], 4),
    ],
)
def test_a_wrong_instant_is_told_though_all_spans_are_right(change: Callable[[list[Any]], list[Any]], count: int, pack: Pack) -> None:
    assert len(exact(pack).changed(change, instants=True)) == count


def test_a_group_is_the_same_in_any_case(pack: Pack) -> None:
    assert exact(pack).changed(row("anna", **{"user.name": "ANNA"})) == []


def test_sequences_of_an_alert_may_be_fewer_but_not_none(pack: Pack) -> None:
    made = sequence(pack)
    users = [str(BURSTS[made.evidence.held[found[-1]]]["user.name"]) for found in made.right("")["sequences"]]
    first_of_each = [users.index("anna"), users.index("cleo"), users.index("dora"), len(users) - 1 - users[::-1].index("anna")]
    assert made.changed(lambda found: [one for place, one in enumerate(found) if place in first_of_each]) == []
    assert made.changed(lambda found: [one for place, one in enumerate(found) if place != users.index("cleo")]) == [
        "no sequence ends in the alert of group (cleo) at 2026-02-14T10:05:20.000Z"
    ]
    second_burst = [place for place, found in enumerate(made.right("")["sequences"]) if found[-1] >= 11]
    messages = made.changed(lambda found: [one for place, one in enumerate(found) if place not in second_burst])
    assert "no sequence ends in the alert of group (anna) at 2026-02-14T12:01:00.000Z" in messages


def test_a_sequence_that_ends_where_nothing_satisfies_is_told(pack: Pack) -> None:
    made = sequence(pack)
    nobody = next(place for place, position in enumerate(made.evidence.held) if "user.name" not in BURSTS[position])
    for wrong, told in (([0, 1], "(anna)"), ([2, 6], "(ben)"), ([0, 1, nobody], "()")):
        messages = made.changed(lambda found, wrong=wrong: [*found, wrong])  # type: ignore[misc]
        assert len(messages) == 1
        assert told in messages[0]


def test_a_sequence_ends_with_the_group_of_its_last_step(pack: Pack) -> None:
    aliases = {"who": {"view": "user.name", "export": "related.user"}}
    rule = correlation(type="temporal_ordered", rules=["view", "export"], condition=None, aliases=aliases, **{"group-by": ["who"]})
    event = at(5, "anna", "claim-export", **{"related.user": "BEN"})
    assert sequence_end(rule, event) == (round((T0 + 5) * 1000), ("ben",))


def test_a_hopping_detection_may_find_what_the_full_timespan_finds_and_nothing_else(pack: Pack) -> None:
    made = hopping(pack)
    assert step_ms(made.compiled.detection) == 50_000
    assert made.changed(lambda rows: [one for one in rows if one["user.name"] != "dora"]) == []
    messages = made.changed(lambda rows: [*rows, {"user.name": "ben"}])
    assert messages == ["group (ben) alerts by the query, but not by the rule"]
    with pytest.raises(QueryRejected, match="column user"):
        made.changed(lambda rows: [{"value": 4}])


def test_an_engine_is_asked_over_all_events_with_the_look_back_before_them(pack: Pack) -> None:
    for made in (exact(pack), hopping(pack)):
        made.judged(made.right)
        for times in made.client.times:
            assert times["earliest"] < "2026-02-14T09:45:00.000Z"
            assert times["latest"] > "2026-02-14T12:56:38.000Z"
            assert set(made.compiled.detection.scope.items()) <= set(times.items())


def test_what_sentinel_tells_is_the_latest_part(pack: Pack) -> None:
    made = sentinel(pack)
    assert made.compiled.told_ms is not None
    late = [one for one in made.right("")["rows"] if one["user.name" if "user.name" in one else next(iter(one))] == "anna"]
    late = [{**late[0], "InsFirst": late[0]["InsLast"]}]

    def answer(query: str) -> Answer:
        return made.right(query) if query == made.compiled.instants else {"rows": late}

    assert made.judged(answer) == []
    assert made.judged(made.right), "alerts of long ago are told again"
    assert made.judged(lambda query: made.right(query) if query == made.compiled.instants else {"rows": []})
    assert made.judged(lambda query: {"rows": late} if query != made.compiled.instants else {"rows": []})


def test_all_in_one_gives_events_and_judges(pack: Pack) -> None:
    stand = open_stand("splunk", pack)
    compiled = stand.compile(event_rule(), None)
    client = Fake(lambda query: {"hits": [0]})
    assert tried(compiled, stand, client, [at(0, "anna")], pack.taxonomy) == []
    assert tried(compiled, stand, client, [at(0, "anna", "claim-export")], pack.taxonomy) == [
        Difference("the query finds event 0, which the rule does not match")
    ]


def test_events_without_a_time_are_judged_too(pack: Pack) -> None:
    stand = open_stand("splunk", pack)
    event = {name: value for name, value in at(0, "anna").items() if name != "@timestamp"}
    assert tried(stand.compile(event_rule(), None), stand, Fake(lambda query: {"hits": []}), [event], pack.taxonomy) != []
