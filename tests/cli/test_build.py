"""`insigma build`: what it writes, when it writes nothing, and how it says so."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from importlib.metadata import version
from pathlib import Path

import pytest

from insigma import __version__
from tests.cli.harness import (
    ROOT,
    SOURCES,
    assert_valid,
    command,
    edit,
    environment,
    files_of,
    findings,
    insigma,
    siblings,
    small_pack,
    spawn,
    whole_pack,
)

BASE, COUNT, RESTRICTED = (
    "claims_system_access_denied",
    "potential_repeated_unauthorised_claim_access_attempts",
    "suspicious_access_to_restricted_claim_file",
)
LAYOUT = {
    *(f"ledger/{slug}.json" for slug in (BASE, COUNT, RESTRICTED)),
    *(f"elastic/rules/{slug}.json" for slug in (BASE, COUNT, RESTRICTED)),
    *(f"elastic/rules/{slug}.lucene" for slug in (BASE, RESTRICTED)),
    f"elastic/rules/{COUNT}.eql",
    *(f"splunk/rules/{slug}.{suffix}" for slug in (BASE, COUNT, RESTRICTED) for suffix in ("spl", "conf")),
    *(f"sentinel/rules/{slug}.{suffix}" for slug in (BASE, COUNT, RESTRICTED) for suffix in ("kql", "yaml")),
    "elastic/insigma.ndjson",
    "elastic/component-template.json",
    "elastic/ingest-pipeline.json",
    "splunk/savedsearches.conf",
    "ledger.json",
    "ledger.md",
    "manifest.json",
}


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return small_pack(tmp_path / "pack")


def test_layout(pack: Path) -> None:
    ran = insigma("build", cwd=pack)
    assert (ran.code, ran.err) == (0, "")
    assert set(files_of(pack / "dist")) == LAYOUT
    assert siblings(pack / "dist") == []


def test_summary(pack: Path) -> None:
    lines = insigma("build", cwd=pack).lines
    assert lines[0].endswith(f" passed; {len(LAYOUT)} files in dist/")
    assert [line.split()[:4] for line in lines[1:]] == [
        ["target", "compiled", "refused", "disabled"],
        ["elastic", "3", "0", "0"],
        ["splunk", "3", "0", "0"],
        ["sentinel", "3", "0", "0"],
    ]


def test_every_file_ends_with_one_line_break_and_has_no_other_breaks_than_line_feeds(pack: Path) -> None:
    insigma("build", cwd=pack)
    for path, content in files_of(pack / "dist").items():
        assert content.endswith(b"\n"), path
        assert not content.endswith(b"\n\n"), path
        assert b"\r" not in content, path


def test_ledger_has_a_row_for_each_rule_and_target(pack: Path) -> None:
    insigma("build", cwd=pack)
    ledger = json.loads((pack / "dist" / "ledger.json").read_text())
    assert_valid(ledger, "ledger")
    names = ("ins-clm-010", "ins-clm-012", "ins-clm-c04")
    assert [(row["rule"], row["target"], row["outcome"]) for row in ledger["rows"]] == [
        (name, target, "compiled") for name in names for target in ("elastic", "sentinel", "splunk")
    ]
    parts = [json.loads(path.read_text()) for path in sorted((pack / "dist" / "ledger").iterdir())]
    for part in parts:
        assert_valid(part, "ledger")
    assert sorted((row for part in parts for row in part["rows"]), key=lambda row: (row["rule"], row["target"])) == ledger["rows"]


def test_manifest_has_the_digest_of_every_other_file(pack: Path) -> None:
    insigma("build", cwd=pack)
    files = files_of(pack / "dist")
    manifest = json.loads(files.pop("manifest.json"))
    assert manifest["files"] == {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    assert manifest["pack"] == {"name": "insurance", "version": "0.1.0"}
    assert manifest["targets"] == ["elastic", "splunk", "sentinel"]
    assert manifest["versions"] == {"insigma": __version__, "pysigma": version("pysigma")}


def test_bundles_hold_every_rule(pack: Path) -> None:
    insigma("build", cwd=pack)
    dist = pack / "dist"
    bundled = [json.loads(line) for line in (dist / "elastic" / "insigma.ndjson").read_text().splitlines()]
    single = [json.loads(path.read_text()) for path in sorted((dist / "elastic" / "rules").glob("*.json"))]
    assert sorted(bundled, key=lambda rule: str(rule["rule_id"])) == sorted(single, key=lambda rule: str(rule["rule_id"]))
    stanzas = (dist / "splunk" / "savedsearches.conf").read_text()
    assert all(path.read_text().strip() in stanzas for path in (dist / "splunk" / "rules").glob("*.conf"))


# --- the same bytes, whatever the circumstances


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a build of the insurance pack gives."""
    out = tmp_path_factory.mktemp("reference") / "dist"
    assert insigma("build", "--out", out, cwd=ROOT).code == 0
    return files_of(out)


