"""`insigma prove` as a user meets it: hints, what is told of missing engines, exit codes, and what --write keeps."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from insigma.content.model import Pack
from insigma.release.proofs import as_document, read_proofs
from insigma_prove import cli, reports
from insigma_prove.engines import ENGINES, Engine
from insigma_prove.install import InstallFailed
from insigma_prove.prove import Bench
from tests.cli.harness import edit, environment, findings, insigma, small_pack, spawn
from tests.engines import seat
from tests.prove.broken import with_stand

RULES = ("claims/claims_system_access_denied", "claims/suspicious_access_to_restricted_claim_file")
RULE = f"rules/{RULES[1]}.yml"


@pytest.fixture
def pack_folder(tmp_path: Path) -> Path:
    (tmp_path / "pack").mkdir()
    return small_pack(tmp_path / "pack", RULES)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with no engines."""
    monkeypatch.setenv("INSIGMA_ENGINES", str(tmp_path / "engines"))


@pytest.fixture
def spl(bench: Bench) -> None:
    """The engine of SPL is there."""
    seat(bench, "splunk", "spl")


def test_help_says_what_it_does_and_needs_no_engine(tmp_path: Path) -> None:
    ran = spawn("prove", "--help", cwd=tmp_path, env={"INSIGMA_ENGINES": str(tmp_path / "nothing")})
    assert (ran.code, ran.err) == (0, "")
    for option in ("--target", "--engine", "--install", "--schedules", "--generated", "--splunk-url", "--write", "--format"):
        assert option in ran.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--engine", "sple"), ("no engine 'sple'", "did you mean 'spl'?")),
        (("--engine", "zzz"), ("no engine 'zzz'", "there are: elastic, spl, kusto")),
        (("ins-clm-0100",), ("no rule 'ins-clm-0100' in the pack", "did you mean 'ins-clm-010'?")),
        (("zzzzz",), ("no rule 'zzzzz' in the pack", "an id or a file name")),
        (("-t", "splnk"), ("splnk", "splunk")),
        (("--engine", "sqlite"), ("sqlite judges none of the targets asked for",)),
        (("--engine", "spl", "-t", "elastic"), ("spl judges none of the targets",)),
        (("--generated", "0"), ("0",)),
        (("--splunk-url", "https://splunk.example:8089"), ("SPLUNK_TOKEN holds no Splunk token", "--splunk-token-file")),
    ],
)
def test_what_is_not_there_is_an_error_with_a_hint(
    arguments: tuple[str, ...], told: tuple[str, ...], pack_folder: Path, bare: None
) -> None:
    ran = insigma("prove", *arguments, cwd=pack_folder)
    assert ran.code == 3
    assert ran.out == ""
    for piece in told:
        assert piece in ran.err
    assert "Traceback" not in ran.err


def test_a_target_that_the_pack_does_not_map_is_an_error(pack_folder: Path, bare: None) -> None:
    (pack_folder / "mappings" / "targets" / "splunk.yml").unlink()
    ran = insigma("prove", "-t", "splunk", cwd=pack_folder)
    assert ran.code == 3
    assert "the pack maps no target 'splunk'" in ran.err
    assert "mappings/targets/splunk.yml" in ran.err


def test_engines_that_are_missing_are_told_aloud(pack_folder: Path, bare: None) -> None:
    ran = insigma("prove", "-t", "splunk", cwd=pack_folder)
    assert ran.code == 1
    assert "warning INS803 SKIPPED: engine spl: it is not installed" in ran.out
    assert "run insigma prove --install" in ran.out
    assert sorted(code for _, _, code in findings(ran.out)) == ["INS802"] * 2 + ["INS803"]
    assert "splunk spl is unchecked: no engine for it is installed" in ran.out
    assert "0 of 2 proofs hold, over 0 cases; 0 refused by the compiler" in ran.out


def test_each_missing_engine_is_told_once(pack_folder: Path, bare: None) -> None:
    ran = insigma("prove", "ins-clm-010", cwd=pack_folder)
    told = [line for line in ran.lines if "INS803" in line]
    assert len(told) == len(set(told)) == 3
    assert all(f"engine {name}:" in line for name, line in zip(("elastic", "kusto", "spl"), sorted(told), strict=True))


def test_a_slow_engine_is_told_how_to_be_installed(pack_folder: Path, bare: None) -> None:
    ran = insigma("prove", "ins-clm-010", "--engine", "opensearch", cwd=pack_folder)
    assert "SKIPPED: engine opensearch" in ran.out
    assert "run insigma prove --install --engine opensearch" in ran.out


