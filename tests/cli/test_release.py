"""`insigma release`: what it tells apart, what it writes, and when it writes nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from insigma.release.lock import LOCK_FILE
from tests.cli.harness import Ran, assert_valid, edit, files_of, findings, insigma, small_pack

WRITTEN = ("CHANGELOG.md", "changes.json", "insigma.lock", "insigma.yml")
BASE = "rules/claims/claims_system_access_denied.yml"
COUNT = "rules/claims/potential_repeated_unauthorised_claim_access_attempts.yml"
ALERT = "rules/claims/suspicious_access_to_restricted_claim_file.yml"
LABELS = {BASE: "ins-clm-012", COUNT: "ins-clm-c04", ALERT: "ins-clm-010"}
FILTER = """\
title: Auditors Are Let Through
name: auditors
id: 3f6f2a53-6a0f-4f0e-8d7b-2a4f3c1f9b11
status: test
description: The auditors of the year look at everything, and were told to.
logsource: {category: insurance_claims}
filter:
  rules: [ins-clm-010]
  selection: {user.name: auditor}
  condition: not selection
"""


@pytest.fixture(scope="module")
def released_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small pack that was released as 0.1.0."""
    pack = small_pack(tmp_path_factory.mktemp("released"))
    ran = insigma("release", cwd=pack)
    assert (ran.code, ran.err) == (0, "")
    return pack


@pytest.fixture
def pack(released_once: Path, tmp_path: Path) -> Path:
    for path, content in files_of(released_once).items():
        target = tmp_path / "pack" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return tmp_path / "pack"


def changes(pack: Path) -> dict[str, list[str]]:
    document = json.loads((pack / "changes.json").read_text())
    assert_valid(document, "changes")
    return {row["rule"]: row["changes"] for row in document["rules"]}


def versions(pack: Path) -> dict[str, int]:
    document = json.loads((pack / LOCK_FILE).read_text())
    assert_valid(document, "lock")
    return {label: entry["version"] for label, entry in document["rules"].items()}


def pack_version(pack: Path) -> str:
    return next(line.removeprefix("version: ") for line in (pack / "insigma.yml").read_text().splitlines() if line.startswith("version:"))


def release(pack: Path, *options: str) -> Ran:
    ran = insigma("release", *options, cwd=pack)
    assert ran.code == 0, ran.out + ran.err
    return ran


def nothing_written(pack: Path, *options: str) -> Ran:
    before = files_of(pack)
    ran = insigma("release", *options, cwd=pack)
    assert files_of(pack) == before
    return ran


def test_first_release(released_once: Path) -> None:
    assert versions(released_once) == dict.fromkeys(LABELS.values(), 1)
    assert changes(released_once) == {label: ["added"] for label in LABELS.values()}
    assert (released_once / "CHANGELOG.md").read_text() == (
        "# Changelog\n\n## insurance 0.1.0\n\nFirst release that is locked: 3 rules, each at version 1 (`insigma.lock`).\n"
    )
    assert pack_version(released_once) == "0.1.0"
    queries = json.loads((released_once / LOCK_FILE).read_text())["rules"]["ins-clm-c04"]["queries"]
    assert set(queries) == {"elastic", "splunk", "sentinel"}
    assert not [path for path in files_of(released_once) if ".new-" in path]


def test_nothing_changed(pack: Path) -> None:
    ran = nothing_written(pack)
    assert (ran.code, ran.out) == (0, "nothing has changed since insurance 0.1.0; nothing was written\n")
    checked = nothing_written(pack, "--check")
    assert (checked.code, checked.out) == (0, "all is as it was released with insurance 0.1.0\n")


def reformatted(path: Path) -> None:
    lines = path.read_text().splitlines()
    title = next(line for line in lines if line.startswith("title:"))
    lines.remove(title)
    path.write_text("# A comment, and the title at the end.\n" + "\n".join(lines) + f"\n{title}   # here\n")


def test_a_comment_and_the_order_of_keys_are_no_change(pack: Path) -> None:
    reformatted(pack / BASE)
    reformatted(pack / COUNT)
    assert "nothing has changed" in nothing_written(pack).out
    assert nothing_written(pack, "--check").code == 0


