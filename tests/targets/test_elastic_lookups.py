"""Looked-up fields in Elastic's queries: names, keys, the joins of ES|QL, lists written into Lucene and EQL, refusals."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from insigma.bind.model import AllOf, AnyOf, Negated, Refused
from insigma.bind.model import Test as LeafTest
from insigma.content.folding import fold
from insigma.content.lookups import CALENDAR_COLUMNS, Found, Held, Hours, Lookup, RowTest
from insigma.content.model import TargetField, TargetLogSource, TargetMapping
from insigma.content.predicate import Constant, Exists
from insigma.targets.elastic.inlining import settled
from insigma.targets.elastic.lookups import as_stored, lookup_column, lookup_columns, lookup_index, lookup_key
from tests.targets.elastic_harness import bound_event, correlation, event_rule
from tests.targets.elastic_lookups import BY_CLAIM, BY_USER, LOOKUPS, WATCHED, asked, compiled, flag, mapping

FLAG = "insurance.context.entitled"
BY = {one.field: one for one in LOOKUPS}
CHEROKEE = [*range(0x13A0, 0x13F6), *range(0x13F8, 0x13FE), *range(0xAB70, 0xABC0)]


def test_names_of_the_lookup_index() -> None:
    assert lookup_index("claim_assignment") == "insigma-claim_assignment"
    assert lookup_column("claim_assignment", "valid_from") == "insigma_claim_assignment.valid_from"
    assert lookup_columns("work_calendar", CALENDAR_COLUMNS[:2]) == (
        ("insigma_work_calendar.calendar", "keyword"),
        ("insigma_work_calendar.day", "double"),
    )
    assert lookup_columns("t", (("end", "time"),)) == (("insigma_t.end", "long"),)


@pytest.mark.parametrize("table", ["", "T", "1t", "a-b", "a b", "a.b", "a,b", "*", "t|DROP", "a" * 64, "t\n", "ä"])
def test_a_name_that_no_index_can_have_is_refused(table: str) -> None:
    with pytest.raises(Refused, match="name of a lookup index"):
        lookup_index(table)
    with pytest.raises(Refused, match="name of a lookup index"):
        asked(f"{FLAG}: 'yes'", flag("entitled", table, BY_USER, Held("entitled")))


@pytest.mark.parametrize("column", ["", "1", "a.b", "a b", "`a`", 'a"', "a\n", "ä", "a" * 64])
def test_a_column_that_no_query_can_name_is_refused(column: str) -> None:
    with pytest.raises(Refused, match="cannot be named"):
        lookup_column("t", column)
    for verdict in (Held(column), Found((RowTest(column, "lt", "@timestamp"),))):
        with pytest.raises(Refused, match="cannot be named"):
            asked(f"{FLAG}: 'yes'", flag("entitled", "t", BY_USER, verdict))
    with pytest.raises(Refused, match="cannot be named"):
        asked(f"{FLAG}: 'yes'", flag("entitled", "t", ((column, "user.name"),), Found()))


@pytest.mark.parametrize(
    ("values", "key"),
    [
        (("Anna",), "anna"),
        (("a|b\\c",), "a|b\\c"),
        (("A|b\\", "c|D\\"), "a\\|b\\\\|c|d\\"),
        (("a", "b", "c"), "a|b|c"),
        (("ΣΊΓΜΑΣ ſ µ İ ẞ",), "σίγμασ s μ i ß"),
    ],
)
def test_keys(values: tuple[str, ...], key: str) -> None:
    assert lookup_key(values) == key


def test_two_rows_never_have_one_key() -> None:
    parts = ["a", "|", "\\", "a|", "|a", "\\|", "|\\", "a\\|b", "\\\\"]
    keys = [lookup_key((one, two, three)) for one in parts for two in parts for three in parts]
    assert len(set(keys)) == len(parts) ** 3


@pytest.mark.parametrize("values", [(), ("",), ("a", "")])
def test_a_row_without_a_key_has_none(values: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="never found"):
        lookup_key(values)


def test_keys_fold_as_the_pack_does_but_for_what_the_page_says() -> None:
    letters = [chr(code) for code in range(0x20000) if not 0xD800 <= code < 0xE000 and code not in CHEROKEE]
    assert [letter for letter in letters if as_stored(letter) != fold(letter)] == ["İ"]


def test_a_join_on_two_keys_with_a_validity() -> None:
    found = asked("insurance.context.assigned_to_actor: 'no'")
    assert (found.language, found.window) == ("esql", "event")
    assert found.notes == ("looks insurance.context.assigned_to_actor up in claim_assignment (as of its last refresh, at most 15m)",)
    assert (
        found.query
        == r'''FROM logs-insurance.claims-* METADATA _id, _index, _version
| WHERE insurance.logsource == "insurance_claims"
    AND event.action == "claim-view"
| EVAL insigma_key = CASE(
    insurance.claim.id != "" AND user.name != "", CONCAT(REPLACE(insurance.claim.id, """([\\|])""", """\\$1"""), "|", user.name))
| LOOKUP JOIN insigma-claim_assignment ON insigma_key
| EVAL insigma_assigned_to_actor = CASE(
    insigma_key IS NULL OR @timestamp IS NULL, "unknown",
    insigma_claim_assignment.claim IS NULL, "no",
    insigma_claim_assignment.valid_from <= TO_LONG(@timestamp)
      AND (insigma_claim_assignment.valid_to IS NULL OR insigma_claim_assignment.valid_to >= TO_LONG(@timestamp)), "yes",
    "no")
| WHERE insigma_assigned_to_actor == "no"
| DROP insigma_key, insigma_claim_assignment.*
| LIMIT 10000'''
    )


def test_one_join_for_one_key_and_working_hours() -> None:
    found = asked(
        "insurance.context.over_authority: 'yes', insurance.context.near_authority_limit|neq: 'yes', insurance.context.off_hours: 'yes'"
    )
    assert found.notes == (
        "looks insurance.context.over_authority and insurance.context.near_authority_limit up in authority (as of its last refresh)",
        "looks insurance.context.off_hours up in work_calendar (as of its last refresh, at most 30d)",
    )
    assert (
        found.query.split("\n| ", 2)[2]
        == r'''EVAL insigma_key = CASE(user.name != "", user.name)
| LOOKUP JOIN insigma-authority ON insigma_key
| EVAL insigma_over_authority = CASE(
    insigma_key IS NULL OR COALESCE(MV_COUNT(insurance.payment.amount), 0) != 1, "unknown",
    insigma_authority.user IS NULL, "unknown",
    insigma_authority.limit < insurance.payment.amount, "yes",
    "no")
| EVAL insigma_near_authority_limit = CASE(
    insigma_key IS NULL OR COALESCE(MV_COUNT(insurance.payment.amount), 0) != 1, "unknown",
    insigma_authority.user IS NULL, "unknown",
    insigma_authority.limit >= insurance.payment.amount
      AND insigma_authority.limit * 0.95 <= insurance.payment.amount, "yes",
    "no")
| EVAL insigma_day = TO_LONG(FLOOR(TO_LONG(@timestamp) / 86400000.0)),
    insigma_minute = (TO_LONG(@timestamp) - insigma_day * 86400000) / 60000,
    insigma_key = CONCAT(CASE(
      MV_COUNT(MV_DEDUPE(MV_APPEND(user.roles, "night shift"))) == MV_COUNT(MV_DEDUPE(user.roles)), "night",
      insurance.actor.role == "regional", """s\|\\üd""",
      "default"), "|", TO_STRING(insigma_day))
| LOOKUP JOIN insigma-work_calendar ON insigma_key
| EVAL insigma_off_hours = CASE(
    insigma_work_calendar.calendar IS NULL, "unknown",
    insigma_work_calendar.open1 <= insigma_minute AND insigma_minute < insigma_work_calendar.close1, "no",
    insigma_work_calendar.open2 <= insigma_minute AND insigma_minute < insigma_work_calendar.close2, "no",
    "yes")
| WHERE insigma_over_authority == "yes"
    AND NOT COALESCE(insigma_near_authority_limit == "yes", false)
    AND insigma_off_hours == "yes"
| DROP insigma_key, insigma_day, insigma_minute, insigma_authority.*, insigma_work_calendar.*
| LIMIT 10000'''
    )


def test_keys_that_are_no_lower_case_text() -> None:
    found = asked("insurance.context.new_device: 'yes'")
    assert 'MV_COUNT(insurance.record_count) == 1 AND device.id != "" AND MV_COUNT(source.ip) == 1' in found.query
    assert 'REPLACE(TO_STRING(insurance.record_count), """([\\\\|])""", """\\\\$1""")' in found.query
    assert 'REPLACE(TO_LOWER(device.id), """([\\\\|])""", """\\\\$1"""), "|", TO_STRING(source.ip))' in found.query
    assert found.notes[1].startswith("device.id is stored in any case and lower-cased for the look-up")


def test_working_hours_of_one_calendar() -> None:
    found = asked("insurance.context.surge: 'yes'")
    assert 'insigma_key = CONCAT("default", "|", TO_STRING(insigma_day))' in found.query


def test_hostile_words_stay_text() -> None:
    word = 'x", "yes") | DROP * //\n\\'
    found = asked(f"{FLAG}: maybe", flag("entitled", "t", BY_USER, Held("entitled", word)))
    assert """"x\\", \\"yes\\") | drop * //\\n\\\\")""" in found.query
    hours = Hours(((word, "user.roles", word),))
    assert found.query.count("\n| ") == 7
    found = asked("insurance.context.off_hours: 'yes'", flag("off_hours", "t", (), hours))
    assert '''"x\\", \\"yes\\") \\\\| drop * //\\n\\\\\\\\"''' in found.query
    assert found.query.count("\n| ") == 7


