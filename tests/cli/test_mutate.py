"""`insigma mutate`: what no fixture notices is told with its place, and decides the exit code."""

from __future__ import annotations

from pathlib import Path

from tests.cli.harness import edit, insigma, small_pack

NAME = "claims/suspicious_access_to_restricted_claim_file.yml"
RULE, FIXTURE = f"rules/{NAME}", f"tests/fixtures/{NAME}"


def test_a_rule_whose_fixture_notices_everything(tmp_path: Path) -> None:
    ran = insigma("mutate", RULE, cwd=small_pack(tmp_path))
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines[-1].startswith("noticed: ")
    assert ran.lines[-1].endswith("(100.0 %) (1 rule)")


def test_a_value_that_no_case_needs_is_told_at_its_line(tmp_path: Path) -> None:
    small_pack(tmp_path)
    edit(tmp_path / RULE, "      - claim-export\n", "      - claim-export\n      - claim-close\n")
    ran = insigma("mutate", RULE, cwd=tmp_path)
    assert ran.code == 1
    line = (tmp_path / RULE).read_text().split("\n").index("      - claim-close") + 1
    assert ran.lines[0] == f"{RULE}:{line}:9: error INS602 no case notices: selection.event.action without claim-close"
    assert "add a case that differs there" in ran.lines[1]


def test_an_explained_survivor_is_listed_and_a_stale_one_told(tmp_path: Path) -> None:
    small_pack(tmp_path)
    path = tmp_path / FIXTURE
    path.write_text(path.read_text() + "survivors:\n  - {mutant: gone long ago, because: it was so}\n")
    ran = insigma("mutate", RULE, cwd=tmp_path)
    assert ran.code == 1
    assert "INS603" in ran.out
    assert "gone long ago" in ran.out


def test_loose_rules_have_no_fixtures(tmp_path: Path) -> None:
    (tmp_path / "r.yml").write_text("title: R\nlogsource: {category: x}\ndetection: {s: {a: 1}, condition: s}\n")
    ran = insigma("mutate", "r.yml", cwd=tmp_path)
    assert ran.code == 3
    assert "lie in no pack" in ran.err
