"""The two sides of a comparison: a pack read from a revision or from the working tree.

The reader reads folders, so a revision's part of the pack is written to a temporary folder: plain files only where their path
stays below it, links only where they do not lead out. The reader's own checks then hold for it as for any folder.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from insigma.content.files import SUFFIXES
from insigma.content.model import Pack
from insigma.content.pack import load_pack
from insigma.diagnostics.model import Diagnostic, Place, Severity
from insigma.diff.repository import LINK, PARTS, SUBMODULE, Entry, GitFault, Repository
from insigma.release.proofs import FOLDER, ProofRow, read_proofs

WORKING_TREE = "working tree"
MAX_LINK = 4096
MAX_FILE = 8 << 20
"""Larger files are refused by the reader, and not fetched for it."""
MAX_TOTAL = 512 << 20

_SPARED = ("tests/fixtures/", "mappings/products/")
"""What need not be read a second time where both sides have the same: nothing refers to it but itself."""
_UNWRITABLE = frozenset({errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ELOOP})


@dataclass(frozen=True, slots=True)
class Side:
    """One side: how people call it, its commit ("" for the working tree), its pack and what was wrong with that.

    `contents` has a digest of every file by its path in the pack, `faulty` are the paths with an error. `pack` lacks what
    `spared` names: the other side has the same. `proofs` are what engines have shown.
    """

    name: str
    commit: str
    pack: Pack
    findings: tuple[Diagnostic, ...]
    contents: Mapping[str, str]
    faulty: frozenset[str]
    proofs: tuple[ProofRow, ...] = ()
    spared: frozenset[str] = frozenset()

    @property
    def broken(self) -> bool:
        """Whether a part of the side could not be read."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)


def working_side(root: Path, oid_length: int) -> Side:
    """The pack as it lies in the working tree. `oid_length` is that of the repository's object ids, so that digests compare."""
    loaded = load_pack(root)
    proofs, unread = _proofs(root)
    faulty = _faulty(_told_of(finding, loaded.pack) for finding in loaded.diagnostics)
    return Side(WORKING_TREE, "", loaded.pack, (*loaded.diagnostics, *unread), _digests(root, oid_length), faulty, proofs)


def revision_side(repository: Repository, name: str, commit: str, folder: Path, other: Side | None = None) -> Side:
    """The pack of a commit, written below the (empty) folder. What `other` has just so is left out where it can be.

    Raises `GitFault`.
    """
    entries = repository.entries(commit, name)
    known = other.contents if other is not None else {}
    spared = frozenset(entry.path for entry in entries if _spared(entry, known))
    label = f"{name}:{repository.prefix}"
    root = Path(os.path.realpath(folder))
    written = _write(repository, [entry for entry in entries if entry.path not in spared], root)
    loaded = load_pack(root)
    proofs, unread = _proofs(root)
    found = (*written, *(_told_of(finding, loaded.pack) for finding in loaded.diagnostics), *unread)
    findings = tuple(replace(finding, place=replace(finding.place, path=f"{label}{finding.place.path}")) for finding in found)
    contents = {entry.path: entry.oid for entry in entries if entry.mode != LINK}
    return Side(name, commit, loaded.pack, findings, contents, _faulty(found), proofs, spared)


def _proofs(root: Path) -> tuple[tuple[ProofRow, ...], tuple[Diagnostic, ...]]:
    """What engines have shown; a warning where nobody can read it."""
    try:
        return read_proofs(root), ()
    except ValueError as error:
        return (), (Diagnostic(Place(FOLDER), "INS001", f"no proofs are read: {error}", "run insigma prove", Severity.WARNING),)


def _faulty(findings: Iterable[Diagnostic]) -> frozenset[str]:
    return frozenset(finding.place.path for finding in findings if finding.severity is Severity.ERROR)


def _spared(entry: Entry, known: Mapping[str, str]) -> bool:
    return entry.mode != LINK and entry.path.startswith(_SPARED) and known.get(entry.path) == entry.oid


def with_fixtures_of(side: Side, other: Side) -> Side:
    """The side with the fixtures that were not read for it, as the other has the same."""
    shared = ((other.pack.relative(fixture.document.path), fixture) for fixture in other.pack.fixtures)
    own = ((side.pack.relative(fixture.document.path), fixture) for fixture in side.pack.fixtures)
    both = sorted([*own, *(pair for pair in shared if pair[0] in side.spared)], key=lambda pair: pair[0])
    return replace(side, pack=replace(side.pack, fixtures=tuple(fixture for _, fixture in both)))


