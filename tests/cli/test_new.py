"""`insigma new`: what it writes passes `check`, and `test` says what to write next."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from insigma.content.domains import DOMAIN_CODES
from tests.cli.harness import ROOT, edit, findings, insigma, small_pack, whole_pack

SLUG = "suspicious_new_thing"


def start(folder: Path, domain: str, *options: str) -> None:
    ran = insigma("new", f"{domain}/{SLUG}", *options, cwd=folder)
    if "no log source of its own" in ran.err and not options:
        assert ran.code == 3
        ran = insigma("new", f"{domain}/{SLUG}", "--logsource", "insurance_claims", cwd=folder)
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.parametrize("domain", DOMAIN_CODES)
def test_a_new_rule_passes_check_and_its_fixture_says_what_to_write(domain: str, tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    start(folder, domain)
    rule, fixture = f"rules/{domain}/{SLUG}.yml", f"tests/fixtures/{domain}/{SLUG}.yml"
    checked = insigma("check", cwd=folder)
    assert checked.code == 0
    unwritten = list(findings(checked.out))
    assert {code for _, _, code in unwritten} == {"INS511"}
    assert {path for path, _, _ in unwritten} == {rule, fixture}
    assert all(": note INS511 " in line for line in checked.lines if "INS511" in line)
    left = [
        line for path in (rule, fixture) for line in (folder / path).read_text().splitlines() if "rite here" in line or "say why" in line
    ]
    assert len(unwritten) == len(left)
    tested = insigma("test", rule, cwd=folder)
    assert tested.code == 1
    assert {(path, code) for path, _, code in findings(tested.out)} == {(rule, "INS511"), (fixture, "INS511"), (fixture, "INS601")}
    assert "write here what must alert: event 0 must match and does not" in tested.out


def logsources() -> list[str]:
    from insigma.content.pack import bundled_root, load_loose

    return list(load_loose((), bundled_root()).pack.taxonomy.logsources)


@pytest.mark.parametrize("source", logsources())
def test_every_log_source_of_the_taxonomy_can_be_started_with(source: str, tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    start(folder, "claims", "--logsource", source)
    checked = insigma("check", cwd=folder)
    assert checked.code == 0
    assert {code for _, _, code in findings(checked.out)} == {"INS511"}
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
        ("claims", "'claims' is not DOMAIN/SLUG"),
        ("claims/", "'' is no name"),
        ("claims/short", "'short' is no name"),
        ("claims/Suspicious_Thing", "is no name"),
        ("claims/../../suspicious_thing", "is no name"),
        ("claims/suspicious thing", "is no name"),
        ("claims/" + "a_" * 50 + "a", "is no name"),
        ("nonsense/suspicious_thing", "'nonsense' is no domain"),
        ("../suspicious_thing", "'..' is no domain"),
        ("suspicious_thing", "'suspicious_thing' is not DOMAIN/SLUG"),
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


def test_the_shape_of_a_name_is_told_by_example(tmp_path: Path) -> None:
    ran = insigma("new", "foo", cwd=small_pack(tmp_path))
    assert "write DOMAIN/SLUG, such as claims/suspicious_reopened_claim" in ran.err


def test_a_domain_without_a_log_source_of_its_own_is_told(tmp_path: Path) -> None:
    ran = insigma("new", f"insider/{SLUG}", cwd=small_pack(tmp_path))
    assert ran.code == 3
    assert "domain insider has no log source of its own: choose with --logsource" in ran.err
    assert "hint: one of insurance_claims, " in ran.err


def test_a_pack_without_log_sources_is_told(tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    (folder / "mappings" / "taxonomy" / "logsources.yml").write_text("logsources: {}\n")
    for options in ((), ("--logsource", "insurance_claims")):
        ran = insigma("new", f"claims/{SLUG}", *options, cwd=folder)
        assert (ran.code, ran.out) == (3, "")
        assert "the taxonomy of the pack has no log sources" in ran.err
        assert "mappings/taxonomy/logsources.yml" in ran.err


TAKEN = "claims_system_access_denied"


@pytest.mark.parametrize("domain", ["claims", "broker"])
def test_the_name_of_another_rule_is_refused_in_every_domain(domain: str, tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    ran = insigma("new", f"{domain}/{TAKEN}", "--logsource", "insurance_claims", cwd=folder)
    assert (ran.code, ran.out) == (3, "")
    assert f"rules/claims/{TAKEN}.yml" in ran.err
    assert not (folder / "rules" / "broker").exists()


def test_the_name_of_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    (folder / "rules" / "claims" / f"{TAKEN}.yml").write_text("[broken\n")
    ran = insigma("new", f"broker/{TAKEN}", "--logsource", "insurance_claims", cwd=folder)
    assert (ran.code, ran.out) == (3, "")
    assert f"rules/claims/{TAKEN}.yml" in ran.err


def test_the_title_of_another_rule_is_refused(tmp_path: Path) -> None:
    folder = small_pack(tmp_path)
    edit(folder / "rules" / "claims" / f"{TAKEN}.yml", "title: Claims System Access Denied", "title: Off-Hours  access")
    ran = insigma("new", "broker/off_hours_access", "--logsource", "insurance_claims", cwd=folder)
    assert (ran.code, ran.out) == (3, "")
    assert f"rules/claims/{TAKEN}.yml has that title" in ran.err