def test_the_joins_of_a_correlation_come_before_its_members_and_after_what_is_stored() -> None:
    view = event_rule("s: {event.action: claim-view, insurance.context.entitled: 'no'}\ncondition: s", "view", 1)
    own = event_rule("s: {event.action: claim-export}\ncondition: s", "own", 2)
    body = "type: temporal\nrules: [view, own]\ngroup-by: [user.name, insurance.context.restricted_party]\ntimespan: 1h"
    found = compiled(mapping(), view, own, correlation(body))
    assert found.group_fields == ("user.name", "insigma_restricted_party")
    assert found.notes[1:] == (
        "looks insurance.context.entitled up in entitlement (as of its last refresh, at most 1h)",
        "looks insurance.context.restricted_party up in claim_assignment (as of its last refresh, at most 15m)",
    )
    commands = found.query.split("\n| ")
    assert commands[1] == (
        'WHERE insurance.logsource == "insurance_claims"\n'
        '    AND (event.action == "claim-view" OR event.action == "claim-export")\n    AND user.name IS NOT NULL'
    )
    assert [command.split(" ON ")[0] for command in commands if "JOIN" in command] == [
        "LOOKUP JOIN insigma-entitlement",
        "LOOKUP JOIN insigma-claim_assignment",
    ]
    assert commands[8] == 'WHERE (event.action == "claim-view" AND insigma_entitled == "no")\n    OR event.action == "claim-export"'
    assert commands[9].startswith("EVAL hit_1 = CASE(")
    assert "DROP" not in found.query


