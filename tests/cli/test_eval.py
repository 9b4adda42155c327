"""`insigma eval`: any Sigma rules on any events."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.cli.harness import Ran, insigma, small_pack, spawn

LOGIN = """title: Failed Login
id: 8a5d6ac9-94b4-4a0b-9d4f-2c8b5a3c6c11
name: failed_login
logsource: {category: authentication}
detection:
  selection: {event.outcome: failure}
  condition: selection
"""
QUIET = """title: No Success
id: 4f1a6d0e-14f4-4b8f-9a55-0d4c1e3b7a22
logsource: {category: authentication}
detection:
  selection: {event.outcome: success}
  condition: not selection
"""
BURST = """title: Burst Of Failed Logins
id: 0d3f7d0e-5f5c-4f53-8f0e-4c8b2b1f7a33
correlation:
  type: event_count
  rules: [REFERENCE]
  group-by: [user.name]
  timespan: 5m
  condition: {gte: 3}
"""


def event(minute: int, user: str = "ann", outcome: str = "failure") -> dict[str, Any]:
    return {"@timestamp": f"2026-03-01T10:{minute:02}:00Z", "event": {"outcome": outcome}, "user": {"name": user}}


EVENTS = [event(0), event(1, outcome="success"), event(1), event(2, "bob"), event(3), event(30)]


def rules(folder: Path, **texts: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.yml").write_text(text, encoding="utf-8")
    return folder


def evaluated(folder: Path, events: bytes | Sequence[Any], *options: str, paths: Sequence[str] = ("rules",)) -> Ran:
    text = events if isinstance(events, bytes) else b"\n".join(json.dumps(entry).encode() for entry in events)
    return insigma("eval", *paths, "--events", "-", *options, cwd=folder, stdin=text)


def objects(ran: Ran) -> dict[str, dict[str, Any]]:
    return {entry["title"]: entry for entry in map(json.loads, ran.lines)}


def test_json_of_an_event_rule_has_exactly_these_keys(tmp_path: Path) -> None:
    rules(tmp_path / "rules", login=LOGIN)
    ran = evaluated(tmp_path, EVENTS, "--json")
    assert (ran.code, ran.err) == (0, "")
    assert [json.loads(line) for line in ran.lines] == [
        {
            "id": "8a5d6ac9-94b4-4a0b-9d4f-2c8b5a3c6c11",
            "title": "Failed Login",
            "path": "rules/login.yml",
            "matches": 5,
            "indexes": [0, 2, 3, 4, 5],
        }
    ]


@pytest.mark.parametrize("reference", ["8a5d6ac9-94b4-4a0b-9d4f-2c8b5a3c6c11", "failed_login"])
@pytest.mark.parametrize("order", ["a_burst first", "z_burst last", "one file, correlation first", "one file, correlation last"])
def test_json_of_a_correlation_adds_its_alerts(reference: str, order: str, tmp_path: Path) -> None:
    burst = BURST.replace("REFERENCE", reference)
    match order:
        case "a_burst first":
            rules(tmp_path / "rules", a_burst=burst, login=LOGIN)
        case "z_burst last":
            rules(tmp_path / "rules", z_burst=burst, login=LOGIN)
        case "one file, correlation first":
            rules(tmp_path / "rules", both=f"{burst}---\n{LOGIN}")
        case _:
            rules(tmp_path / "rules", both=f"{LOGIN}---\n{burst}")
    found = objects(evaluated(tmp_path, EVENTS, "--json"))
    assert sorted(found) == ["Burst Of Failed Logins", "Failed Login"]
    correlation = found["Burst Of Failed Logins"]
    assert set(correlation) == {"id", "title", "path", "matches", "indexes", "alerts"}
    assert (correlation["matches"], correlation["indexes"]) == (3, [0, 2, 4])
    assert correlation["alerts"] == [
        {
            "group": {"user.name": "ann"},
            "first": "2026-03-01T10:00:00.000Z",
            "last": "2026-03-01T10:03:00.000Z",
            "value": 3,
            "indexes": [0, 2, 4],
        }
    ]
    assert "alerts" not in found["Failed Login"]


def test_text_for_people(tmp_path: Path) -> None:
    rules(
        tmp_path / "rules",
        login=LOGIN,
        burst=BURST.replace("REFERENCE", "failed_login"),
        quiet=QUIET.replace("not selection", "not selection and selection"),
    )
    assert evaluated(tmp_path, EVENTS).lines == [
        "Burst Of Failed Logins  (0d3f7d0e-5f5c-4f53-8f0e-4c8b2b1f7a33)",
        "  alert for user.name ann: value 3, 3 events from 2026-03-01T10:00:00.000Z to 2026-03-01T10:03:00.000Z",
        "Failed Login  (failed_login)",
        "  5 events: 0, 2, 3, 4, 5",
        "2 rules of 3 matched in 6 events",
    ]


def test_long_lists_of_positions_are_cut_for_people_only(tmp_path: Path) -> None:
    rules(tmp_path / "rules", login=LOGIN)
    many = [event(0)] * 1_200
    assert "  1,200 events: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ... 1199" in evaluated(tmp_path, many).lines
    assert objects(evaluated(tmp_path, many, "--json"))["Failed Login"]["indexes"] == list(range(1_200))


def as_text(events: Sequence[Mapping[str, Any]], form: str) -> bytes:
    lines = [json.dumps(entry) for entry in events]
    text = {
        "array": json.dumps(list(events)),
        "pretty array": "\n\n" + json.dumps(list(events), indent=2) + "\n",
        "lines": "\n".join(lines),
        "lines with blank ones and CRLF": "\r\n\r\n".join(lines) + "\r\n",
        "byte order mark": "\ufeff" + "\n".join(lines),
    }[form]
    return text.encode("utf-8")


@pytest.mark.parametrize("form", ["array", "pretty array", "lines", "lines with blank ones and CRLF", "byte order mark"])
@pytest.mark.parametrize("source", ["file", "gzip", "-"])
def test_forms_of_event_files(form: str, source: str, tmp_path: Path) -> None:
    rules(tmp_path / "rules", login=LOGIN)
    text = as_text(EVENTS, form)
    (tmp_path / "events.json").write_bytes(text)
    (tmp_path / "events.json.gz").write_bytes(gzip.compress(text))
    where = {"file": "events.json", "gzip": "events.json.gz", "-": "-"}[source]
    ran = insigma("eval", "rules", "--events", where, "--json", cwd=tmp_path, stdin=text)
    assert (ran.code, ran.err) == (0, "")
    assert objects(ran)["Failed Login"]["indexes"] == [0, 2, 3, 4, 5]


def test_nested_objects_and_dotted_names_are_the_same_event(tmp_path: Path) -> None:
    rules(tmp_path / "rules", login=LOGIN, burst=BURST.replace("REFERENCE", "failed_login"))
    dotted = [{"@timestamp": e["@timestamp"], "event.outcome": e["event"]["outcome"], "user.name": e["user"]["name"]} for e in EVENTS]
    mixed = [{"@timestamp": e["@timestamp"], "event": {"outcome": e["event"]["outcome"]}, "user.name": e["user"]["name"]} for e in EVENTS]
    assert (
        evaluated(tmp_path, dotted, "--json").out == evaluated(tmp_path, EVENTS, "--json").out == evaluated(tmp_path, mixed, "--json").out
    )


def test_time_field(tmp_path: Path) -> None:
    rules(tmp_path / "rules", burst=BURST.replace("REFERENCE", "failed_login"), login=LOGIN)
    renamed = [
        {"log": {"time": entry["@timestamp"]}, **{key: value for key, value in entry.items() if key != "@timestamp"}} for entry in EVENTS
    ]
    found = objects(evaluated(tmp_path, renamed, "--json", "--time-field", "log.time"))
    assert found["Burst Of Failed Logins"]["indexes"] == [0, 2, 4]
    lost = evaluated(tmp_path, renamed, "--json")
    assert objects(lost)["Burst Of Failed Logins"]["alerts"] == []
    assert objects(lost)["Failed Login"]["matches"] == 5
    assert lost.err == "insigma: 5 matching events without a readable '@timestamp' took no part in correlations\n"


FAULTY = b'{"event.outcome": "failure"}\n{"event.outcome": \n"text"\n[1]\n{"event.outcome": "failure"}\n'


def test_faulty_lines_are_told_by_number_and_keep_their_position(tmp_path: Path) -> None:
    rules(tmp_path / "rules", login=LOGIN)
    ran = evaluated(tmp_path, FAULTY, "--json")
    assert ran.code == 3
    assert objects(ran)["Failed Login"]["indexes"] == [0, 4]
    assert ran.err.splitlines() == [
        "insigma: -: line 2 is not JSON",
        "insigma: -: line 3 is no object",
        "insigma: -: line 4 is no object",
        "insigma: 3 events could not be read",
    ]


def test_a_faulty_line_is_no_event(tmp_path: Path) -> None:
    rules(tmp_path / "rules", login=LOGIN)
    assert evaluated(tmp_path, FAULTY).lines[-1] == "1 rule of 1 matched in 2 events"
    assert evaluated(tmp_path, b"nonsense").lines == ["0 rules of 1 matched in 0 events"]


def test_gzip_where_none_is_expected_is_told(tmp_path: Path) -> None:
    rules(tmp_path / "rules", login=LOGIN)
    packed = gzip.compress(b'{"event.outcome": "failure"}')
    (tmp_path / "events.json").write_bytes(packed)
    for where, shown in (("-", "standard input"), ("events.json", "events.json")):
        ran = insigma("eval", "rules", "--events", where, cwd=tmp_path, stdin=packed)
        assert (ran.code, ran.out, ran.err) == (3, "", f"insigma: {shown} looks like gzip: unpack it first\n")


def test_a_faulty_line_matches_nothing_not_even_what_is_absent(tmp_path: Path) -> None:
    rules(tmp_path / "rules", quiet=QUIET)
    assert objects(evaluated(tmp_path, FAULTY, "--json"))["No Success"]["indexes"] == [0, 4]


def test_faulty_elements_of_an_array_are_told_by_position(tmp_path: Path) -> None:
    rules(tmp_path / "rules", login=LOGIN)
    ran = evaluated(tmp_path, b'[1, {"event.outcome": "failure"}, null]', "--json")
    assert ran.code == 3
    assert objects(ran)["Failed Login"]["indexes"] == [1]
    assert "element 0 is no object" in ran.err
    assert "element 2 is no object" in ran.err


def test_only_the_first_faulty_lines_are_told_one_by_one_but_all_are_counted(tmp_path: Path) -> None:
    rules(tmp_path / "rules", login=LOGIN)
    ran = evaluated(tmp_path, b"nonsense\n" * 2_000)
    assert len(ran.err.splitlines()) < 10
    assert "2,000 events could not be read" in ran.err


@pytest.mark.parametrize("text", [b"[{]", b'[{"a": 1}', b'[{"a": 1}] trailing'])
def test_a_broken_array_is_no_events(text: bytes, tmp_path: Path) -> None:
    rules(tmp_path / "rules", login=LOGIN)
    ran = evaluated(tmp_path, text)
    assert (ran.code, ran.out) == (3, "")
    assert "begins like a JSON array and is none" in ran.err


@pytest.mark.parametrize("content", [b"no gzip", gzip.compress(b'{"a": 1}\n' * 1000, mtime=0)[:-20], b"\x1f\x8b\x08\x00" + bytes(30)])
def test_a_broken_gzip_file_is_told(content: bytes, tmp_path: Path) -> None:
    rules(tmp_path / "rules", login=LOGIN)
    (tmp_path / "events.gz").write_bytes(content)
    ran = insigma("eval", "rules", "--events", "events.gz", cwd=tmp_path)
    assert ran.code == 3
    assert "events.gz: not readable as gzip" in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("text", [b"", b"\n\n", b"[]"])
def test_no_events_match_nothing(text: bytes, tmp_path: Path) -> None:
    rules(tmp_path / "rules", login=LOGIN, quiet=QUIET)
    ran = evaluated(tmp_path, text)
    assert (ran.code, ran.lines) == (0, ["0 rules of 2 matched in 0 events"])


ODD = [
    (b'{"event.outcome": "failure", "x": "\\ud800"}', [0]),
    (b'{"event.outcome": "failure", "x": 123456789012345678901234567890}', [0]),
    (b'{"event.outcome": "failure", "\\udfff": 1, "y": ["\\ud800", {"z": "\\udc00"}]}', [0]),
    (b'{"event.outcome": "failure", "x": NaN}', []),
    (b'{"event.outcome": "failure", "x": "\xff"}', []),
    (b'{"x":' * 3_000 + b"1" + b"}" * 3_000, []),
    (b'{"event.outcome": "failure", "x": ' + b"9" * 5_000 + b"}", []),
]


@pytest.mark.parametrize(("line", "indexes"), ODD)
def test_odd_json_is_read_or_told(line: bytes, indexes: list[int], tmp_path: Path) -> None:
    rules(tmp_path / "rules", login=LOGIN)
    ran = evaluated(tmp_path, line, "--json")
    assert objects(ran)["Failed Login"]["indexes"] == indexes
    assert ("could not be read" in ran.err) == (not indexes)
    assert ran.code == (0 if indexes else 3)
    assert "Traceback" not in ran.err


def test_numbers_beyond_64_bits_and_text_beyond_unicode_can_be_told(tmp_path: Path) -> None:
    summed = BURST.replace("event_count", "value_sum").replace("{gte: 3}", "{gte: 3, field: amount}").replace("REFERENCE", "failed_login")
    odd = os.fsdecode(b"caf\xe9")
    rules(tmp_path / "rules", login=LOGIN, **{odd: summed})
    big = [{**event(0), "amount": 2**70}, {**event(1), "amount": "1"}, {**event(1, "j\ud800"), "amount": 4}]
    found = objects(evaluated(tmp_path, big, "--json"))["Burst Of Failed Logins"]
    assert [alert["value"] for alert in found["alerts"]] == [2**70 + 1, 4]
    assert found["path"] == "rules/caf\\udce9.yml"


def test_several_paths_in_and_out_of_a_pack_are_evaluated_together(tmp_path: Path) -> None:
    small_pack(tmp_path / "pack")
    rules(tmp_path / "a", login=LOGIN)
    rules(tmp_path / "b", burst=BURST.replace("REFERENCE", "failed_login"))
    paths = ("a", "b/burst.yml", "pack/rules/claims/claims_system_access_denied.yml")
    found = objects(evaluated(tmp_path, EVENTS, "--json", paths=paths))
    assert sorted(found) == ["Burst Of Failed Logins", "Claims System Access Denied", "Failed Login"]
    assert found["Burst Of Failed Logins"]["matches"] == 3


def test_a_correlation_of_a_pack_finds_its_base_rule_elsewhere_in_the_pack(tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    denied = {"event.action": "claim-view", "event.outcome": "failure", "insurance.actor.type": "human", "user.name": "p.novak"}
    events = [{**denied, "@timestamp": f"2026-03-01T10:00:{second:02}Z", "insurance.logsource": "insurance_claims"} for second in range(12)]
    path = "rules/claims/potential_repeated_unauthorised_claim_access_attempts.yml"
    found = objects(evaluated(folder, events, "--json", paths=(path,)))
    assert [entry["matches"] for entry in found.values()] == [12]


def test_a_rule_of_the_pack_sees_its_own_log_source_only(tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    denied = {"event.action": "claim-view", "event.outcome": "failure", "insurance.actor.type": "human", "user.name": "p.novak"}
    events = [{**denied, "insurance.logsource": "insurance_claims"}, {**denied, "insurance.logsource": "insurance_policy"}, denied]
    found = objects(evaluated(folder, events, "--json", paths=("rules/claims/claims_system_access_denied.yml",)))
    assert found["Claims System Access Denied"]["indexes"] == [0, 2]


def test_faulty_rules_are_told_and_the_others_evaluated(tmp_path: Path) -> None:
    rules(tmp_path / "rules", login=LOGIN, broken=LOGIN.replace("condition: selection", "condition: other"))
    ran = evaluated(tmp_path, EVENTS, "--json")
    assert ran.code == 2
    assert [json.loads(line)["path"] for line in ran.lines] == ["rules/login.yml"]
    assert "rules/broken.yml:7:14: error INS105" in ran.err
    assert "1 fault; the other rules are evaluated" in ran.err


def test_titles_cannot_steer_the_terminal(tmp_path: Path) -> None:
    rules(tmp_path / "rules", login=LOGIN.replace("title: Failed Login", 'title: "Failed\\e[31m\\nLogin"'))
    ran = evaluated(tmp_path, [{"event.outcome": "failure"}])
    assert "\x1b" not in ran.out
    assert ran.lines == ["Failed\\x1b[31m\\nLogin  (failed_login)", "  1 event: 0", "1 rule of 1 matched in 1 event"]


def test_group_values_cannot_steer_the_terminal(tmp_path: Path) -> None:
    rules(tmp_path / "rules", login=LOGIN, burst=BURST.replace("REFERENCE", "failed_login"))
    ran = evaluated(tmp_path, [event(0, "a\x1b[2Jb\nc")] * 3)
    assert "user.name a\\x1b[2Jb\\nc:" in ran.out


def test_events_on_the_standard_input_of_a_process(tmp_path: Path) -> None:
    rules(tmp_path / "rules", login=LOGIN)
    ran = spawn("eval", "rules", "--events", "-", cwd=tmp_path)
    assert (ran.code, ran.out) == (0, "0 rules of 1 matched in 0 events\n")


@pytest.mark.corpus
def test_public_rules_are_evaluated(corpus: Path, tmp_path: Path) -> None:
    whoami = {"Image": r"C:\Windows\System32\whoami.exe", "CommandLine": "whoami /priv", "OriginalFileName": "whoami.exe"}
    ran = insigma("eval", corpus, "--events", "-", "--json", cwd=tmp_path, stdin=json.dumps(whoami).encode())
    found = objects(ran)
    assert (ran.code, ran.err) == (0, "")
    assert len(ran.lines) == len(list(corpus.rglob("*.yml")))
    assert any("whoami" in title.lower() and entry["indexes"] == [0] for title, entry in found.items())