def test_json_is_json_and_the_rest_goes_to_the_terminal(pack_folder: Path, bare: None) -> None:
    ran = insigma("prove", "-t", "splunk", "--format", "json", cwd=pack_folder)
    assert ran.code == 1
    found = ran.json
    assert sorted(entry["code"] for entry in found["diagnostics"]) == ["INS802"] * 2 + ["INS803"]
    assert {entry["severity"] for entry in found["diagnostics"]} == {"warning"}
    assert [entry["path"] for entry in found["diagnostics"] if entry["code"] == "INS803"] == ["insigma.yml"]
    assert found["summary"]["proofs"] == 2
    assert "0 of 2 proofs hold" in ran.err


def test_a_pack_whose_queries_are_right_is_proved(pack_folder: Path, spl: None) -> None:
    ran = insigma("prove", "-t", "splunk", cwd=pack_folder)
    assert (ran.code, ran.err) == (0, "")
    assert "2 of 2 proofs hold, over" in ran.lines[0]
    assert ran.lines[1].split(maxsplit=4)[:4] == ["splunk", "spl", "2", "executed"]


@pytest.mark.parametrize("name", ["ins-clm-010", "suspicious_access_to_restricted_claim_file", RULE])
def test_rules_are_chosen_by_name_or_file(name: str, pack_folder: Path, spl: None) -> None:
    ran = insigma("prove", name, "--engine", "spl", cwd=pack_folder)
    assert ran.code == 0
    assert "1 of 1 proof hold" in ran.out


