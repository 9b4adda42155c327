"""Git repositories for tests: made from a few rules of the pack, with a fixed identity, so that commits have the same ids anywhere."""

from __future__ import annotations

import hashlib
import os
import subprocess
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cli.harness import SMALL, edit, small_pack

RULES = (
    *SMALL,
    "claims/claim_file_viewed_outside_assignment",
    "claims/suspicious_mass_claim_file_access_outside_assignment",
    "claims/claim_data_export",
)
DENIED, VIEWED, MASS, EXPORT = (
    "rules/claims/claims_system_access_denied.yml",
    "rules/claims/claim_file_viewed_outside_assignment.yml",
    "rules/claims/suspicious_mass_claim_file_access_outside_assignment.yml",
    "rules/claims/claim_data_export.yml",
)
PROFILE = "mappings/tenants/default.yml"
SPLUNK = "mappings/targets/splunk.yml"

_IDENTITY = {
    "GIT_AUTHOR_NAME": "A. Reviewer",
    "GIT_AUTHOR_EMAIL": "reviewer@insurer.example",
    "GIT_AUTHOR_DATE": "2026-02-14T10:40:00Z",
    "GIT_COMMITTER_NAME": "A. Reviewer",
    "GIT_COMMITTER_EMAIL": "reviewer@insurer.example",
    "GIT_COMMITTER_DATE": "2026-02-14T10:40:00Z",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


@dataclass(frozen=True, slots=True)
class Repo:
    """A repository; `pack` is the folder of the pack in it."""

    folder: Path
    pack: Path

    def git(self, *arguments: str | Path, stdin: bytes = b"") -> bytes:
        """Run git, which must succeed; what it writes."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        command = ["git", "-c", "commit.gpgsign=false", "-c", "protocol.file.allow=always", *map(str, arguments)]
        ran = subprocess.run(command, cwd=self.folder, env={**kept, **_IDENTITY}, input=stdin, capture_output=True, check=False)
        assert ran.returncode == 0, ran.stderr.decode()
        return ran.stdout

    def commit(self, message: str = "change") -> str:
        """Commit everything; the commit's id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD").decode().strip()

    def edit(self, path: str, *changes: tuple[str, str]) -> None:
        """Replace texts in a file of the pack."""
        for old, new in changes:
            edit(self.pack / path, old, new)

    def write(self, path: str, text: str | bytes) -> None:
        """Write a file of the pack."""
        target = self.pack / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode() if isinstance(text, str) else text)

    def move(self, old: str, new: str) -> None:
        """Rename a file of the pack."""
        (self.pack / new).parent.mkdir(parents=True, exist_ok=True)
        (self.pack / old).rename(self.pack / new)

    def put(self, kind: str, content: bytes) -> str:
        """Write an object as it is, however malformed; its id."""
        whole = f"{kind} {len(content)}\0".encode() + content
        oid = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
        path = self.folder / ".git" / "objects" / oid[:2] / oid[2:]
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(zlib.compress(whole))
        return oid

    def tree(self, entries: Sequence[tuple[str, bytes, str]]) -> str:
        """Write a tree of (mode, name, object id) in the order given; its id."""
        return self.put("tree", b"".join(f"{mode} ".encode() + name + b"\0" + bytes.fromhex(oid) for mode, name, oid in entries))

    def commit_of(self, files: Mapping[str, tuple[str, bytes]]) -> str:
        """A commit that holds the small pack's head file and these files: (mode, content) by path. Nothing is checked."""
        return self._commit_tree(self._nested({"insigma.yml": ("100644", (self.pack / "insigma.yml").read_bytes()), **files}))

    def _commit_tree(self, tree: str) -> str:
        who = "A. Reviewer <reviewer@insurer.example> 1771065600 +0000"
        return self.put("commit", f"tree {tree}\nauthor {who}\ncommitter {who}\n\nhostile\n".encode())

    def _nested(self, files: Mapping[str, tuple[str, bytes]]) -> str:
        entries: list[tuple[str, bytes, str]] = []
        folders: dict[str, dict[str, tuple[str, bytes]]] = {}
        for path, (mode, content) in files.items():
            head, slash, rest = path.partition("/")
            if slash:
                folders.setdefault(head, {})[rest] = (mode, content)
            else:
                oid = content.decode() if mode == "160000" else self.put("blob", content)
                entries.append((mode, os.fsencode(head), oid))
        entries += [("40000", os.fsencode(name), self._nested(inner)) for name, inner in folders.items()]
        return self.tree(sorted(entries, key=lambda entry: entry[1]))


def new_repo(folder: Path, below: str = "", rules: Sequence[str] = RULES) -> Repo:
    """A repository with one commit, the small pack at its root or in a folder of it."""
    pack = folder / below
    pack.mkdir(parents=True)
    repo = Repo(folder, small_pack(pack, rules))
    for adapter in (pack / "mappings" / "products").glob("*.yml"):
        if adapter.stem != "okta":  # one is enough, and reading them all takes its time
            adapter.unlink()
    repo.git("init", "--quiet", "--initial-branch", "main")
    repo.commit("base")
    return repo