@pytest.mark.parametrize("rules", ["[view]", "[view, own]"])
def test_nothing_is_asked_twice_where_only_a_group_is_looked_up(rules: str) -> None:
    view = event_rule("s: {event.action: claim-view}\ncondition: s", "view", 1)
    own = event_rule("s: {event.action: claim-export}\ncondition: s", "own", 2)
    body = f"type: event_count\nrules: {rules}\ngroup-by: [{FLAG}]\ntimespan: 1h\ncondition: {{gte: 3}}"
    found = compiled(mapping(), view, own, correlation(body))
    assert found.query.count("| WHERE ") == 2
    assert "insigma_entitled IS NOT NULL" not in found.query
    with pytest.raises(Refused, match=r"EQL cannot join: 'insurance\.context\.entitled' is looked up in table entitlement") as caught:
        compiled(mapping(), view, own, correlation(body), language="eql")
    assert caught.value.where == ("correlation", "group-by")


def test_a_member_that_tests_nothing_stored_lets_its_log_source_through() -> None:
    flagged = event_rule("s: {insurance.context.entitled: 'no'}\ncondition: s", "flagged", 1)
    view = event_rule("s: {event.action: claim-view, insurance.context.entitled: 'yes'}\ncondition: s", "view", 2)
    again = event_rule("s: {event.action: claim-view, insurance.context.entitled: unknown}\ncondition: s", "again", 3)
    pay = event_rule("s: {event.action: payment-release}\ncondition: s", "pay", 4, "insurance_payment")

    def first(*names: str) -> str:
        body = f"type: event_count\nrules: [{', '.join(names)}]\ngroup-by: [user.name]\ntimespan: 1h\ncondition: {{gte: 30}}"
        return compiled(mapping(), flagged, view, again, pay, correlation(body)).query.split("\n| ")[1]

    assert first("flagged", "view") == 'WHERE insurance.logsource == "insurance_claims"\n    AND user.name IS NOT NULL'
    assert first("view", "again") == (
        'WHERE insurance.logsource == "insurance_claims"\n    AND event.action == "claim-view"\n    AND user.name IS NOT NULL'
    )
    assert first("view", "pay", "flagged") == (
        'WHERE (\n      (insurance.logsource == "insurance_payment" AND event.action == "payment-release")\n'
        '      OR insurance.logsource == "insurance_claims"\n    )\n    AND user.name IS NOT NULL'
    )


