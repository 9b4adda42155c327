"""What a release changes: told apart, counted, and written down."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from insigma.release.changes import Change, Kind, NoVersion, as_document, bump_of, compare, next_lock, version_after
from insigma.release.lock import FILTER, RULE, Entry, Facts, Gone, Lock
from insigma.release.semver import Bump
from tests.cli.harness import assert_valid

SHA = {name: f"{index:x}" * 64 for index, name in enumerate("abcdef", 10)}
A = Facts(RULE, "id-a", "Title A", SHA["a"], SHA["b"], "high", {"elastic": SHA["c"], "splunk": SHA["d"]})
B = replace(A, id="id-b", title="Title B")
F = Facts(FILTER, "id-f", "Filter F", SHA["a"], SHA["b"], "", {})
LOCK = Lock("1.2.3", {"a": Entry(3, A), "b": Entry(1, B), "f": Entry(2, F)})
NOW: Mapping[str, Facts] = {"a": A, "b": B, "f": F}


def told(current: Mapping[str, Facts], old: Lock | None = LOCK) -> dict[str, list[str]]:
    return {change.label: [kind.value for kind in change.kinds] for change in compare(old, current)}


@pytest.mark.parametrize(
    ("change", "kinds", "targets"),
    [
        ({"logic": SHA["e"]}, ["logic"], ()),
        ({"severity": "low"}, ["severity"], ()),
        ({"metadata": SHA["e"]}, ["metadata"], ()),
        ({"queries": {"elastic": SHA["e"], "splunk": SHA["d"]}}, ["query"], ("elastic",)),
        ({"queries": {"elastic": "refused", "splunk": SHA["d"]}}, ["query"], ("elastic",)),
        ({"queries": {"elastic": SHA["c"]}}, ["query"], ("splunk",)),
        ({"queries": {"elastic": SHA["c"], "splunk": SHA["d"], "sentinel": SHA["e"]}}, ["query"], ("sentinel",)),
        ({"logic": SHA["e"], "queries": {"elastic": SHA["e"], "splunk": SHA["e"]}}, ["logic"], ("elastic", "splunk")),
        ({"logic": SHA["e"], "metadata": SHA["e"], "severity": "low"}, ["logic", "severity", "metadata"], ()),
        ({"metadata": SHA["e"], "queries": {"elastic": SHA["e"], "splunk": SHA["d"]}}, ["metadata", "query"], ("elastic",)),
        ({"kind": FILTER}, ["logic"], ()),
    ],
)
def test_changes_are_told_apart(change: dict[str, Any], kinds: list[str], targets: tuple[str, ...]) -> None:
    (found,) = compare(LOCK, {**NOW, "a": replace(A, **change)})
    assert (found.label, [kind.value for kind in found.kinds], found.targets) == ("a", kinds, targets)
    assert found.old is not None
    assert found.new is not None
    assert (found.old.version, found.new.version) == (3, 4)


def test_nothing_changed() -> None:
    assert told(NOW) == {}
    assert told(dict(reversed(NOW.items()))) == {}


def test_added_and_removed() -> None:
    assert told({"a": A, "f": F, "new": replace(B, id="id-n")}) == {"b": ["removed"], "new": ["added"]}
    assert told(NOW, None) == {"a": ["added"], "b": ["added"], "f": ["added"]}


def test_every_rule_of_a_first_release_is_at_version_1() -> None:
    assert {change.new.version for change in compare(None, NOW) if change.new} == {1}


def test_versions_go_up_by_one_where_something_changed_and_nowhere_else() -> None:
    current = {**NOW, "a": replace(A, logic=SHA["e"], severity="low", metadata=SHA["f"])}
    lock = next_lock(LOCK, current, compare(LOCK, current), "1.3.0")
    assert {label: entry.version for label, entry in lock.rules.items()} == {"a": 4, "b": 1, "f": 2}
    assert lock.rules["a"].facts == current["a"]
    assert (lock.version, lock.removed) == ("1.3.0", {})
    assert compare(lock, current) == ()


def test_a_rule_that_comes_back_goes_on_counting() -> None:
    without = {"b": B, "f": F}
    gone = next_lock(LOCK, without, compare(LOCK, without), "2.0.0")
    assert gone.removed == {"a": Gone(3, "id-a")}
    assert "a" not in gone.rules
    still = next_lock(gone, without, compare(gone, without), "2.0.1")
    assert still.removed == gone.removed
    back = next_lock(still, NOW, compare(still, NOW), "2.1.0")
    assert back.rules["a"].version == 4
    assert back.removed == {}


def test_a_rule_under_another_name_goes_on_counting() -> None:
    current = {"renamed": A, "b": B, "f": F}
    changes = compare(LOCK, current)
    assert {change.label: change.kinds for change in changes} == {"a": (Kind.REMOVED,), "renamed": (Kind.ADDED,)}
    assert next_lock(LOCK, current, changes, "2.0.0").rules["renamed"].version == 4


def test_rules_without_an_id_are_not_taken_for_one_another() -> None:
    lock = Lock("1.0.0", {"a": Entry(7, replace(A, id=""))})
    (new, _) = sorted(compare(lock, {"b": replace(B, id="")}), key=lambda change: change.label, reverse=True)
    assert new.new is not None
    assert new.new.version == 1


@pytest.mark.parametrize(
    ("current", "bump"),
    [
        ({**NOW, "a": replace(A, metadata=SHA["e"])}, Bump.PATCH),
        ({**NOW, "a": replace(A, queries={})}, Bump.PATCH),
        ({**NOW, "a": replace(A, severity="low")}, Bump.MINOR),
        ({**NOW, "a": replace(A, logic=SHA["e"]), "b": replace(B, metadata=SHA["e"])}, Bump.MINOR),
        ({**NOW, "c": replace(B, id="c")}, Bump.MINOR),
        ({"a": A, "b": B}, Bump.MINOR),
        ({"a": A, "f": F}, Bump.MAJOR),
        ({"a": A, "f": F, "c": replace(B, id="c")}, Bump.MAJOR),
    ],
)
def test_the_number_that_goes_up(current: Mapping[str, Facts], bump: Bump) -> None:
    assert bump_of(compare(LOCK, current)) is bump


CHANGES = compare(LOCK, {**NOW, "a": replace(A, severity="low")})


@pytest.mark.parametrize(
    ("old", "changes", "written", "asked", "expected"),
    [
        (None, CHANGES, "0.1.0", None, "0.1.0"),
        (None, CHANGES, "0.1.0", "1.0.0", "1.0.0"),
        (LOCK, CHANGES, "1.2.3", None, "1.3.0"),
        (LOCK, CHANGES, "1.2.3", "2.0.0", "2.0.0"),
        (LOCK, CHANGES, "1.5.0", None, "1.5.0"),
        (LOCK, CHANGES, "1.5.0", "1.4.0", "1.4.0"),
        (LOCK, (), "1.2.3", None, "1.2.3"),
        (LOCK, (), "1.2.3", "1.2.3", "1.2.3"),
        (LOCK, (), "1.2.3", "2.0.0", "2.0.0"),
        (LOCK, (), "2.0.0", None, "2.0.0"),
    ],
)
def test_the_version_of_the_pack(old: Lock | None, changes: tuple[Change, ...], written: str, asked: str | None, expected: str) -> None:
    assert version_after(old, changes, written, asked) == expected


@pytest.mark.parametrize(
    ("old", "changes", "written", "asked", "why"),
    [
        (LOCK, CHANGES, "1.2.3", "1.2.3", "not newer than 1.2.3"),
        (LOCK, CHANGES, "1.2.3", "1.2.3+again", "not newer"),
        (LOCK, CHANGES, "1.2.3", "1.3.0-", "no version"),
        (LOCK, CHANGES, "1.2.3", "1.2.3-rc.1", "not newer"),
        (LOCK, CHANGES, "1.2.2", None, "not newer"),
        (LOCK, (), "1.2.2", None, "not newer"),
        (LOCK, (), "1.2.3", "1.2.2", "not newer"),
        (None, CHANGES, "one", None, "no version"),
        (None, CHANGES, "0.1.0", "latest", "no version"),
    ],
)
def test_no_version_of_a_release(old: Lock | None, changes: tuple[Change, ...], written: str, asked: str | None, why: str) -> None:
    with pytest.raises(NoVersion, match=why):
        version_after(old, changes, written, asked)


def test_changes_json() -> None:
    current = {"a": replace(A, severity="low", metadata=SHA["e"]), "f": F, "new": replace(B, id="id-n", severity="critical")}
    document = json.loads(as_document(compare(LOCK, current), "insurance", "2.0.0", "1.2.3", "2026-11-22"))
    assert_valid(document, "changes")
    rows = {row.pop("rule"): row for row in document.pop("rules")}
    assert document == {"changes": 1, "pack": "insurance", "version": "2.0.0", "previous": "1.2.3", "date": "2026-11-22"}
    assert rows["a"] == {
        "id": "id-a",
        "kind": "rule",
        "title": "Title A",
        "changes": ["severity", "metadata"],
        "version": {"old": 3, "new": 4},
        "severity": {"old": "high", "new": "low"},
        "targets": [],
    }
    assert (rows["b"]["changes"], rows["b"]["version"], rows["b"]["severity"]) == (
        ["removed"],
        {"old": 1, "new": None},
        {"old": "high", "new": None},
    )
    assert (rows["new"]["version"], rows["new"]["targets"]) == ({"old": None, "new": 1}, ["elastic", "splunk"])
    assert_valid(json.loads(as_document((), "insurance", "0.1.0", None, None)), "changes")