CASES: dict[str, tuple[Callable[[Path], None], dict[str, list[str]], str]] = {
    "logic of a correlation": (
        lambda pack: edit(pack / COUNT, "timespan: 30m", "timespan: 35m"),
        {"ins-clm-c04": ["logic"]},
        "0.2.0",
    ),
    "logic of a base rule": (
        lambda pack: edit(pack / BASE, "event.outcome: failure", "event.outcome: [failure, unknown]"),
        {"ins-clm-012": ["logic"], "ins-clm-c04": ["logic"]},
        "0.2.0",
    ),
    "severity": (
        lambda pack: edit(pack / ALERT, "level: high", "level: critical"),
        {"ins-clm-010": ["severity"]},
        "0.2.0",
    ),
    "metadata": (
        lambda pack: edit(pack / ALERT, "author: Insigma", "author: Insigma and others"),
        {"ins-clm-010": ["metadata"]},
        "0.1.1",
    ),
    "title and level": (
        lambda pack: [edit(pack / ALERT, "level: high", "level: critical"), edit(pack / ALERT, "author: Insigma", "author: We")][0],
        {"ins-clm-010": ["severity", "metadata"]},
        "0.2.0",
    ),
    "filter": (
        lambda pack: [(pack / "rules/filters").mkdir(), (pack / "rules/filters/auditors_are_let_through.yml").write_text(FILTER)][0],
        {"ins-clm-010": ["logic"], "auditors": ["added"]},
        "0.2.0",
    ),
    "removed": (
        lambda pack: [(pack / COUNT).unlink(), (pack / COUNT.replace("rules/", "tests/fixtures/")).unlink()][0],
        {"ins-clm-c04": ["removed"]},
        "0.2.0",
    ),
}


@pytest.mark.parametrize(("change", "told", "version"), CASES.values(), ids=CASES)
def test_changes_are_told_apart_and_counted(change: Callable[[Path], None], told: dict[str, list[str]], version: str, pack: Path) -> None:
    before = versions(pack)
    change(pack)
    checked = nothing_written(pack, "--check")
    assert checked.code == 1, checked.err
    assert [code for _, _, code in findings(checked.out)] == ["INS704"] * len(told)
    dry = nothing_written(pack, "--dry-run")
    ran = release(pack)
    assert changes(pack) == told
    assert pack_version(pack) == version
    expected = {label: number + (label in told) for label, number in before.items() if told.get(label) != ["removed"]}
    assert versions(pack) == expected | {label: 1 for label, kinds in told.items() if kinds == ["added"]}
    entry = (pack / "CHANGELOG.md").read_text().split("\n## ")[1]
    assert entry.startswith(f"insurance {version}\n")
    assert all(f"`{label}`" in entry for label in told)
    assert dry.out.removeprefix("## ").strip() == entry.strip()
    assert f"0.1.0 -> {version}" in ran.out
    assert nothing_written(pack, "--check").code == 0


def test_only_the_compiled_query(pack: Path) -> None:
    edit(pack / "mappings/targets/splunk.yml", "index: ", "index: other_")
    checked = nothing_written(pack, "--check")
    assert "the compiled query of ins-clm-0" in checked.out
    assert "(splunk) has changed since version 1" in checked.out
    release(pack)
    told = changes(pack)
    assert told
    assert set(map(tuple, told.values())) == {("query",)}
    assert {row["targets"][0] for row in json.loads((pack / "changes.json").read_text())["rules"]} == {"splunk"}
    assert "### Only the compiled query changed" in (pack / "CHANGELOG.md").read_text()
    assert pack_version(pack) == "0.1.1"