def _digests(root: Path, oid_length: int) -> Mapping[str, str]:
    """Every file of the pack with the id that git gives its bytes: a hash of `blob <size>\\0` and the bytes."""
    make = hashlib.sha256 if oid_length == 64 else hashlib.sha1
    found: dict[str, str] = {}
    for part in PARTS:
        for path in sorted((root / part).rglob("*")) if (root / part).is_dir() else (root / part,):
            if path.suffix in SUFFIXES and path.is_file() and not path.is_symlink():
                with contextlib.suppress(OSError):  # the reader tells of it
                    content = path.read_bytes()
                    digest = make(b"blob %d\0" % len(content), usedforsecurity=False)
                    digest.update(content)
                    found[path.relative_to(root).as_posix()] = digest.hexdigest()
    return found


def _told_of(finding: Diagnostic, pack: Pack) -> Diagnostic:
    """A finding as it would be in the pack's own folder: without the temporary one."""

    def plain(text: str) -> str:
        return text.replace(f"{pack.root}/", "").replace(pack.root, "the pack")

    place = replace(finding.place, path=pack.relative(finding.place.path))
    return replace(finding, place=place, message=plain(finding.message), hint=plain(finding.hint))


def _write(repository: Repository, entries: Sequence[Entry], root: Path) -> list[Diagnostic]:
    """Write the files, then the links, so that nothing is written through a link; what is left out is told."""
    found: list[Diagnostic] = []
    kept = [entry for entry in entries if _safe(entry, found)]
    if sum(min(entry.size, MAX_FILE) for entry in kept) > MAX_TOTAL:
        raise GitFault(f"the pack holds more than {MAX_TOTAL >> 20} MiB", "no pack is that large")
    contents = repository.contents(entry.oid for entry in kept if entry.size <= MAX_FILE)
    links = [entry for entry in kept if entry.mode == LINK and _leads_inside(entry, contents, found)]
    for entry in kept:
        if entry.mode != LINK:
            _tried(_put, entry, contents, root, found)
    for step in (_make_room, _link):  # all folders first: none is ever made below a link
        for entry in links:
            _tried(step, entry, contents, root, found)
    return found


def _safe(entry: Entry, found: list[Diagnostic]) -> bool:
    """Whether the entry may be written at all. Submodules are told as a warning: their files are in another repository."""
    place = Place(entry.path)
    if not {"", ".", ".."}.isdisjoint(entry.path.split("/")):
        found.append(Diagnostic(place, "INS011", "a path that leads out of the pack", "git fsck tells more of this tree"))
    elif entry.mode == SUBMODULE:
        message, hint = "a submodule is not compared", "its files are in another repository"
        found.append(Diagnostic(place, "INS001", message, hint, Severity.WARNING))
    elif entry.mode == LINK and entry.size > MAX_LINK:
        found.append(Diagnostic(place, "INS011", f"a link of {entry.size:,} bytes", "copy the file into the pack"))
    else:
        return True
    return False


def _leads_inside(entry: Entry, contents: Mapping[str, bytes], found: list[Diagnostic]) -> bool:
    """Whether a link, by its text, stays in the pack; the reader looks once more, through links of links."""
    target = os.fsdecode(contents[entry.oid])
    way = posixpath.normpath(posixpath.join(posixpath.dirname(entry.path), target))
    if target and "\0" not in target and not posixpath.isabs(target) and way.split("/")[0] != "..":
        return True
    found.append(Diagnostic(Place(entry.path), "INS011", f"a link to {target}, outside of the pack", "copy the file into the pack"))
    return False


_Step = Callable[[Path, Entry, Mapping[str, bytes]], None]


def _tried(step: _Step, entry: Entry, contents: Mapping[str, bytes], root: Path, found: list[Diagnostic]) -> None:
    """Do a step for one entry; that this system cannot write it is told once."""
    try:
        step(root / entry.path, entry, contents)
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        message = f"cannot be written here: {os.strerror(error.errno)}"
        told = Diagnostic(Place(entry.path), "INS001", message, "its name is too long, or another one stands in its way")
        if told not in found:
            found.append(told)


def _put(path: Path, entry: Entry, contents: Mapping[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as stream:
        if entry.oid in contents:
            stream.write(contents[entry.oid])
        else:  # larger than anything that is read: the reader finds its size, the disk holds nothing
            stream.truncate(entry.size)


def _make_room(path: Path, entry: Entry, contents: Mapping[str, bytes]) -> None:  # noqa: ARG001 - the shape of all steps
    path.parent.mkdir(parents=True, exist_ok=True)


def _link(path: Path, entry: Entry, contents: Mapping[str, bytes]) -> None:
    path.symlink_to(os.fsdecode(contents[entry.oid]))
