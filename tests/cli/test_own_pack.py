"""A pack of one's own, and what is said where there is none."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from tests.cli.harness import insigma, small_pack


def own_pack(folder: Path, head: str) -> Path:
    (folder / "insigma.yml").write_text(f"name: our-soc\nversion: 1.0.0\n{head}")
    return folder


def test_a_pack_that_extends_the_insurance_pack_has_its_taxonomy_targets_and_lists(tmp_path: Path) -> None:
    folder = own_pack(tmp_path, "extends: [insurance]\n")
    assert insigma("new", "claims/suspicious_reopened_claim", cwd=folder).code == 0
    fixture = folder / "tests/fixtures/claims/suspicious_reopened_claim.yml"
    fixture.write_text(
        fixture.read_text().replace("user.name: j.kowalska}    #", "user.name: j.kowalska, event.action: claim-create}    #", 1)
    )
    unfinished = insigma("check", cwd=folder)
    assert unfinished.code == 0
    assert unfinished.lines[-1] == "no findings and 9 notes in 3 files (1 rule)"
    assert insigma("test", cwd=folder).code == 1, "what is still to be written must not be delivered"
    assert insigma("build", cwd=folder).code == 1
    for path in (fixture, folder / "rules/claims/suspicious_reopened_claim.yml"):
        path.write_text(re.sub("(?i)write here|say why", "seen", path.read_text()))
    assert insigma("check", cwd=folder).lines == ["no findings in 3 files (1 rule)"]
    assert insigma("test", cwd=folder).code == 0
    shown = insigma("show", "suspicious_reopened_claim", "-t", "elastic", "--part", "query", cwd=folder)
    assert shown.out == 'insurance.logsource:"insurance_claims"\nAND event.action:"claim-create"\n'


def test_a_pack_without_a_taxonomy_is_told_how_to_use_the_insurance_pack_s(tmp_path: Path) -> None:
    ran = insigma("check", cwd=own_pack(tmp_path, ""))
    assert ran.code == 2
    assert "write 'extends: [insurance]' in insigma.yml" in ran.out


def test_a_pack_that_extends_what_nobody_knows_is_told(tmp_path: Path) -> None:
    ran = insigma("check", cwd=own_pack(tmp_path, "extends: [insurance, banking]\n"))
    assert ran.code == 1
    assert "insigma.yml:3:22: error INS509 the pack 'banking' is not known" in ran.out


def test_without_a_pack_the_program_s_own_is_used_and_named(tmp_path: Path) -> None:
    ran = insigma("check", cwd=tmp_path)
    assert ran.code == 0
    assert "no insigma.yml here or above: working on the pack that came with insigma" in ran.err


def test_building_one_target_says_what_the_folder_loses(tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    pack, out = small_pack(tmp_path / "pack"), tmp_path / "out"
    assert insigma("build", "--out", str(out), cwd=pack).code == 0
    ran = insigma("build", "-t", "splunk", "--out", str(out), cwd=pack)
    assert ran.code == 0
    assert "no longer holds elastic" in ran.err
    assert not (out / "elastic").exists()
    shutil.rmtree(out)
    assert "no longer holds" not in insigma("build", "-t", "splunk", "--out", str(out), cwd=pack).err


def test_json_and_another_form_at_once_is_a_usage_error(tmp_path: Path) -> None:
    ran = insigma("build", "--json", "--format", "sarif", cwd=tmp_path)
    assert ran.code == 3
    assert "two ways to write the result" in ran.err


def test_the_customers_of_a_pack_are_its_own(tmp_path: Path) -> None:
    """A pack that extends the insurance pack has its rules, and none of its example customers."""
    ran = insigma("build", "--all-tenants", cwd=own_pack(tmp_path, "extends: [insurance]\n"))
    assert ran.code == 3
    assert "the pack has no tenants" in ran.err


def test_a_rule_that_takes_a_name_of_the_pack_below_is_told(tmp_path: Path) -> None:
    folder = own_pack(tmp_path, "extends: [insurance]\n")
    assert insigma("new", "claims/suspicious_reopened_claim", cwd=folder).code == 0
    written = folder / "rules/claims/suspicious_reopened_claim.yml"
    name = re.search("^name: (.*)$", written.read_text(), re.MULTILINE)
    assert name is not None
    written.write_text(written.read_text().replace(name[1], "ins-clm-001"))
    ran = insigma("check", cwd=folder)
    assert ran.code != 0
    assert "INS502 name 'ins-clm-001' is taken by" in ran.out
