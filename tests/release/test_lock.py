"""The lock: what is written is read again, and what is broken is told, not guessed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from insigma.content.assemble import assemble
from insigma.content.model import Pack, Taxonomy
from insigma.content.yaml_reader import read_bytes
from insigma.release.lock import LOCK_FILE, BrokenLock, Gone, Lock, SameLabel, facts_of, line_of, read_lock, versions_of
from tests.cli.harness import ROOT, assert_valid
from tests.release.test_canonical import BASE, COUNT, FILTER, OTHER
from tests.release.test_changes import LOCK


def write(folder: Path, text: str) -> Path:
    (folder / LOCK_FILE).write_text(text, encoding="utf-8")
    return folder


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    lock = replace(LOCK, removed={"gone ü": Gone(3, "id")})
    assert read_lock(write(tmp_path, lock.text())) == lock
    assert_valid(json.loads(lock.text()), "lock")


def test_the_same_lock_is_the_same_bytes_with_a_block_for_each_rule() -> None:
    backwards = Lock(LOCK.version, dict(reversed(LOCK.rules.items())))
    assert backwards.text() == LOCK.text()
    assert LOCK.text().count('\n    "') == len(LOCK.rules)
    assert LOCK.text().endswith("}\n")


def test_versions(tmp_path: Path) -> None:
    assert versions_of(tmp_path) == {}
    assert read_lock(tmp_path) is None
    assert versions_of(write(tmp_path, LOCK.text())) == {"a": 3, "b": 1, "f": 2}


def test_the_line_of_a_rule(tmp_path: Path) -> None:
    write(tmp_path, LOCK.text())
    lines = LOCK.text().splitlines()
    assert [lines[line_of(tmp_path, label) - 1] for label in "ab"] == ['    "a": {', '    "b": {']
    assert line_of(tmp_path, "absent") == 1


def edited(change: Callable[[Any], Any]) -> str:
    data = json.loads(LOCK.text())
    change(data)
    return json.dumps(data)


BROKEN: dict[str, tuple[str, str]] = {
    "empty": ("", "Expecting value"),
    "cut short": (LOCK.text()[:200], "Unterminated string"),
    "merge conflict": (LOCK.text().replace('  "version"', '<<<<<<< ours\n  "version"'), "line"),
    "rule twice after a merge": (LOCK.text().replace('    "b": {', '    "a": {'), "it names 'a' twice"),
    "a list": ("[]", "not as insigma release writes it"),
    "no rules": ('{"lock": 1, "version": "1.0.0"}', "not as insigma release writes it"),
    "later format": (edited(lambda data: data.update(lock=2)), "has format 2.*newer insigma"),
    "version of a rule": (edited(lambda data: data["rules"]["a"].update(version=0)), "not as"),
    "version as text": (edited(lambda data: data["rules"]["a"].update(version="3")), "not as"),
    "digest": (edited(lambda data: data["rules"]["a"].update(logic="abc")), "not as"),
    "query": (edited(lambda data: data["rules"]["a"]["queries"].update(splunk="lost")), "not as"),
    "unknown key": (edited(lambda data: data["rules"]["a"].update(extra=1)), "not as"),
    "pack version": (edited(lambda data: data.update(version="1")), "not as"),
    "odd pre-release": (edited(lambda data: data.update(version="1.0.0-ü")), "not as"),
    "nested": ("[" * 100_000, "nested too deeply|line 1"),
}


@pytest.mark.parametrize(("text", "why"), BROKEN.values(), ids=BROKEN)
def test_broken(text: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(BrokenLock, match=why):
        versions_of(write(tmp_path, text))


def test_no_text_at_all(tmp_path: Path) -> None:
    (tmp_path / LOCK_FILE).write_bytes(b"\xff\xfe{}")
    with pytest.raises(BrokenLock, match="UTF-8"):
        read_lock(tmp_path)
    (tmp_path / LOCK_FILE).unlink()
    (tmp_path / LOCK_FILE).mkdir()
    with pytest.raises(BrokenLock, match="directory"):
        read_lock(tmp_path)


def pack_of(*texts: str) -> Pack:
    documents = [document for index, text in enumerate(texts) for document in read_bytes(text.encode(), f"rules/{index}.yml").documents]
    found = assemble(documents)
    taxonomy = Taxonomy("insurance", "1", {}, {})
    return Pack("", "p", "0.1.0", taxonomy, found.rules, found.filters, (), {}, {}, tuple(documents), tuple(documents))


def test_facts_of_rules_and_filters() -> None:
    found = facts_of(pack_of(BASE, OTHER, COUNT, FILTER), ())
    assert {label: (facts.kind, facts.severity, facts.title) for label, facts in found.items()} == {
        "ins-x-001": ("rule", "low", "Claim Opened"),
        "ins-x-002": ("rule", "low", "Claim Printed"),
        "ins-x-c01": ("rule", "high", "Many Claims Opened"),
        "auditors": ("filter", "", "Auditors"),
    }
    with pytest.raises(SameLabel, match="ins-x-001"):
        facts_of(pack_of(BASE, FILTER.replace("name: auditors", "name: ins-x-001")), ())


def test_the_lock_of_this_repository_can_be_read() -> None:
    lock = read_lock(ROOT)
    assert lock is not None
    assert set(lock.rules) >= {"ins-clm-001"}
    assert_valid(json.loads((ROOT / LOCK_FILE).read_text(encoding="utf-8")), "lock")
    assert_valid(json.loads((ROOT / "changes.json").read_text(encoding="utf-8")), "changes")
