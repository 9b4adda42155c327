"""`insigma verify`: a build that is as it was signed, and one that is not."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest

from insigma.cli.keys import signing_key
from insigma.cli.locks import locked_versions
from insigma.release.signing import ENVIRONMENT, new_key, sign
from tests.cli.harness import ROOT, Ran, edit, files_of, insigma, small_pack


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return new_key(tmp_path_factory.mktemp("keys") / "ours")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, keys: tuple[Path, Path]) -> Path:
    """A pack with its dist/, signed."""
    pack = small_pack(tmp_path_factory.mktemp("pack"))
    assert insigma("build", "-t", "splunk", cwd=pack).code == 0
    key = signing_key(keys[0])
    assert key is not None
    (pack / "dist" / "manifest.json.sig").write_text(sign((pack / "dist" / "manifest.json").read_bytes(), key))
    return pack / "dist"


@pytest.fixture
def dist(built: Path, tmp_path: Path) -> Path:
    for path, content in files_of(built).items():
        target = tmp_path / "dist" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return tmp_path / "dist"


def verify(*folders: str | Path, keys: tuple[Path, Path], cwd: Path) -> Ran:
    return insigma("verify", *folders, "--public-key", keys[1], cwd=cwd)


def test_a_build_as_it_was_signed(dist: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    files = len(json.loads((dist / "manifest.json").read_text())["files"])
    ran = verify("dist", keys=keys, cwd=tmp_path)
    assert (ran.code, ran.out, ran.err) == (0, f"dist: signed, {files} files as signed\n", "")


def test_every_fault_is_one_line(dist: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    (query,) = dist.glob("splunk/rules/claims_system_access_denied.spl")
    edit(query, "index", "Index")
    (dist / "ledger.md").unlink()
    (dist / "payload.sh").write_text("x")
    ran = verify("dist", keys=keys, cwd=tmp_path)
    assert (ran.code, ran.lines) == (
        1,
        [
            "dist/ledger.md: missing",
            "dist/splunk/rules/claims_system_access_denied.spl: changed since it was signed",
            "dist/payload.sh: the manifest does not name it",
        ],
    )


def test_an_unsigned_build_and_another_key(dist: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    other = new_key(tmp_path / "other")
    wrong = verify("dist", keys=other, cwd=tmp_path)
    assert (wrong.code, len(wrong.lines)) == (1, 1)
    assert "not the key's signature" in wrong.out
    (dist / "manifest.json.sig").unlink()
    unsigned = verify("dist", keys=keys, cwd=tmp_path)
    assert (unsigned.code, unsigned.out) == (1, "dist/manifest.json.sig: missing; the tree is not signed\n")


def test_several_trees_and_a_folder_of_trees(dist: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    trees = tmp_path / "dist-tenants"
    trees.mkdir()
    for tenant in ("acme", "borealis"):
        (trees / tenant).mkdir()
        for path, content in files_of(dist).items():
            (trees / tenant / path).parent.mkdir(parents=True, exist_ok=True)
            (trees / tenant / path).write_bytes(content)
    ran = verify("dist", "dist-tenants", keys=keys, cwd=tmp_path)
    assert ran.code == 0
    assert [line.split(":")[0] for line in ran.lines] == ["dist", "dist-tenants/acme", "dist-tenants/borealis"]
    (trees / "borealis" / "ledger.json").write_text("[]")
    (trees / "stray.txt").write_text("x")
    ran = verify("dist-tenants", "dist", keys=keys, cwd=tmp_path)
    assert ran.code == 1
    assert [line.split(" ")[0] for line in ran.lines] == [
        "dist-tenants/stray.txt:",
        "dist-tenants/acme:",
        "dist-tenants/borealis/ledger.json:",
        "dist:",
    ]


def test_usage(dist: Path, keys: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for arguments, told in (
        (["verify", "dist"], "--public-key"),
        (["verify", "--public-key", str(keys[1])], "DIR"),
        (["verify", "absent", "--public-key", str(keys[1])], "absent: no such folder"),
        (["verify", "dist/manifest.json", "--public-key", str(keys[1])], "no such folder"),
        (["verify", "empty", "--public-key", str(keys[1])], "empty holds no manifest.json"),
        (["verify", "dist", "empty", "--public-key", str(keys[1])], "empty holds no manifest.json"),
        (["verify", "dist", "--public-key", "absent.pub"], "the public key cannot be read"),
        (["verify", "dist", "--public-key", str(keys[0])], "this is a private key: guard it"),
        (["verify", "dist", "--public-key", "dist/manifest.json"], "holds no public key"),
    ):
        ran = insigma(*arguments, cwd=tmp_path)
        assert (ran.code, ran.out) == (3, ""), arguments
        assert told in ran.err


def test_the_signing_key_comes_from_the_environment(keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    assert signing_key(None) is None
    for value in (str(keys[0]), keys[0].read_text()):
        monkeypatch.setenv(ENVIRONMENT, value)
        assert signing_key(None) is not None
    secret = keys[0].read_text().splitlines()[1]
    monkeypatch.setenv(ENVIRONMENT, secret)
    with pytest.raises(click.ClickException) as raised:
        signing_key(None)
    assert raised.value.exit_code == 3
    assert secret[:16] not in raised.value.format_message()


def test_no_secret_reaches_the_output_of_any_command_that_is_given_it_wrongly(keys: tuple[Path, Path], dist: Path, tmp_path: Path) -> None:
    secret = keys[0].read_text()
    body = secret.splitlines()[1]
    for arguments in (
        ["verify", "dist", "--public-key", body],
        ["verify", "dist", "--public-key", secret],
        ["verify", "dist", "--public-key", str(keys[0])],
    ):
        for debug in ({}, {"INSIGMA_DEBUG": "1"}):
            ran = insigma(*arguments, cwd=tmp_path, env=debug)
            assert ran.code == 3
            assert body[:16] not in ran.out + ran.err


def test_versions_for_a_build(tmp_path: Path) -> None:
    assert locked_versions(None) == {}
    assert locked_versions(tmp_path) == {}
    assert locked_versions(ROOT)["ins-clm-001"] >= 1
    (tmp_path / "insigma.lock").write_text("<<<<<<< ours")
    with pytest.raises(click.ClickException) as raised:
        locked_versions(tmp_path)
    assert raised.value.exit_code == 3
    assert "insigma.lock cannot be read" in raised.value.format_message()