def test_a_query_that_is_wrong_is_an_error_with_case_and_engine(pack_folder: Path, spl: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with_stand(monkeypatch, r"lower\('([^']+)'\)", r"'\1'")
    ran = insigma("prove", "ins-clm-010", "-t", "splunk", cwd=pack_folder)
    assert ran.code == 1
    assert {(path, code) for path, _, code in findings(ran.out)} == {(RULE, "INS801")}
    assert "splunk spl on insigma's SPL interpreter" in ran.out
    assert "does not find it" in ran.out
    assert "0 of 1 proof hold" in ran.out
    assert "disproved" in ran.lines[-1]


def test_many_faults_are_counted_not_listed(pack_folder: Path, spl: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with_stand(monkeypatch, r"(?s)\| where.*", "| where 1=2")
    ran = insigma("prove", "ins-clm-012", "-t", "splunk", cwd=pack_folder)
    told = [line for line in ran.lines if "INS801" in line]
    assert len(told) == reports.MOST_TOLD + 1
    assert " more" in told[-1] or any(" more" in line for line in told)


def test_a_rule_that_cannot_be_read_is_told_too(pack_folder: Path, bare: None) -> None:
    edit(pack_folder / RULE, "condition:", "condition: nosuch\n  other:")
    ran = insigma("prove", "-t", "splunk", cwd=pack_folder)
    assert ran.code == 2
    assert RULE in ran.out
    wrote = insigma("prove", "-t", "splunk", "--write", cwd=pack_folder)
    assert wrote.code == 3
    assert "cannot be read" in wrote.err
    assert not (pack_folder / "proofs").exists()


def test_what_is_written_is_what_the_ledger_says(pack_folder: Path, spl: None) -> None:
    assert insigma("prove", "-t", "splunk", "--write", cwd=pack_folder).code == 0
    rows = read_proofs(pack_folder)
    assert (pack_folder / "proofs" / "splunk.json").read_text("utf-8") == as_document(rows)
    assert [(row.rule, row.target, row.language, row.grade) for row in rows] == [
        (rule, "splunk", "spl", "executed") for rule in ("ins-clm-010", "ins-clm-012")
    ]
    assert insigma("build", "-t", "splunk", cwd=pack_folder).code == 0
    entries = json.loads((pack_folder / "dist" / "ledger.json").read_text("utf-8"))["rows"]
    assert {entry["proof"] for entry in entries} == {"executed"}
    edit(pack_folder / "tests/fixtures/claims/suspicious_access_to_restricted_claim_file.yml", "- name: ", "- name: another ")
    assert insigma("build", "-t", "splunk", cwd=pack_folder).code == 0
    entries = json.loads((pack_folder / "dist" / "ledger.json").read_text("utf-8"))["rows"]
    assert {entry["rule"]: entry["proof"] for entry in entries}["ins-clm-010"] == "unchecked"


def test_a_disproved_query_is_not_written(pack_folder: Path, spl: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with_stand(monkeypatch, "(?s)^", "index=nowhere ")
    assert insigma("prove", "-t", "splunk", "--write", cwd=pack_folder).code == 1
    assert read_proofs(pack_folder) == ()


@pytest.mark.parametrize(
    "arguments",
    [
        ("ins-clm-010",),
        ("--engine", "spl"),
        ("--schedules",),
        ("--generated", "3"),
        ("--splunk-url", "https://splunk.example:8089"),
    ],
)
def test_a_part_of_the_pack_is_never_written(arguments: tuple[str, ...], pack_folder: Path, bare: None) -> None:
    ran = insigma("prove", *arguments, "--write", cwd=pack_folder)
    assert ran.code == 3
    assert "--write keeps the proof of a whole pack" in ran.err
    assert not (pack_folder / "proofs").exists()


def test_proofs_are_not_lost_to_a_machine_without_engines(pack_folder: Path, spl: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert insigma("prove", "-t", "splunk", "--write", cwd=pack_folder).code == 0
    before = read_proofs(pack_folder)
    monkeypatch.setenv("INSIGMA_ENGINES", str(pack_folder / "nothing"))
    ran = insigma("prove", "-t", "splunk", "--write", cwd=pack_folder)
    assert ran.code == 3
    assert "engine spl: it is not installed" in ran.err
    assert read_proofs(pack_folder) == before


def test_nothing_is_written_where_there_is_no_pack(tmp_path: Path, bare: None) -> None:
    ran = insigma("prove", "--write", cwd=tmp_path)
    assert ran.code == 3
    assert "here is none" in ran.err


def test_schedules_are_proved_with_their_seed(pack_folder: Path, spl: None) -> None:
    ran = insigma("prove", "ins-clm-010", "-t", "splunk", "--schedules", "--seed", "7", cwd=pack_folder)
    assert ran.code == 0
    assert ran.lines[-1].startswith("1 of 1 schedule hold over a day; ")
    assert ran.lines[-1].endswith("(seed 7)")


def test_a_schedule_that_is_wrong_is_an_error(pack_folder: Path, spl: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with_stand(monkeypatch, r"(?s)$", " | where 1=2")
    ran = insigma("prove", "ins-clm-010", "-t", "splunk", "--schedules", cwd=pack_folder)
    assert ran.code == 1
    assert "INS801 splunk spl over a day: event " in ran.out
    assert "0 of 1 schedule hold" in ran.out


def test_generated_sets_are_proved(pack_folder: Path, spl: None) -> None:
    pytest.importorskip("hypothesis")
    ran = insigma("prove", "--generated", "1", "-t", "splunk", "--engine", "spl", "--seed", "3", cwd=pack_folder)
    assert ran.code == 0, ran.out
    assert "seed 3" in ran.out


def test_generated_sets_need_a_package_that_is_named(pack_folder: Path) -> None:
    script = "import sys; sys.modules['hypothesis'] = None; from insigma.cli.main import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", script, "prove", "--generated", "2", "-t", "splunk"],
        cwd=pack_folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 3
    assert "--generated needs the package hypothesis" in ran.stderr
    assert "pip install 'insigma[prove]'" in ran.stderr


class Installs:
    """What would be installed; some engines fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *failing: str) -> None:
        self.asked: list[str] = []
        self._failing = failing
        monkeypatch.setattr(cli, "install", self._install)

    def _install(self, spec: Engine, tell: object) -> None:
        self.asked.append(spec.name)
        if spec.name in self._failing:
            raise InstallFailed("npm is not on the PATH")


def test_installing_sets_up_what_tests_need_or_what_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installs = Installs(monkeypatch)
    assert insigma("prove", "--install", cwd=tmp_path).code == 0
    assert installs.asked == [spec.name for spec in ENGINES if spec.needed]
    installs.asked.clear()
    assert insigma("prove", "--install", "--all", cwd=tmp_path).code == 0
    assert installs.asked == [spec.name for spec in ENGINES]
    installs.asked.clear()
    assert insigma("prove", "--install", "--engine", "opensearch", cwd=tmp_path).code == 0
    assert installs.asked == ["opensearch"]


def test_an_engine_that_cannot_be_installed_does_not_keep_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installs = Installs(monkeypatch, "elastic", "kusto")
    ran = insigma("prove", "--install", cwd=tmp_path)
    assert ran.code == 3
    assert installs.asked == [spec.name for spec in ENGINES if spec.needed]
    assert "elastic: npm is not on the PATH; kusto: npm is not on the PATH" in ran.err


def test_installing_and_then_proving_does_both(pack_folder: Path, bare: None, monkeypatch: pytest.MonkeyPatch) -> None:
    installs = Installs(monkeypatch)
    ran = insigma("prove", "--install", "--schedules", "-t", "splunk", cwd=pack_folder)
    assert installs.asked
    assert "schedules hold over a day" in ran.out


def test_the_pack_is_the_one_around_the_folder(pack: Pack, pack_folder: Path, bare: None) -> None:
    ran = insigma("prove", "-t", "splunk", cwd=pack_folder / "rules" / "claims")
    assert "0 of 2 proofs" in ran.out
