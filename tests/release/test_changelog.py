"""The changelog: for people, newest first, whatever titles hold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from insigma.release.changelog import entry_of, with_entry
from insigma.release.changes import compare
from insigma.release.lock import Entry, Facts, Lock
from tests.release.test_changes import LOCK, NOW, SHA, A, B

EARLIER = """# Changelog

What is notable.

## insurance 1.2.3

### Added

- `a` Title A (version 1)

```markdown
## insurance 1.3.0
```

## 0.1.0 (unreleased)

- The program.
"""


def entry(now: dict[str, Facts], date: str | None = None) -> str:
    return entry_of(compare(LOCK, now), "insurance", "1.3.0", date, first=False)


def test_entry_by_kind() -> None:
    now = {
        "a": replace(A, logic=SHA["e"], severity="low", metadata=SHA["f"]),
        "f": replace(NOW["f"], metadata=SHA["e"]),
        "new": replace(B, id="n", title="Title N"),
    }
    assert entry(now, "2026-11-22") == (
        "## insurance 1.3.0 (2026-11-22)\n"
        "\n"
        "### Removed\n"
        "\n"
        "- `b` Title B (was at version 1)\n"
        "\n"
        "### Added\n"
        "\n"
        "- `new` Title N (version 1)\n"
        "\n"
        "### Logic changed\n"
        "\n"
        "- `a` Title A (version 4; high → low; metadata changed)\n"
        "\n"
        "### Metadata changed\n"
        "\n"
        "- filter `f` Filter F (version 3)\n"
    )


def test_only_the_query() -> None:
    found = entry({**NOW, "a": replace(A, queries={**A.queries, "splunk": "refused"})})
    assert found == "## insurance 1.3.0\n\n### Only the compiled query changed\n\n- `a` Title A (version 4; splunk)\n"
    both = entry({**NOW, "a": replace(A, metadata=SHA["e"], queries={})})
    assert both.endswith("### Metadata changed\n\n- `a` Title A (version 4; compiled query changed)\n")


def test_first_release_names_no_rules() -> None:
    found = entry_of(compare(None, NOW), "insurance", "0.1.0", None, first=True)
    assert found == "## insurance 0.1.0\n\nFirst release that is locked: 2 rules, each at version 1 (`insigma.lock`).\n"


def test_a_release_of_nothing_but_a_version() -> None:
    assert entry_of((), "insurance", "1.0.0", None, first=False) == "## insurance 1.0.0\n\nNo rule changed.\n"


@pytest.mark.parametrize("hostile", ["a\n## forged", "<script>", "[x](javascript:1)", "`code`", "a | b", "*b* _i_ ~~s~~", "&lt;", "\\"])
def test_titles_and_names_are_shown_as_they_are(hostile: str) -> None:
    lock = Lock("1.2.3", {hostile: Entry(1, replace(A, title=hostile))})
    found = entry_of(compare(lock, {}), "insurance", "1.3.0", None, first=False)
    lines = found.splitlines()
    assert len(lines) == 5
    for mark in "<>[]`*_~&|":
        assert mark not in lines[4].replace(f"\\{mark}", "")


def test_entries_are_newest_first_and_the_rest_stays() -> None:
    new = "## insurance 1.3.0\n\nNo rule changed.\n"
    found = with_entry(EARLIER, new)
    assert found == EARLIER.replace("## insurance 1.2.3", f"{new}\n## insurance 1.2.3", 1)


def test_an_entry_of_the_same_release_is_replaced() -> None:
    first = with_entry(EARLIER, "## insurance 1.3.0\n\nNo rule changed.\n")
    again = with_entry(first, "## insurance 1.3.0 (2026-11-22)\n\n### Added\n\n- x\n")
    assert again == with_entry(EARLIER, "## insurance 1.3.0 (2026-11-22)\n\n### Added\n\n- x\n")
    assert with_entry(again, "## insurance 1.3.0 (2026-11-22)\n\n### Added\n\n- x\n") == again


@pytest.mark.parametrize("before", ["", "# Changelog\n\n", "# Changelog"])
def test_a_new_changelog(before: str) -> None:
    assert with_entry(before, "## p 1.0.0\n\n- x\n") == "# Changelog\n\n## p 1.0.0\n\n- x\n"


def test_a_changelog_that_begins_with_an_entry() -> None:
    assert with_entry("## p 0.9.0\n\n- y\n", "## p 1.0.0\n\n- x\n") == "## p 1.0.0\n\n- x\n\n## p 0.9.0\n\n- y\n"