def test_check_names_file_line_and_what_to_do(pack: Path) -> None:
    edit(pack / BASE, "event.outcome: failure", "event.outcome: [failure, unknown]")
    edit(pack / ALERT, "level: high", "level: critical")
    edit(pack / ALERT, "author: Insigma", "author: We")
    (pack / COUNT).unlink()
    (pack / COUNT.replace("rules/", "tests/fixtures/")).unlink()
    ran = nothing_written(pack, "--check")
    assert ran.code == 1

    def line(path: str, start: str) -> int:
        return 1 + next(number for number, text in enumerate((pack / path).read_text().splitlines()) if text.startswith(start))

    assert sorted(findings(ran.out)) == [
        ("insigma.lock", line("insigma.lock", '    "ins-clm-c04"'), "INS704"),
        (BASE, line(BASE, "detection:"), "INS704"),
        (ALERT, line(ALERT, "level:"), "INS704"),
    ]
    assert "the severity and metadata of ins-clm-010 have changed since version 1: high is now critical" in ran.out
    assert "ins-clm-c04 is gone; it was at version 1" in ran.out
    assert "run insigma release" in ran.out
    assert ran.lines[-1] == "3 changes not locked"
    as_json = nothing_written(pack, "--check", "--format", "json").json
    assert [found["code"] for found in as_json["diagnostics"]] == ["INS704"] * 3


def test_check_without_a_lock(tmp_path: Path) -> None:
    pack = small_pack(tmp_path)
    ran = nothing_written(pack, "--check")
    assert (ran.code, list(findings(ran.out))) == (1, [("insigma.lock", 1, "INS704")])


def test_check_finds_a_version_that_was_written_but_not_released(pack: Path) -> None:
    edit(pack / "insigma.yml", "version: 0.1.0", "version: 0.4.0")
    ran = nothing_written(pack, "--check")
    assert (ran.code, list(findings(ran.out))) == (1, [("insigma.yml", 3, "INS704")])
    release(pack)
    assert (changes(pack), pack_version(pack)) == ({}, "0.4.0")
    assert "## insurance 0.4.0\n\nNo rule changed.\n" in (pack / "CHANGELOG.md").read_text()
    assert nothing_written(pack, "--check").code == 0


def test_version_and_date_as_asked_and_the_rest_of_insigma_yml_as_it_was(pack: Path) -> None:
    edit(pack / "insigma.yml", "version: 0.1.0", "version: '0.1.0'   # of the rules, not of the program 0.1.0")
    before = (pack / "insigma.yml").read_text()
    release(pack, "--version", "1.0.0-rc.1", "--date", "2026-11-22")
    assert (pack / "insigma.yml").read_text() == before.replace("'0.1.0'", "'1.0.0-rc.1'")
    assert "## insurance 1.0.0-rc.1 (2026-11-22)\n" in (pack / "CHANGELOG.md").read_text()
    assert json.loads((pack / "changes.json").read_text())["date"] == "2026-11-22"
    edit(pack / ALERT, "author: Insigma", "author: We")
    release(pack)
    assert "version: '1.0.0'   # of" in (pack / "insigma.yml").read_text()
    assert "## insurance 1.0.0\n" in (pack / "CHANGELOG.md").read_text()
    assert json.loads((pack / "changes.json").read_text())["date"] is None


def test_a_run_that_was_cut_short_is_repeated(pack: Path) -> None:
    edit(pack / ALERT, "author: Insigma", "author: We")
    old = (pack / LOCK_FILE).read_bytes()
    release(pack)
    whole = files_of(pack)
    (pack / LOCK_FILE).write_bytes(old)  # all was written but the lock, which comes last
    assert nothing_written(pack, "--check").code == 1
    release(pack)
    assert files_of(pack) == whole


def test_the_same_pack_gives_the_same_bytes_wherever_it_lies(pack: Path, tmp_path: Path) -> None:
    other = small_pack(tmp_path / "some" / "where else")
    release(other)
    assert {name: content for name, content in files_of(other).items() if name in WRITTEN} == {
        name: content for name, content in files_of(pack).items() if name in WRITTEN
    }


