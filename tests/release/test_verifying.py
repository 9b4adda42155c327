"""Verifying a tree: every fault is told, and a hostile tree or manifest gets nothing opened, followed or shown raw."""

from __future__ import annotations

import hashlib
import json
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from insigma.release import plain_files, verifying
from insigma.release.signing import sign
from insigma.release.verifying import NoManifest, strangers_in, trees_in, verify_tree

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
FILES = {"elastic/rules/a.json": b"{}\n", "splunk/app.tar.gz": b"\x1f\x8b\x00", "ledger.json": b"[]\n", "filters/ü.yml": b"x\n"}


def manifest_of(files: dict[str, bytes], **more: Any) -> bytes:
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    return (json.dumps({"files": digests, **more}) + "\n").encode()


def tree(folder: Path, files: dict[str, bytes] = FILES, manifest: bytes | None = None) -> Path:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    folder.mkdir(parents=True, exist_ok=True)
    signed(folder, manifest_of(files) if manifest is None else manifest)
    return folder


def signed(folder: Path, manifest: bytes) -> None:
    (folder / "manifest.json").write_bytes(manifest)
    (folder / "manifest.json.sig").write_text(sign(manifest, KEY))


def faults(folder: Path) -> list[str]:
    return list(verify_tree(folder, KEY.public_key()).faults)


def test_a_tree_as_it_was_signed(tmp_path: Path) -> None:
    found = verify_tree(tree(tmp_path / "dist"), KEY.public_key())
    assert (found.files, found.faults) == (4, ())


def test_a_tree_reached_by_a_link_and_with_an_empty_folder(tmp_path: Path) -> None:
    (tree(tmp_path / "dist") / "empty").mkdir()
    (tmp_path / "link").symlink_to("dist")
    assert faults(tmp_path / "link") == []


def change(path: str) -> Callable[[Path], Any]:
    return lambda folder: (folder / path).write_bytes((folder / path).read_bytes() + b" ")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (change("ledger.json"), ["ledger.json: changed since it was signed"]),
        (lambda folder: (folder / "ledger.json").unlink(), ["ledger.json: missing"]),
        (lambda folder: (folder / "more.txt").write_text(""), ["more.txt: the manifest does not name it"]),
        (lambda folder: (folder / "elastic/.hidden").write_text(""), ["elastic/.hidden: the manifest does not name it"]),
        (lambda folder: (folder / "manifest.json.sig").unlink(), ["manifest.json.sig: missing; the tree is not signed"]),
        (
            lambda folder: (folder / "ledger.json").rename(folder / "Ledger.json"),
            ["ledger.json: missing", "Ledger.json: the manifest does not name it"],
        ),
        (
            lambda folder: [change("ledger.json")(folder), (folder / "splunk/app.tar.gz").unlink(), (folder / "x").write_text("")],
            ["ledger.json: changed since it was signed", "splunk/app.tar.gz: missing", "x: the manifest does not name it"],
        ),
    ],
)
def test_every_fault_is_told(damage: Callable[[Path], Any], told: list[str], tmp_path: Path) -> None:
    folder = tree(tmp_path / "dist")
    damage(folder)
    assert faults(folder) == told


WRONG_KEY = "manifest.json.sig: not the key's signature of manifest.json; believe nothing in this folder"


@pytest.mark.parametrize("signature", ["", "AAAA", sign(b"another manifest", KEY), "x" * 1000])
def test_a_signature_of_something_else(signature: str, tmp_path: Path) -> None:
    folder = tree(tmp_path / "dist")
    (folder / "manifest.json.sig").write_text(signature)
    assert faults(folder) == [WRONG_KEY]


def test_a_manifest_that_was_changed_along_with_a_file(tmp_path: Path) -> None:
    folder = tree(tmp_path / "dist")
    (folder / "ledger.json").write_bytes(b"forged")
    (folder / "manifest.json").write_bytes(manifest_of({**FILES, "ledger.json": b"forged"}))
    assert faults(folder) == [WRONG_KEY]
    assert list(verify_tree(folder, Ed25519PrivateKey.generate().public_key()).faults) == [WRONG_KEY]


