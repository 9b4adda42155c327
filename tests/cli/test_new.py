"""`insigma new`: what it writes passes `check`, and `test` says what to write next."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from insigma.content.domains import DOMAIN_CODES
from tests.cli.harness import ROOT, findings, insigma, number_of_files, small_pack, whole_pack

SLUG = "suspicious_new_thing"


def start(folder: Path, domain: str, *options: str) -> None:
    ran = insigma("new", f"{domain}/{SLUG}", *options, cwd=folder)
    if "several log sources" in ran.err and not options:
        assert ran.code == 3
        ran = insigma("new", f"{domain}/{SLUG}", "--logsource", "insurance_claims", cwd=folder)
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize("domain", DOMAIN_CODES)
def test_a_new_rule_passes_check_and_its_fixture_says_what_to_write(domain: str, tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    start(folder, domain)
    rule, fixture = f"rules/{domain}/{SLUG}.yml", f"tests/fixtures/{domain}/{SLUG}.yml"
    checked = insigma("check", cwd=folder)
    assert (checked.code, checked.lines) == (0, [f"no findings in {number_of_files(folder)} files (4 rules)"])
    tested = insigma("test", rule, cwd=folder)
    assert tested.code == 1
    assert {(path, code) for path, _, code in findings(tested.out)} == {(fixture, "INS601")}
    assert "write here what must alert: event 0 must match and does not" in tested.out


def logsources() -> list[str]:
    from insigma.content.pack import bundled_root, load_loose

    return list(load_loose((), bundled_root()).pack.taxonomy.logsources)


@pytest.mark.parametrize("source", logsources())
def test_every_log_source_of_the_taxonomy_can_be_started_with(source: str, tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    start(folder, "claims", "--logsource", source)
    assert insigma("check", cwd=folder).lines == [f"no findings in {number_of_files(folder)} files (4 rules)"]
    assert insigma("test", f"rules/claims/{SLUG}.yml", cwd=folder).code == 1


def test_the_id_is_the_next_one_that_is_free(tmp_path: Path) -> None:
    folder = whole_pack(tmp_path)
    start(folder, "claims")
    text = (folder / "rules" / "claims" / f"{SLUG}.yml").read_text()
    free = re.findall(r"^(?:name|  pack_id): (ins-clm-[0-9]{3})$", text, re.MULTILINE)
    assert len(free) == 2
    assert len(set(free)) == 1
    assert all(free[0] not in path.read_text() for path in (ROOT / "rules").rglob("*.yml"))


def test_it_works_from_below_the_root_and_says_where_it_wrote(tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    ran = insigma("new", f"claims/{SLUG}", cwd=folder / "rules")
    assert ran.lines[0] == f"wrote claims/{SLUG}.yml"
    assert f"insigma check claims/{SLUG}.yml" in ran.lines[-1]
    assert (folder / "rules" / "claims" / f"{SLUG}.yml").is_file()


@pytest.mark.parametrize("part", ["rules", "tests/fixtures"])
def test_nothing_is_overwritten(part: str, tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    path = folder / part / "claims" / f"{SLUG}.yml"
    path.write_text("mine\n")
    ran = insigma("new", f"claims/{SLUG}", cwd=folder)
    assert (ran.code, ran.out) == (3, "")
    assert f"{part}/claims/{SLUG}.yml exists already" in ran.err
    assert path.read_text() == "mine\n"
    assert len(list(folder.rglob(f"{SLUG}.yml"))) == 1


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("claims", "'' is no name"),
        ("claims/short", "'short' is no name"),
        ("claims/Suspicious_Thing", "is no name"),
        ("claims/../../suspicious_thing", "is no name"),
        ("claims/suspicious thing", "is no name"),
        ("claims/" + "a_" * 50 + "a", "is no name"),
        ("nonsense/suspicious_thing", "'nonsense' is no domain"),
        ("../suspicious_thing", "'..' is no domain"),
        ("suspicious_thing", "'suspicious_thing' is no domain"),
    ],
)
def test_a_wrong_name_is_told_and_nothing_written(name: str, told: str, tmp_path: Path) -> None:
    folder = small_pack(tmp_path / "pack")
    before = sorted(tmp_path.rglob("*"))
    ran = insigma("new", name, cwd=folder)
    assert (ran.code, ran.out) == (3, "")
    assert told in ran.err
    assert "hint: " in ran.err
    assert sorted(tmp_path.rglob("*")) == before


def test_an_unknown_log_source_is_told(tmp_path: Path) -> None:
    ran = insigma("new", f"claims/{SLUG}", "--logsource", "nonsense", cwd=small_pack(tmp_path))
    assert ran.code == 3
    assert "no log source 'nonsense'" in ran.err
    assert "insurance_claims" in ran.err
