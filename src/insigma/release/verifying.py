"""Checking a built tree against its signed manifest.

The tree is taken for hostile: what the manifest names is compared with what a walk has found, never opened by its name; links
are told and not followed; files are hashed in pieces; names are shown so that they cannot steer a terminal.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from insigma.diagnostics.render.hostile import visible
from insigma.release.plain_files import open_plain
from insigma.release.signing import MANIFEST, SIGNATURE, is_signed

MAX_MANIFEST = 64 << 20
_PIECE = 1 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


class NoManifest(Exception):
    """The folder is no built tree, nor a folder of some."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a tree's check gave: how many files the manifest names, and every fault, one a line."""

    folder: Path
    files: int
    faults: tuple[str, ...]


def trees_in(folder: Path) -> tuple[Path, ...]:
    """The folder itself if it holds a manifest, else those of its sub-folders that do, as `build --all-tenants` writes them.

    Raises `NoManifest`.
    """
    if _is_tree(folder):
        return (folder,)
    try:
        found = tuple(Path(entry.path) for entry in _entries(folder) if entry.is_dir(follow_symlinks=False) and _is_tree(Path(entry.path)))
    except OSError:
        found = ()
    if not found:
        raise NoManifest
    return found


def strangers_in(folder: Path) -> tuple[str, ...]:
    """What lies in a folder of trees beside them: no manifest answers for it."""
    known = {tree.name for tree in trees_in(folder)}
    if _is_tree(folder):
        return ()
    return tuple(f"{_shown(entry.name)}: no manifest names it" for entry in _entries(folder) if entry.name not in known)


def _is_tree(folder: Path) -> bool:
    return os.path.lexists(folder / MANIFEST)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def verify_tree(folder: Path, key: Ed25519PublicKey) -> Verified:
    """Check the signature, and that the tree holds exactly the files of the manifest, with their content."""
    faults: list[str] = []
    manifest = _read(folder / MANIFEST, MANIFEST, faults)
    if manifest is None:
        return Verified(folder, 0, tuple(faults))
    faults += _signature_faults(folder, manifest, key)
    named = _named(manifest, faults)
    present = _present(folder, faults)
    for path, wanted in sorted(named.items()):
        if not _is_inside(path):
            faults.append(f"{MANIFEST}: it names {_shown(path)}, which does not stay in the folder")
        elif path not in present:
            faults.append(f"{_shown(path)}: missing")
        elif (fault := _content_fault(folder / path, wanted)) is not None:
            faults.append(f"{_shown(path)}: {fault}")
    faults += [f"{_shown(path)}: the manifest does not name it" for path in sorted(present - named.keys() - {MANIFEST, SIGNATURE})]
    return Verified(folder, len(named), tuple(faults))


def _signature_faults(folder: Path, manifest: bytes, key: Ed25519PublicKey) -> list[str]:
    if not os.path.lexists(folder / SIGNATURE):
        return [f"{SIGNATURE}: missing; the tree is not signed"]
    faults: list[str] = []
    signature = _read(folder / SIGNATURE, SIGNATURE, faults)
    if signature is not None and not is_signed(manifest, signature, key):
        faults.append(f"{SIGNATURE}: not the key's signature of {MANIFEST}; believe nothing in this folder")
    return faults


def _named(manifest: bytes, faults: list[str]) -> dict[str, Any]:
    """The sha256 of each file that the manifest names; what it says otherwise is a fault."""
    try:
        data = json.loads(manifest, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        faults.append(f"{MANIFEST}: it is not JSON, or names something twice")
        return {}
    files = data.get("files") if isinstance(data, dict) else None
    if not isinstance(files, dict):
        faults.append(f"{MANIFEST}: it names no files")
        return {}
    for path, digest in files.items():
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            faults.append(f"{MANIFEST}: it gives no sha256 of {_shown(path)}")
        if path in (MANIFEST, SIGNATURE):
            faults.append(f"{MANIFEST}: it names {path}, which no manifest can")
    return {path: digest for path, digest in files.items() if path not in (MANIFEST, SIGNATURE)}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def _is_inside(path: str) -> bool:
    """Whether a path of a manifest is one that a build writes: relative, without `.` and `..`."""
    return all(part not in ("", ".", "..") for part in path.split("/"))


def _present(folder: Path, faults: list[str]) -> set[str]:
    """The plain files below the folder, by their path in it. Links and special files are faults."""
    found: set[str] = set()
    waiting = [""]
    while waiting:
        base = waiting.pop()
        try:
            entries = _entries(folder / base)
        except OSError as error:
            faults.append(f"{_shown(base) or '.'}: cannot be read: {error.strerror}")
            continue
        for entry in entries:
            path = f"{base}/{entry.name}" if base else entry.name
            if entry.is_symlink():
                faults.append(f"{_shown(path)}: a link; a build writes none")
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(path)
            elif entry.is_file(follow_symlinks=False):
                found.add(path)
            else:
                faults.append(f"{_shown(path)}: no plain file")
    return found


def _content_fault(path: Path, wanted: Any) -> str | None:
    """Why the file is not the one that was signed, or None. `wanted` is what the manifest gives for its sha256."""
    digest = hashlib.sha256()
    try:
        for piece in _pieces(path):
            digest.update(piece)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return None if digest.hexdigest() == wanted else "changed since it was signed"


def _pieces(path: Path) -> Iterator[bytes]:
    """The content of a plain file, piece by piece. Raises OSError, also for one that has become a link or a pipe since the walk."""
    with open_plain(path, follow=False) as stream:
        while piece := stream.read(_PIECE):
            yield piece


def _read(path: Path, name: str, faults: list[str]) -> bytes | None:
    """A small file of the tree, or None with the fault told."""
    content = b""
    try:
        for piece in _pieces(path):
            content += piece
            if len(content) > MAX_MANIFEST:
                faults.append(f"{name}: larger than {MAX_MANIFEST:,} bytes")
                return None
    except OSError as error:
        faults.append(f"{name}: cannot be read: {error.strerror}")
        return None
    return content


def _shown(path: str) -> str:
    """A file's name on one line, harmless to a terminal."""
    return visible(path)