@pytest.mark.parametrize(
    "path", ["../secret", "elastic/../../secret", "/etc/passwd", "./ledger.json", "elastic//rules/a.json", "", "..", "elastic/", "/"]
)
def test_a_path_that_leaves_the_tree_is_told_and_never_opened(path: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    folder = tree(tmp_path / "dist", manifest=manifest_of({**FILES, path: b"secret"}))
    opened: list[str] = []
    real = os.open

    def watching(name: Any, *arguments: Any, **more: Any) -> int:
        opened.append(os.path.realpath(name))
        return real(name, *arguments, **more)

    with mock.patch.object(plain_files.os, "open", watching):
        assert faults(folder) == [f"manifest.json: it names {path}, which does not stay in the folder"]
    assert opened
    assert all(Path(name).is_relative_to(folder) for name in opened)


def test_links_are_told_and_not_followed(tmp_path: Path) -> None:
    folder = tree(tmp_path / "dist")
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in ("ledger.json", "elastic"):
        (folder / name).rename(outside / name)
        (folder / name).symlink_to(outside / name)
    (folder / "loop").symlink_to(".")
    assert faults(folder) == [
        "elastic: a link; a build writes none",
        "ledger.json: a link; a build writes none",
        "loop: a link; a build writes none",
        "elastic/rules/a.json: missing",
        "ledger.json: missing",
    ]


@pytest.mark.parametrize("name", ["manifest.json", "manifest.json.sig"])
def test_a_manifest_or_signature_that_is_a_link_or_a_pipe(name: str, tmp_path: Path) -> None:
    folder = tree(tmp_path / "dist")
    (folder / name).rename(tmp_path / name)
    (folder / name).symlink_to(tmp_path / name)
    assert any(fault.startswith(f"{name}: cannot be read") for fault in faults(folder))
    (folder / name).unlink()
    os.mkfifo(folder / name)
    assert f"{name}: cannot be read: no plain file" in faults(folder)


def test_special_files(tmp_path: Path) -> None:
    folder = tree(tmp_path / "dist")
    (folder / "ledger.json").unlink()
    os.mkfifo(folder / "ledger.json")
    assert faults(folder) == ["ledger.json: no plain file", "ledger.json: missing"]


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        (b"", "it is not JSON, or names something twice"),
        (b"\xff", "it is not JSON, or names something twice"),
        (b"[" * 100_000, "it is not JSON, or names something twice"),
        (b'{"files": {"a": "1", "a": "2"}}', "it is not JSON, or names something twice"),
        (b"[]", "it names no files"),
        (b'{"files": []}', "it names no files"),
        (b'{"file": {}}', "it names no files"),
    ],
)
def test_a_manifest_that_is_none(manifest: bytes, told: str, tmp_path: Path) -> None:
    assert faults(tree(tmp_path, {}, manifest)) == [f"manifest.json: {told}"]


@pytest.mark.parametrize("digest", [None, 1, "", "abc", "A" * 64, [hashlib.sha256(b"x").hexdigest()]])
def test_digests_that_are_none(digest: Any, tmp_path: Path) -> None:
    found = faults(tree(tmp_path, {"a": b"x"}, json.dumps({"files": {"a": digest}}).encode()))
    assert found[0] == "manifest.json: it gives no sha256 of a"


def test_a_manifest_that_names_itself(tmp_path: Path) -> None:
    assert faults(tree(tmp_path, {}, manifest_of({"manifest.json": b""}))) == [
        "manifest.json: it names manifest.json, which no manifest can"
    ]


def test_names_are_shown_on_one_line_and_steer_no_terminal(tmp_path: Path) -> None:
    hostile = "a\n\x1b[2J\u202eb"
    folder = tree(tmp_path / "dist", {hostile: b"x"})
    (folder / hostile).unlink()
    (folder / os.fsdecode(b"\xff\x1b")).write_text("")
    found = faults(folder)
    assert found == ["a\\n\\x1b[2J\\u202eb: missing", "\\udcff\\x1b: the manifest does not name it"]
    assert all(fault.isprintable() for fault in found)
    lone = tree(tmp_path / "lone", {}, b'{"files": {"\\ud800": "' + b"a" * 64 + b'"}}')
    assert faults(lone) == ["\\ud800: missing"]


def test_large_files_are_read_in_pieces(tmp_path: Path) -> None:
    size = 64 << 20
    with (tmp_path / "large").open("wb") as stream:
        stream.truncate(size)
    digest = hashlib.sha256(b"\0" * size).hexdigest()
    signed(tmp_path, json.dumps({"files": {"large": digest}}).encode())
    tracemalloc.start()
    try:
        assert faults(tmp_path) == []
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_a_manifest_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tree(tmp_path) / "manifest.json").open("wb") as stream:
        stream.truncate(1 << 40)
    with mock.patch.object(verifying, "MAX_MANIFEST", 1 << 20):
        assert faults(tmp_path) == ["manifest.json: larger than 1,048,576 bytes"]


def test_a_folder_of_trees(tmp_path: Path) -> None:
    one, two = tree(tmp_path / "one"), tree(tmp_path / "two")
    assert trees_in(tmp_path) == (one, two)
    assert strangers_in(tmp_path) == ()
    (tmp_path / "three").mkdir()
    (tmp_path / "note.txt").write_text("x")
    (tmp_path / "link").symlink_to("one")
    assert trees_in(tmp_path) == (one, two)
    assert [line.split(":")[0] for line in strangers_in(tmp_path)] == ["link", "note.txt", "three"]
    assert trees_in(one) == (one,)
    assert strangers_in(one) == ()


def test_a_folder_of_none(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(NoManifest):
            trees_in(folder)