@pytest.mark.parametrize(
    "circumstances",
    [
        {"PYTHONHASHSEED": "1", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"},
        {"PYTHONHASHSEED": "4242", "TZ": "Pacific/Kiritimati", "COLUMNS": "20", "PYTHONOPTIMIZE": "2", "PYTHONDONTWRITEBYTECODE": "1"},
    ],
    ids=lambda circumstances: " ".join(circumstances),
)
def test_a_build_gives_the_same_bytes_in_other_circumstances(
    circumstances: dict[str, str], reference: dict[str, bytes], tmp_path: Path
) -> None:
    ran = spawn("build", "--out", tmp_path / "dist", cwd=ROOT, env=circumstances)
    assert ran.code == 0, ran.err
    assert files_of(tmp_path / "dist") == reference


def test_a_build_gives_the_same_bytes_from_another_folder(reference: dict[str, bytes], tmp_path: Path) -> None:
    folder = tmp_path / "a folder with ünïcode" / "pack"
    folder.mkdir(parents=True)
    whole_pack(folder)
    assert insigma("build", "--out", tmp_path / "dist", cwd=folder / "rules" / "claims").code == 0
    assert files_of(tmp_path / "dist") == reference


def test_without_a_pack_the_one_that_the_program_carries_is_built_and_built_again(reference: dict[str, bytes], tmp_path: Path) -> None:
    for _ in range(2):
        assert insigma("build", cwd=tmp_path).code == 0
        assert files_of(tmp_path / "dist") == reference


def other_python(version: str) -> str | None:
    """A Python of this version that has Insigma's dependencies: from PATH, or from environments named in INSIGMA_TEST_PYTHONS."""
    script = "import sys, click, yaml, re2, sigma, jsonschema, orjson, rich; print('%d.%d' % sys.version_info[:2])"
    named = os.environ.get("INSIGMA_TEST_PYTHONS", "").split(os.pathsep)
    for candidate in filter(None, (*named, shutil.which(f"python{version}"))):
        ran = subprocess.run([candidate, "-c", script], capture_output=True, text=True, check=False)
        if ran.stdout.strip() == version:
            return candidate
    return None


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_another_python_gives_the_same_bytes(version: str, reference: dict[str, bytes], tmp_path: Path) -> None:
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        pytest.skip("this is the Python that runs the tests")
    python = other_python(version)
    if python is None:
        pytest.skip(f"no Python {version} that has Insigma's dependencies; INSIGMA_TEST_PYTHONS may name some")
    ran = spawn("build", "--out", tmp_path / "dist", cwd=ROOT, python=python)
    assert ran.code == 0, ran.err
    assert files_of(tmp_path / "dist") == reference


def test_the_committed_part_of_dist_is_what_the_sources_give(reference: dict[str, bytes]) -> None:
    committed = files_of(ROOT / "dist")
    if not committed:
        pytest.skip("dist/ is not committed yet")
    parts = ("elastic/rules/", "splunk/rules/", "sentinel/rules/", "ledger/")
    assert {path for path in committed if path.startswith(parts)} == {path for path in reference if path.startswith(parts)}
    assert [path for path, content in committed.items() if path.startswith(parts) and content != reference[path]] == []


def test_every_rule_of_the_pack_compiles_for_every_target(reference: dict[str, bytes]) -> None:
    rows = json.loads(reference["ledger.json"])["rows"]
    assert {row["outcome"] for row in rows} == {"compiled"}
    assert len(rows) == 3 * len(list((ROOT / "rules").rglob("*.yml")))


# --- where it builds, and what it writes over


def test_below_the_root_of_a_pack_its_own_dist_is_written(pack: Path) -> None:
    assert insigma("build", cwd=pack / "rules" / "claims").code == 0
    assert set(files_of(pack / "dist")) == LAYOUT
    assert not list((pack / "rules").rglob("dist"))


def test_a_folder_that_insigma_did_not_build_is_refused(pack: Path) -> None:
    (pack / "dist").mkdir()
    (pack / "dist" / "thesis.doc").write_text("years of work\n")
    ran = insigma("build", cwd=pack)
    assert (ran.code, ran.out) == (3, "")
    assert "dist is not a folder that insigma built: it holds thesis.doc" in ran.err
    assert files_of(pack / "dist") == {"thesis.doc": b"years of work\n"}


@pytest.mark.parametrize("out", [".", "..", "rules", "insigma.yml", "/"])
def test_neither_the_pack_nor_what_is_around_it_is_written_over(out: str, pack: Path) -> None:
    before = files_of(pack)
    ran = insigma("build", "--out", out, cwd=pack)
    assert ran.code == 3
    assert "is not a folder that insigma built" in ran.err
    assert files_of(pack) == before


def test_targets_can_be_chosen_and_what_was_not_is_no_longer_there(pack: Path) -> None:
    insigma("build", cwd=pack)
    assert insigma("build", "-t", "splunk", "-t", "splunk", cwd=pack).code == 0
    assert set(files_of(pack / "dist")) == {path for path in LAYOUT if not path.startswith(("elastic/", "sentinel/"))}
    assert json.loads((pack / "dist" / "manifest.json").read_text())["targets"] == ["splunk"]


@pytest.mark.parametrize("backend", ["splunk", "lucene", "eql", "esql"])
def test_stock_backends_build_beside_ours_and_are_marked_unverified(backend: str, pack: Path) -> None:
    ran = insigma("build", "-t", f"pysigma:{backend}", "-t", "splunk", cwd=pack)
    rows = json.loads((pack / "dist" / "ledger.json").read_text())["rows"]
    stock = {row["rule"]: row for row in rows if row["target"] == f"pysigma:{backend}"}
    assert len(stock) == 3
    assert {row["proof"] for row in stock.values() if row["outcome"] == "compiled"} == {"unverified"}
    assert {row["outcome"] for row in rows if row["target"] == "splunk"} == {"compiled"}
    refused = {row["rule"] for row in stock.values() if row["outcome"] == "refused"}
    assert ran.code == (2 if refused else 0)
    assert refused <= {"ins-clm-c04"}, "event rules compile everywhere"
    written = {path for path in files_of(pack / "dist") if path.startswith("pysigma/")}
    assert written == {f"pysigma/{backend}/rules/{slug}.txt" for slug in (BASE, COUNT, RESTRICTED) if slug != COUNT or not refused}
    assert "pysigma-backend-splunk" in json.loads((pack / "dist" / "manifest.json").read_text())["versions"]


def test_a_rule_that_breaks_a_stock_backend_does_not_touch_the_next(pack: Path) -> None:
    insigma("build", "-t", "pysigma:splunk", "--out", "alone", cwd=pack)
    edit(pack / "rules" / "claims" / f"{BASE}.yml", "  selection:\n", "  selection:\n    url.path|re: '(?i)a{1,1000}'\n")
    insigma("build", "-t", "pysigma:eql", "-t", "pysigma:splunk", cwd=pack)
    path = f"pysigma/splunk/rules/{RESTRICTED}.txt"
    alone, beside = files_of(pack / "alone"), files_of(pack / "dist") or files_of(pack / "alone")
    assert alone[path] == beside[path]


def test_an_unknown_target_is_told_before_anything_is_done(pack: Path) -> None:
    ran = insigma("build", "-t", "splunk", "-t", "qradar", cwd=pack)
    assert (ran.code, ran.out) == (3, "")
    assert "no target 'qradar'" in ran.err
    assert "elastic, splunk, sentinel, pysigma:" in ran.err
    assert not (pack / "dist").exists()


# --- what keeps it from writing


def test_a_failing_check_leaves_the_old_dist_and_says_so(pack: Path) -> None:
    insigma("build", cwd=pack)
    before = files_of(pack / "dist")
    edit(pack / "rules" / "claims" / f"{BASE}.yml", "level: ", "level: very-")
    ran = insigma("build", cwd=pack)
    assert ran.code == 1
    assert f"rules/claims/{BASE}.yml" in {path for path, _, code in findings(ran.out) if code == "INS203"}
    assert "nothing was written because of" in ran.lines[-1]
    assert files_of(pack / "dist") == before


def test_a_failing_fixture_leaves_the_old_dist_and_says_so(pack: Path) -> None:
    insigma("build", cwd=pack)
    before = files_of(pack / "dist")
    edit(pack / "tests" / "fixtures" / "claims" / f"{RESTRICTED}.yml", "expect: match", "expect: none")
    edit(pack / "rules" / "claims" / f"{RESTRICTED}.yml", "title: Suspicious", "title: SUSPICIOUS")
    ran = insigma("build", cwd=pack)
    assert ran.code == 1
    assert {code for _, _, code in findings(ran.out)} == {"INS601"}
    assert "nothing was written because of " in ran.lines[-1]
    assert files_of(pack / "dist") == before


def test_a_rule_that_cannot_be_read_leaves_no_dist_at_all(pack: Path) -> None:
    edit(pack / "rules" / "claims" / f"{BASE}.yml", "condition: ", "condition: (")
    ran = insigma("build", cwd=pack)
    assert ran.code == 2
    assert not (pack / "dist").exists()


def test_a_warning_is_told_and_the_build_goes_on(pack: Path) -> None:
    rule = pack / "rules" / "claims" / f"{BASE}.yml"
    edit(rule, "level: ", "falsepositive: []\nlevel: ")
    ran = insigma("build", cwd=pack)
    assert ran.code == 1
    assert {code for _, _, code in findings(ran.out)} == {"INS218"}
    assert set(files_of(pack / "dist")) == LAYOUT


def test_a_faulty_mapping_is_told_like_any_other_fault(pack: Path) -> None:
    (pack / "mappings" / "targets" / "splunk.yml").write_text("target: [\n")
    for arguments in ((), ("-t", "splunk")):
        ran = insigma("build", *arguments, cwd=pack)
        assert ran.code == 2
        assert ("mappings/targets/splunk.yml", "INS005") in {(path, code) for path, _, code in findings(ran.out)}
        assert not (pack / "dist").exists()


def test_a_pack_without_mappings_is_told(pack: Path) -> None:
    shutil.rmtree(pack / "mappings" / "targets")
    ran = insigma("build", cwd=pack)
    assert ran.code == 3
    assert "the pack maps no target" in ran.err


def test_a_pack_without_a_default_profile_is_built_if_no_rule_needs_its_lists(pack: Path) -> None:
    shutil.rmtree(pack / "mappings" / "tenants")
    ran = insigma("build", cwd=pack)
    assert ran.code == 0, ran.out + ran.err
    assert set(files_of(pack / "dist")) == LAYOUT


def test_two_rules_in_one_file_are_told_not_overwritten(pack: Path) -> None:
    rules = pack / "rules" / "claims"
    both = (rules / f"{BASE}.yml").read_text() + "---\n" + (rules / f"{RESTRICTED}.yml").read_text()
    (rules / f"{BASE}.yml").write_text(both)
    (rules / f"{RESTRICTED}.yml").unlink()
    ran = insigma("build", cwd=pack)
    assert ran.code == 1
    assert "INS504" in {code for _, _, code in findings(ran.out)}
    assert not (pack / "dist").exists()


# --- refused and disabled rules

CASED = "  extra:\n    insurance.claim.id|cased: CLM-Never-Seen\n  condition: extra or "
"""What Elastic cannot say, as it keeps this field in lower case only, and Splunk can."""


def refused_pack(pack: Path) -> Path:
    """A pack with one rule that one of two targets refuses."""
    edit(pack / "rules" / "claims" / f"{RESTRICTED}.yml", "  condition: ", CASED)
    return pack


def accept(pack: Path, rule: str = "ins-clm-010", target: str = "elastic") -> None:
    """Name a refusal in the pack's list."""
    with (pack / "insigma.yml").open("a") as stream:
        stream.write(f"refusals:\n  - {{rule: {rule}, target: {target}, reason: claim numbers are kept in lower case}}\n")


def test_a_refused_rule_is_a_finding_and_a_ledger_row_and_the_others_are_built(pack: Path) -> None:
    ran = insigma("build", cwd=refused_pack(pack))
    path = f"rules/claims/{RESTRICTED}.yml"
    line = (pack / path).read_text().splitlines().index("detection:") + 1
    (told,) = findings(ran.out)
    assert (ran.code, told[0], told[2]) == (2, path, "INS701")
    assert line < told[1] <= line + 12
    counts = [each.split()[:4] for each in ran.lines[-3:]]
    assert counts == [["elastic", "2", "1", "0"], ["splunk", "3", "0", "0"], ["sentinel", "3", "0", "0"]]
    rows = json.loads((pack / "dist" / "ledger.json").read_text())
    assert_valid(rows, "ledger")
    row = next(row for row in rows["rows"] if row["outcome"] == "refused")
    assert (row["rule"], row["target"], row["language"]) == ("ins-clm-010", "elastic", "")
    assert "its case cannot be asked for" in row["reason"]
    assert row["reason"].endswith(f"({path}:{told[1]})")
    assert set(files_of(pack / "dist")) == LAYOUT - {f"elastic/rules/{RESTRICTED}.json", f"elastic/rules/{RESTRICTED}.lucene"}


@pytest.mark.parametrize("rule", ["ins-clm-010", RESTRICTED])
def test_a_refusal_that_the_pack_lists_is_accepted_and_stays_in_the_ledger(rule: str, pack: Path) -> None:
    accept(refused_pack(pack), rule)
    ran = insigma("build", cwd=pack)
    assert (ran.code, list(findings(ran.out))) == (0, [])
    assert "refused" in {row["outcome"] for row in json.loads((pack / "dist" / "ledger.json").read_text())["rows"]}


@pytest.mark.parametrize(("rule", "told"), [("ins-clm-010", "but it compiles"), ("ins-clm-999", "which is no rule here")])
def test_a_listed_refusal_that_is_none_is_a_finding(rule: str, told: str, pack: Path) -> None:
    accept(pack, rule)
    ran = insigma("build", cwd=pack)
    lines = (pack / "insigma.yml").read_text().splitlines()
    assert ran.code == 2
    assert list(findings(ran.out)) == [("insigma.yml", len(lines), "INS702")]
    assert told in ran.out


def test_a_listed_refusal_of_a_target_that_is_not_built_is_no_matter(pack: Path) -> None:
    accept(pack)
    assert insigma("build", "-t", "splunk", cwd=pack).code == 0


def test_a_rule_that_is_disabled_needs_no_refusal(pack: Path) -> None:
    accept(refused_pack(pack))
    edit(
        pack / "mappings" / "tenants" / "default.yml",
        "disabled: []",
        "disabled:\n    - {id: ins-clm-010, reason: not yet, owner: soc, review: 2099-01-01}",
    )
    assert insigma("build", cwd=pack).code == 0


def test_disabled_rules_stand_in_the_ledger(pack: Path) -> None:
    edit(
        pack / "mappings" / "tenants" / "default.yml",
        "disabled: []",
        "disabled:\n    - {id: ins-clm-010, reason: no such files here, owner: soc, review: 2099-01-01}",
    )
    ran = insigma("build", cwd=pack)
    counts = [line.split()[:4] for line in ran.lines[2:]]
    assert (ran.code, counts) == (0, [[target, "2", "0", "1"] for target in ("elastic", "splunk", "sentinel")])
    rows = [row for row in json.loads((pack / "dist" / "ledger.json").read_text())["rows"] if row["rule"] == "ins-clm-010"]
    assert [(row["outcome"], row["reason"]) for row in rows] == [("disabled", "no such files here")] * 3
    assert not [path for path in files_of(pack / "dist") if RESTRICTED in path and not path.startswith("ledger/")]
    assert "disabled" in (pack / "dist" / "ledger.md").read_text()


# --- forms


def test_json(pack: Path) -> None:
    ran = insigma("build", "--json", cwd=refused_pack(pack))
    assert (ran.code, ran.err) == (2, "")
    told = ran.json
    assert (told["exit"], told["out"], told["files"]) == (2, "dist", sorted(files_of(pack / "dist")))
    assert told["cases"]["passed"] == told["cases"]["run"] > 10
    assert told["rows"] == json.loads((pack / "dist" / "ledger.json").read_text())["rows"]
    assert_valid({"diagnostics": told["diagnostics"], "summary": {"errors": 1, "warnings": 0, "notes": 0}}, "diagnostics")


def test_json_of_a_build_that_wrote_nothing(pack: Path) -> None:
    edit(pack / "rules" / "claims" / f"{BASE}.yml", "level: ", "level: very-")
    ran = insigma("build", "--json", cwd=pack)
    assert ran.code == ran.json["exit"] == 1
    assert (ran.json["out"], ran.json["files"], ran.json["rows"]) == (None, [], [])
    assert "INS203" in {entry["code"] for entry in ran.json["diagnostics"]}


@pytest.mark.parametrize("form", ["json", "sarif", "junit", "github"])
def test_findings_in_every_form(form: str, pack: Path) -> None:
    ran = insigma("build", "--format", form, cwd=refused_pack(pack))
    assert ran.code == 2
    assert "files in dist/" in ran.err
    match form:
        case "json":
            assert_valid(ran.json, "diagnostics")
            assert [entry["code"] for entry in ran.json["diagnostics"]] == ["INS701"]
        case "sarif":
            assert [result["ruleId"] for result in ran.json["runs"][0]["results"]] == ["INS701"]
        case "junit":
            assert [failure.get("type") for failure in ElementTree.fromstring(ran.out).iter("failure")] == ["INS701"]
        case "github":
            assert [line.partition(",")[0] for line in ran.lines] == [f"::error file=rules/claims/{RESTRICTED}.yml"]


# --- the network

NO_NETWORK = """
import os, sys
def forbidden(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.bind", "urllib.Request"):
        os.write(2, f"{event} {arguments}".encode())
        os._exit(99)
sys.addaudithook(forbidden)
"""


@pytest.mark.parametrize(("arguments", "code"), [((), 0), (("-t", "pysigma:splunk"), 0), (("-t", "pysigma:lucene", "-t", "elastic"), 2)])
def test_a_build_opens_no_connection(arguments: tuple[str, ...], code: int, pack: Path, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(NO_NETWORK)
    path = os.pathsep.join((str(tmp_path / "site"), str(SOURCES)))
    probe = [sys.executable, "-c", "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('127.0.0.1', 9))"]
    assert subprocess.run(probe, env=environment(PYTHONPATH=path), capture_output=True, check=False).returncode == 99
    ran = subprocess.run(
        command("build", *arguments), cwd=pack, env=environment(PYTHONPATH=path), capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr) == (code, "")
    assert (pack / "dist" / "manifest.json").is_file()


def test_a_fault_of_a_rule_is_told_once_not_again_by_every_case_that_it_breaks(pack: Path) -> None:
    rule = pack / "rules" / "claims" / f"{BASE}.yml"
    rule.write_text(rule.read_text().replace("      - claim-view\n", "      - claim-veiw\n", 1))
    ran = insigma("build", cwd=pack)
    assert ran.code == 1
    assert {code for _, _, code in findings(ran.out)} == {"INS304"}