@pytest.mark.parametrize(
    ("words", "lucene", "eql"),
    [
        ("'yes'", 'AND user.name:("anna" OR "dörte")', 'and user.name in ("anna", "dörte")'),
        (
            "'no'",
            'AND _exists_:user.name\nAND NOT user.name:""\nAND NOT user.name:("anna" OR "dörte")',
            'and user.name != null\n  and not (user.name == "")\n  and not (user.name in ("anna", "dörte"))',
        ),
        (
            "unknown",
            'AND NOT (_exists_:user.name AND NOT user.name:"")',
            'and not (user.name != null and not (user.name == ""))',
        ),
        ("['yes', 'no']", 'AND _exists_:user.name\nAND NOT user.name:""', 'and user.name != null\n  and not (user.name == "")'),
        ("[unknown, 'no']", 'AND NOT user.name:("anna" OR "dörte")', 'and not (user.name in ("anna", "dörte"))'),
        (
            "['yes', unknown]",
            'AND (user.name:("anna" OR "dörte") OR (*:* AND NOT (_exists_:user.name AND NOT user.name:"")))',
            'and (user.name in ("anna", "dörte") or not (user.name != null and not (user.name == "")))',
        ),
    ],
)
def test_a_list_is_written_into_lucene_and_eql(words: str, lucene: str, eql: str) -> None:
    for language, condition in (("lucene", lucene), ("eql", eql)):
        found = asked(f"{WATCHED}: {words}", language=language)
        assert found.query.partition('"claim-view"')[2].strip() == condition
        assert found.notes == ("list watched is written into the query as of the build: rebuild every 24h (its refresh)",)
    assert asked(f"{WATCHED}: {words}").language == "lucene"


def test_other_lists() -> None:
    one = replace(BY[WATCHED], values=("Anna",), refresh="")
    found = asked(f"{WATCHED}: 'yes'", one)
    assert found.query.endswith('\nAND user.name:"anna"')
    assert found.notes == ("list watched is written into the query as of the build: rebuild when it changes",)
    assert asked(f"{WATCHED}: 'yes'", replace(one, values=())).query.endswith("\nAND *:*\nAND NOT *:*")
    with pytest.raises(Refused, match="more than the 1024"):
        asked(f"{WATCHED}: 'yes'", replace(one, values=tuple(map(str, range(1025)))), language="eql")
    assert asked(f"{WATCHED}: 'yes'", replace(one, values=tuple(map(str, range(1025))))).language == "esql"
    assert asked(f"{WATCHED}: 'yes'", replace(one, values=None)).language == "esql"
    hostile = asked(f"{WATCHED}: 'yes'", replace(one, values=('" OR *:*', "a\\")))
    assert hostile.query.endswith('AND user.name:("\\" or *:*" OR "a\\\\")')
    anycase = asked(f"{WATCHED}: 'yes'", one, fields={"user.name": TargetField("user.name", "keyword", "any")})
    assert anycase.query.endswith("\nAND user.name:/[Aa][Nn][Nn][Aa]/")
    folded = asked(f"{WATCHED}: 'yes'", one, language="eql", fields={"user.name": TargetField("user.name", "keyword", "any")})
    assert folded.query.endswith('\n  and user.name : "anna"')
    assert folded.notes[0].startswith("Elastic ignores the case of ASCII letters only")