def test_it_works_from_a_folder_of_the_pack(pack: Path) -> None:
    ran = insigma("release", "--check", cwd=pack / "rules" / "claims")
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--version", "0.1.0"], "0.1.0 is not newer than 0.1.0"),
        (["--version", "0.0.9"], "0.0.9 is not newer than 0.1.0"),
        (["--version", "newest"], "'newest' is no version"),
        (["--version", "1.0"], "'1.0' is no version"),
        (["--date", "22.11.2026"], "'22.11.2026' is no day"),
        (["--date", "2026-02-30"], "'2026-02-30' is no day"),
        (["--date", "20261122"], "'20261122' is no day"),
        (["--check", "--dry-run"], "--check only compares"),
        (["--check", "--version", "1.0.0"], "--check only compares"),
        (["--check", "--date", "2026-11-22"], "--check only compares"),
        (["--new-key", "../k", "--check"], "--new-key goes with no other option"),
    ],
)
def test_usage(options: list[str], told: str, pack: Path) -> None:
    edit(pack / ALERT, "author: Insigma", "author: We")
    ran = nothing_written(pack, *options)
    assert (ran.code, ran.out) == (3, "")
    assert told in ran.err


def test_outside_of_a_pack(tmp_path: Path) -> None:
    ran = insigma("release", cwd=tmp_path)
    assert (ran.code, "no pack here" in ran.err) == (3, True)


def test_a_broken_lock_is_told_and_not_overwritten(pack: Path) -> None:
    edit(pack / LOCK_FILE, '    "ins-clm-012"', '    "ins-clm-010"')
    for options in ([], ["--check"], ["--dry-run"]):
        ran = nothing_written(pack, *options)
        assert ran.code == 3
        assert "insigma.lock cannot be read: it names 'ins-clm-010' twice" in ran.err


def test_a_pack_with_faults_is_not_released(pack: Path) -> None:
    edit(pack / BASE, "event.outcome: failure", "event.outcome: nonsense")
    (pack / ALERT).write_text("title: [")
    for options in ([], ["--check"], ["--dry-run"]):
        ran = nothing_written(pack, *options)
        assert ran.code == 2
        assert {path for path, _, _ in findings(ran.out)} >= {BASE, ALERT}
        assert ran.lines[-1].startswith("nothing was compared because of ")


def test_a_version_that_cannot_be_replaced_in_place(pack: Path) -> None:
    edit(pack / "insigma.yml", "version: 0.1.0", "version: >-\n  0.1.0")
    edit(pack / ALERT, "author: Insigma", "author: We")
    ran = nothing_written(pack)
    assert ran.code == 3
    assert "write 'version: 0.1.1' on a line of its own" in ran.err


def test_a_changelog_that_is_a_link_out_of_the_pack(pack: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.md"
    outside.write_text("# Other\n")
    (pack / "CHANGELOG.md").unlink()
    (pack / "CHANGELOG.md").symlink_to(outside)
    edit(pack / ALERT, "author: Insigma", "author: We")
    ran = nothing_written(pack)
    assert (ran.code, outside.read_text()) == (3, "# Other\n")
    assert "CHANGELOG.md is a link that leads out of the pack" in ran.err


def test_a_changelog_that_is_no_text(pack: Path) -> None:
    (pack / "CHANGELOG.md").write_bytes(b"\xff\xfe")
    edit(pack / ALERT, "author: Insigma", "author: We")
    ran = nothing_written(pack)
    assert (ran.code, "CHANGELOG.md is not UTF-8 text" in ran.err) == (3, True)


def test_new_key(pack: Path, tmp_path: Path) -> None:
    ran = insigma("release", "--new-key", "../ours", cwd=pack)
    assert ran.code == 0
    assert (tmp_path / "ours.key").stat().st_mode & 0o777 == 0o600
    body = (tmp_path / "ours.key").read_text().splitlines()[1]
    assert body not in ran.out + ran.err
    again = insigma("release", "--new-key", "../ours", cwd=pack)
    assert (again.code, "exists already" in again.err) == (3, True)
    inside = nothing_written(pack, "--new-key", "ours")
    assert (inside.code, "in a pack's folder" in inside.err) == (3, True)
    absent = insigma("release", "--new-key", "../absent/ours", cwd=pack)
    assert absent.code == 3
    assert sorted(os.listdir(tmp_path)) == ["ours.key", "ours.pub", "pack"]  # noqa: PTH208
