"""The kept proofs: what an engine has shown holds as long as query, window and cases are those that were run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from insigma.content.model import Fixture, Pack
from insigma.content.pack import load_pack
from insigma.release.ledger import STOCK, UNVERIFIED, markdown, rows
from insigma.release.proofs import (
    GRADES,
    ProofRow,
    Proofs,
    as_document,
    digest_of_events,
    digest_of_query,
    read_proofs,
)
from insigma.targets.base import Detection, Schedule
from tests.cli.harness import assert_valid, edit, insigma, small_pack
from tests.release.test_ledger import outcomes, workshops

DETECTION = Detection("splunk", "spl", "index=a | where 'b'=\"c\"", Schedule(60_000, 120_000), "event", scope={"x": "1", "y": "2"})
LABEL = "ins-clm-010"


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return load_pack(small_pack(tmp_path_factory.mktemp("pack"))).pack


@pytest.fixture(scope="module")
def fixture(pack: Pack) -> Fixture:
    return next(found for found in pack.fixtures if found.rule == LABEL)


def row(fixture: Fixture, **changes: Any) -> ProofRow:
    query, events = digest_of_query(DETECTION), digest_of_events(fixture)
    return replace(ProofRow(LABEL, "splunk", "spl", "executed", "engine 1", query, events, 7), **changes)


def judged(rows_: list[ProofRow], fixture: Fixture, detection: Detection = DETECTION, label: str = LABEL) -> tuple[str, str]:
    return Proofs(rows_, [fixture], {LABEL: LABEL}).of(label, detection)


def test_a_proof_of_this_query_and_these_cases_holds(fixture: Fixture) -> None:
    assert judged([row(fixture)], fixture) == ("executed", "engine 1")


@pytest.mark.parametrize(
    "changes",
    [
        {"query": DETECTION.query + " "},
        {"language": "spl2"},
        {"window": "exact"},
        {"scope": {"x": "1", "y": "3"}},
        {"scope": {}},
        {"target": "sentinel"},
    ],
)
def test_another_query_window_or_scope_is_unchecked(changes: dict[str, Any], fixture: Fixture) -> None:
    grade, why = judged([row(fixture)], fixture, replace(DETECTION, **changes))
    assert (grade, why) == ("unchecked", "no engine has judged this query: run insigma prove")


@pytest.mark.parametrize(
    "changes", [{"schedule": Schedule(1, 2)}, {"notes": ("a note",)}, {"scope": {"y": "2", "x": "1"}}, {"group_fields": ("a",)}]
)
def test_what_no_engine_is_asked_changes_nothing(changes: dict[str, Any], fixture: Fixture) -> None:
    assert judged([row(fixture)], fixture, replace(DETECTION, **changes))[0] == "executed"


def test_another_rule_with_the_same_query_is_unchecked(fixture: Fixture) -> None:
    assert judged([row(fixture, rule="ins-clm-011")], fixture)[0] == "unchecked"


def test_a_fixture_that_has_changed_makes_it_unchecked_with_that_reason(fixture: Fixture) -> None:
    stale = ("unchecked", "its fixture has changed since: run insigma prove")
    assert judged([row(fixture, events="0" * 32)], fixture) == stale
    assert Proofs([row(fixture)], [], {}).of(LABEL, DETECTION) == stale


def test_the_digest_of_events_follows_cases_and_defaults(tmp_path: Path, fixture: Fixture) -> None:
    folder = small_pack(tmp_path)
    path = next(folder.rglob("tests/fixtures/**/suspicious_access_to_restricted_claim_file.yml"))

    def digest() -> str:
        return digest_of_events(next(found for found in load_pack(folder).pack.fixtures if found.rule == LABEL))

    before = digest()
    assert before == digest_of_events(fixture)
    path.write_text("# a comment\n" + path.read_text("utf-8"), encoding="utf-8")
    assert digest() == before
    edit(path, "user.name: ", "user.name: x")
    assert digest() != before


def test_digests_are_the_same_in_every_process(fixture: Fixture) -> None:
    script = (
        "from insigma.release.proofs import digest_of_query as d;from insigma.targets.base import *;"
        f"print(d(Detection('splunk','spl',{DETECTION.query!r},Schedule(1,2),'event',scope={{'y':'2','x':'1'}})))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert said == {digest_of_query(DETECTION)}


def test_the_best_grade_wins_and_names_all_who_gave_it(fixture: Fixture) -> None:
    parsed, typed = row(fixture, grade="parsed", engine="parser 1"), row(fixture, grade="typed", engine="typer 1")
    executed, other = row(fixture), row(fixture, engine="engine 2")
    assert judged([parsed, typed], fixture) == ("typed", "typer 1")
    assert judged([parsed], fixture) == ("parsed", "parser 1")
    assert judged([parsed, executed, typed, other], fixture) == ("executed", "engine 1; engine 2")
    stale = row(fixture, events="0" * 32)
    assert judged([stale, parsed], fixture) == ("parsed", "parser 1"), "a better grade of long ago does not count"
    assert GRADES == ("executed", "typed", "parsed")


def write(folder: Path, text: str, name: str = "splunk.json") -> None:
    (folder / "proofs").mkdir(exist_ok=True)
    (folder / "proofs" / name).write_text(text, encoding="utf-8")


def test_rows_come_back_as_they_were_written_in_one_order(tmp_path: Path, fixture: Fixture) -> None:
    one, two, three = row(fixture, rule="a"), row(fixture, rule="b", engine="ŻÓŁW 1"), row(fixture, rule="b", language="eql")
    assert as_document([one, two, three]) == as_document([three, two, one])
    write(tmp_path, as_document([two, one]))
    write(tmp_path, as_document([three]), "elastic.json")
    assert read_proofs(tmp_path) == (three, one, two)
    assert read_proofs(tmp_path / "nowhere") == ()


def written(**changes: Any) -> str:
    good = {"rule": "a", "target": "b", "language": "c", "grade": "typed", "engine": "e", "query": "q", "events": "v", "cases": 3}
    return json.dumps({"version": 1, "proofs": [{**good, **changes}]})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        "{}",
        '{"proofs": 7}',
        '{"proofs": null}',
        '{"proofs": ["x"]}',
        '{"proofs": [{}]}',
        written(more=1),
        written(grade="banana"),
        written(grade="unchecked"),
        written(query=["a"]),
        written(cases="3"),
        written(cases=True),
        written(engine=None),
    ],
)
def test_a_file_that_is_none_of_ours_is_an_error_that_names_it(text: str, tmp_path: Path) -> None:
    write(tmp_path, text)
    with pytest.raises(ValueError, match=r"^proofs/splunk\.json is not as insigma prove writes it .*: run insigma prove again$"):
        read_proofs(tmp_path)


def test_a_file_of_other_bytes_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, "")
    (tmp_path / "proofs" / "splunk.json").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"proofs/splunk\.json"):
        read_proofs(tmp_path)


def test_a_build_tells_a_broken_file_in_one_line(tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    write(folder, written(grade="banana"))
    ran = insigma("build", "-t", "splunk", cwd=folder)
    assert ran.code == 3
    assert "proofs/splunk.json" in ran.err
    assert "no grade 'banana'" in ran.err
    assert not (folder / "dist").exists()


def test_the_ledger_says_what_was_shown_by_whom_or_why_not(pack: Pack) -> None:
    shops = workshops(pack, "splunk", "pysigma:splunk")
    found = outcomes(pack, shops)
    kept = []
    for outcome in found:
        label = outcome.rule.header.label
        if outcome.packed is not None and outcome.target == "splunk" and label != "ins-clm-012":
            events = next(digest_of_events(each) for each in pack.fixtures if each.rule == label)
            events = "0" * 32 if label == "ins-clm-c04" else events
            kept.append(ProofRow(label, "splunk", "spl", "executed", "engine | 1", digest_of_query(outcome.packed.detection), events, 9))
    labels = {rule.header.label: rule.header.label for rule in pack.rules}
    entries = rows(found, pack, ["splunk", "pysigma:splunk"], Proofs(kept, pack.fixtures, labels))
    shown = {(entry["rule"], entry["target"]): (entry["proof"], entry["engine"]) for entry in entries}
    assert shown[LABEL, "splunk"] == ("executed", "engine | 1")
    assert shown["ins-clm-012", "splunk"] == ("unchecked", "no engine has judged this query: run insigma prove")
    assert shown["ins-clm-c04", "splunk"] == ("unchecked", "its fixture has changed since: run insigma prove")
    assert shown[LABEL, "pysigma:splunk"] == (UNVERIFIED, STOCK)
    assert_valid({"rows": entries}, "ledger")
    page = markdown(entries)
    assert "| proof | engine |" in page
    assert "| executed | engine \\| 1 |" in page