def test_a_list_in_a_sequence() -> None:
    view = event_rule(f"s: {{event.action: claim-view, {WATCHED}: 'yes'}}\ncondition: s", "view", 1)
    body = "type: event_count\nrules: [view]\ngroup-by: [user.name]\ntimespan: 1h\ncondition: {gte: 3}"
    found = compiled(mapping(), view, correlation(body))
    assert (found.language, found.window) == ("eql", "exact")
    assert 'and user.name in ("anna", "dörte")] with runs=3' in found.query
    assert found.notes[-1] == "list watched is written into the query as of the build: rebuild every 24h (its refresh)"
    joined = compiled(mapping(), view, correlation(body), language="esql")
    assert "LOOKUP JOIN insigma-watched ON insigma_key" in joined.query


@pytest.mark.parametrize("language", ["Lucene", "EQL"])
@pytest.mark.parametrize(
    "test",
    [
        "insurance.context.assigned_to_actor: 'no'",
        f"{FLAG}: 'no'",
        "insurance.context.off_hours: 'yes'",
        f"user.name|fieldref: {FLAG}",
        f"{WATCHED}|fieldref: user.name",
        f"{WATCHED}|re|i: '^y'",
    ],
)
def test_what_cannot_join_says_so(language: str, test: str) -> None:
    with pytest.raises(Refused, match=rf"^{language} cannot join: 'ins.*' is looked up in table [a-z_]+$") as caught:
        asked(test, language=language.lower())
    assert caught.value.where == ("detection",)
    assert asked(test).language == "esql"


def test_tests_that_the_words_decide_need_no_look_up() -> None:
    for test in (f"{FLAG}|exists: true", "insurance.context.over_authority: ['yes', 'no', UNKNOWN]", f"{WATCHED}: '??*'"):
        assert asked(test).query.endswith('\nAND event.action:"claim-view"')
    for test in (f"{FLAG}: null", "insurance.context.off_hours: maybe", f"{WATCHED}|contains: x"):
        assert asked(test).query.endswith("\nAND *:*\nAND NOT *:*")
    assert asked("insurance.context.off_hours|exists: false", language="eql").query.endswith("\n  and false")
    missing = flag("over_authority", "authority", BY_USER, Found((), "Maybe"))
    assert 'IS NULL, "maybe", "yes")' in asked("insurance.context.over_authority: maybe", missing).query
    assert "*:*" in asked("insurance.context.over_authority: 'no'", missing).query


def test_what_is_settled_leaves_no_constants_behind() -> None:
    rule = event_rule(f"s: {{event.action: claim-view}}\nt: {{{FLAG}: null}}\nu: {{{FLAG}: 'no'}}\ncondition: s and not t and (t or u)")
    assert not {"true", "false", "OR"} & set(compiled(mapping(), rule).query.split())
    own = bound_event("s: {event.action: claim-view}\ncondition: s")
    looked = LeafTest("insigma_entitled", mapping().fields[FLAG], FLAG, Exists(True), False)
    for predicate in (AllOf((Constant(True), own.predicate, looked)), AnyOf((Constant(False), Negated(looked), own.predicate))):
        assert settled(replace(own, predicate=predicate)) == own
    assert settled(replace(own, predicate=AnyOf((own.predicate, looked)))) == replace(own, predicate=Constant(True))
    untouched = replace(own, predicate=AllOf((Constant(True), own.predicate)))
    assert settled(untouched) == untouched


def test_keywords_do_not_look_into_flags_of_fixed_words() -> None:
    found = compiled(mapping(BY["insurance.context.over_authority"], BY[WATCHED]), event_rule("s: [whoami]\ncondition: s"))
    assert found.language == "lucene"
    assert "insigma" not in found.query
    assert compiled(mapping(), event_rule("s: [whoami]\ncondition: s")).language == "esql"  # a table may hold any word


