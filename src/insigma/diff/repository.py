"""Reading a pack out of git's object store: no checkout, no hooks, no filters, no network.

git is called with a fixed list of arguments and no shell. What a repository's configuration could make git run is switched
off by arguments that win over it, and transports are forbidden, so that a partial clone does not fetch in the middle.
Sources: git's own pages git-rev-parse, git-ls-tree, git-cat-file, git-config (safe.bareRepository, core.fsmonitor) and git
(GIT_ALLOW_PROTOCOL, GIT_OPTIONAL_LOCKS, GIT_NO_REPLACE_OBJECTS).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from insigma.content.pack import PACK_FILE

PARTS = (PACK_FILE, "insigma.lock", "rules", "mappings", "tests/fixtures", "proofs")
"""What belongs to a pack, below its root."""

FILE, PROGRAM, LINK, SUBMODULE = "100644", "100755", "120000", "160000"
"""Modes of a tree's entries."""

MAX_LISTING = 64 << 20
"""How many bytes of names are read: a tree can be made that lists the same files a billion times."""

HOW_TO_COMPLETE = "a partial clone is made whole by git fetch --refetch --no-filter; else git fsck tells what is missing"

_OFF = (
    *("--no-pager", "--literal-pathspecs"),
    *("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "-c", "safe.bareRepository=explicit"),
)
_STEERING = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX"})
"""What a hook hands down about its own place: the repository is found from the pack's folder instead."""
_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}


class GitFault(Exception):
    """Why nothing can be read from the repository, and what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, link or submodule: its path below the pack's root, mode, object id and size in bytes."""

    path: str
    mode: str
    oid: str
    size: int


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository, seen from the folder of a pack in it. `prefix` is the way from the repository's root, "" or "sub/folder/"."""

    git: str
    folder: Path
    prefix: str

    @classmethod
    def around(cls, folder: Path) -> Repository:
        """The repository that the folder lies in. Raises `GitFault`."""
        git = shutil.which("git")
        if git is None:
            raise GitFault("git is not installed, or not on PATH", "insigma diff reads revisions through git")
        found = cls(git, folder, "")
        ran = found._run("rev-parse", "--show-prefix")
        if ran.returncode:
            said = _said(ran.stderr)
            if "dubious ownership" in said:
                raise GitFault("the repository belongs to somebody else", "git config --global --add safe.directory <its folder>")
            raise GitFault("this is no git repository" + (f": {said}" if "not a git repository" not in said else ""), "run it in a clone")
        return cls(git, folder, os.fsdecode(ran.stdout.removesuffix(b"\n")))

    def commit(self, revision: str) -> str:
        """The id of the commit that a revision names. Raises `GitFault`."""
        if not revision or revision.startswith("-") or any(ord(char) < 32 for char in revision):
            raise GitFault(f"'{revision}' is no revision", "give a branch, a tag or a commit")
        oid = self._resolved(revision)
        found = self._resolved(f"{oid}^{{commit}}") if oid else ""
        if found:
            return found
        if ".." in revision:
            raise GitFault(
                f"'{revision}' is a range", "give two revisions: insigma diff BASE HEAD; --merge-base is for a branch's own changes"
            )
        raise GitFault(f"no revision '{revision}' in this repository", self._how_to_get(f"fetch it first: git fetch origin {revision}"))

    def merge_base(self, left: str, right: str) -> str:
        """The best common ancestor of two commits. Raises `GitFault`."""
        ran = self._run("merge-base", left, right)
        oid = ran.stdout.decode("ascii", "replace").strip()
        if ran.returncode or not oid:
            raise GitFault("the two revisions have no common ancestor here", self._how_to_get("fetch the history of both"))
        return oid

    def entries(self, commit: str, name: str) -> tuple[Entry, ...]:
        """The pack's parts in a commit (called `name`), in git's order. Raises `GitFault` where it holds no pack in this folder."""
        where = f"{commit}:{self.prefix.rstrip('/')}" if self.prefix else commit
        shown = f"{self.prefix}{PACK_FILE}"
        if not self._resolved(f"{commit}:{shown}"):
            raise GitFault(f"'{name}' has no {shown}, so no pack", "give a revision that has the pack in the same folder")
        listing = self._listing("ls-tree", "-r", "-z", "-l", "--full-tree", where, *PARTS)
        return tuple(_entry(line) for line in listing.split(b"\0") if line)

    def contents(self, oids: Iterable[str]) -> Mapping[str, bytes]:
        """The bytes of blobs. Raises `GitFault` for one that is not there."""
        wanted = tuple(dict.fromkeys(oids))
        if not wanted:
            return {}
        ran = self._run("cat-file", "--batch", stdin="".join(f"{oid}\n" for oid in wanted).encode("ascii"))
        found: dict[str, bytes] = {}
        at = 0
        for oid in wanted:
            end = ran.stdout.find(b"\n", at)
            head = ran.stdout[at:end].split()
            if end < 0 or len(head) != 3 or head[1] != b"blob":
                raise _missing(oid)
            size = int(head[2])
            found[oid] = ran.stdout[end + 1 : end + 1 + size]
            at = end + 2 + size
        return found

    def _resolved(self, name: str) -> str:
        """The object id that a name stands for, or nothing."""
        ran = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", name)
        return "" if ran.returncode else ran.stdout.decode("ascii", "replace").strip()

    def _how_to_get(self, otherwise: str) -> str:
        shallow = self._run("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
        if shallow:
            return "this clone is shallow: git fetch --unshallow, or fetch-depth: 0 where a workflow checks out"
        return otherwise

    def _command(self, *arguments: str) -> list[str]:
        return [self.git, *_OFF, *arguments]

    def _run(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            self._command(*arguments), cwd=self.folder, env=_environment(), input=stdin, capture_output=True, check=False, shell=False
        )

    def _listing(self, *arguments: str) -> bytes:
        """The output of a command, read no further than `MAX_LISTING`. Raises `GitFault`."""
        with subprocess.Popen(
            self._command(*arguments),
            cwd=self.folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            assert process.stdout is not None
            output = process.stdout.read(MAX_LISTING + 1)
            if len(output) > MAX_LISTING:
                process.kill()
                raise GitFault(f"the tree lists more than {MAX_LISTING >> 20} MiB of names", "no pack is that large")
        if process.returncode:
            raise GitFault("the revision's files are not all in this clone", HOW_TO_COMPLETE)
        return output


def _environment() -> dict[str, str]:
    return {**{name: value for name, value in os.environ.items() if name not in _STEERING}, **_ENVIRONMENT}


def _entry(line: bytes) -> Entry:
    """`<mode> <type> <object> <size, padded><tab><path>`. A submodule's size is a dash; that of a missing object is a word."""
    head, _, path = line.partition(b"\t")
    mode, kind, oid, size = head.decode("ascii").split()
    if kind == "blob" and not size.isdigit():
        raise _missing(oid)
    return Entry(os.fsdecode(path), mode, oid, int(size) if size.isdigit() else 0)


def _missing(oid: str) -> GitFault:
    return GitFault(f"the object {oid[:12]} is missing from this clone", HOW_TO_COMPLETE)


def _said(stderr: bytes) -> str:
    """What git complains of, in one line."""
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[0].removeprefix("fatal: ") if lines else "git says nothing"