NO_PLACE = TargetField("p", "keyword", "lower")
FIELDS: tuple[tuple[Lookup, dict[str, TargetField], str], ...] = (
    (flag("entitled", "t", (("k", "user.roles"),), Found()), {}, "looked up by 'user.roles', which may hold several values"),
    (flag("entitled", "t", (("k", "no.where"),), Found()), {}, "'no.where' has no place in the elastic mapping"),
    (flag("entitled", "t", (("k", FLAG),), Found()), {}, "is itself looked up"),
    (flag("entitled", "t", (("k", "insurance.fraud.score"),), Found()), {}, "stored as float by elastic: keys are compared as text"),
    (flag("entitled", "t", (("k", "@timestamp"),), Found()), {}, "stored as date by elastic: keys are compared as text"),
    (flag("entitled", "t", BY_USER, Found((RowTest("a", "lt", "user.roles"),))), {}, "compared with 'user.roles', which may hold several"),
    (flag("entitled", "t", BY_USER, Found((RowTest("a", "lt", "user.id"),))), {}, "compared with 'user.id', which is stored as keyword"),
    (flag("entitled", "t", BY_USER, Found((RowTest("a", "lt", "insurance.fraud.score"),))), {}, "which is stored as float"),
    (flag("entitled", "t", BY_USER, Found((RowTest("a", "lt", "nothing"),))), {}, "'nothing' has no place"),
    (flag("entitled", "t", (), Hours((("c", "insurance.record_count", "1"),))), {}, "chooses a working calendar by its text"),
    (
        flag("entitled", "t", (), Hours()),
        {"@timestamp": TargetField("@timestamp", "date_nanos", "any")},
        "stored as date_nanos by elastic: a look-up by time needs milliseconds",
    ),
    (flag("entitled", "t", BY_USER, Held("h")), {"x": replace(NO_PLACE, name="insigma_key")}, "'insigma_key' is the name of a column"),
    (flag("entitled", "t", BY_USER, Held("h")), {"x": replace(NO_PLACE, name="insigma_entitled")}, "'insigma_entitled' is the name"),
    (flag("entitled", "t", BY_USER, Held("h")), {"x": replace(NO_PLACE, name="insigma_t.h")}, "'insigma_t.h' is the name of a column"),
)


@pytest.mark.parametrize(("lookup", "fields", "reason"), FIELDS, ids=[reason for _, _, reason in FIELDS])
def test_what_cannot_be_looked_up_is_refused(lookup: Lookup, fields: dict[str, TargetField], reason: str) -> None:
    with pytest.raises(Refused) as caught:
        asked(f"{FLAG}: 'yes'", lookup, language="esql", fields=fields)
    assert reason in caught.value.reason
    assert caught.value.where == ("detection",)
    assert caught.value.unmapped == ("has no place" in reason)


@pytest.mark.parametrize("keys", [(("value", "user.roles"),), (("value", "source.ip"),), (("value", "no.where"),)])
def test_a_list_by_what_is_no_single_text_is_not_written_out(keys: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(Refused, match=r"list is looked up by|has no place"):
        asked(f"{WATCHED}: 'yes'", replace(BY[WATCHED], keys=keys), language="lucene")


@pytest.mark.parametrize("column", ["insigma_key", "insigma_day", "insigma_minute", "a.b", "a b", "a`", "1", ""])
def test_a_column_that_cannot_be_made_is_refused(column: str) -> None:
    made = TargetField(column, "keyword", "lower", lookup=BY[FLAG])
    with pytest.raises(Refused, match="cannot be the column of a looked-up field"):
        asked(f"{FLAG}: 'yes'", fields={FLAG: made})


def test_two_fields_of_one_column_are_refused() -> None:
    other = TargetField("insigma_entitled", "keyword", "lower", lookup=flag("surge", "t", BY_CLAIM, Held("h")))
    with pytest.raises(Refused, match="cannot be the column"):
        asked(f"{FLAG}: 'yes', insurance.context.surge: a", fields={"insurance.context.surge": other})


def test_a_remote_cluster_cannot_be_joined() -> None:
    own = mapping()
    remote = TargetLogSource("insurance_claims", {"index": "far:logs-*"}, 0)
    far: TargetMapping = replace(own, logsources=MappingProxyType({**own.logsources, "insurance_claims": remote}))
    rule = event_rule(f"s: {{{FLAG}: 'yes'}}\ncondition: s")
    with pytest.raises(Refused, match="remote cluster cannot be joined") as caught:
        compiled(far, rule, language="esql")
    assert caught.value.where == ("logsource",)
    assert compiled(far, event_rule("s: {event.action: claim-view}\ncondition: s"), language="esql").query.startswith("FROM far:logs-* ")


def test_a_mapping_with_lookups_changes_no_query_that_reads_none() -> None:
    rule = event_rule("s: {user.name: anna}\ncondition: s")
    bare = replace(mapping(), fields=MappingProxyType({name: field for name, field in mapping().fields.items() if field.lookup is None}))
    for language in ("lucene", "eql", "esql"):
        assert compiled(mapping(), rule, language=language) == compiled(bare, rule, language=language)
