"""Reading a pack out of git's object store: hostile trees end as findings, and nothing is written outside of its folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from insigma.diagnostics.model import Severity
from insigma.diff import repository as repositories
from insigma.diff.repository import GitFault, Repository
from insigma.diff.sides import Side, revision_side, working_side
from tests.diff.repositories import EXPORT, Repo, new_repo

RULE = b"title: T\nid: 0b7a3a5e-5d2c-4f57-9b1e-0c9d2a6f7e11\nlogsource: {category: dns}\ndetection: {a: {b: c}, condition: a}\n"


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return new_repo(tmp_path_factory.mktemp("repo") / "r", rules=("claims/claims_system_access_denied",))


def read(repo: Repo, commit: str, folder: Path) -> Side:
    """The side of a commit, read below `folder`/pack; what else the folder gets is a fault."""
    (folder / "pack").mkdir()
    side = revision_side(Repository.around(repo.pack), "main", commit, folder / "pack")
    assert [path.name for path in folder.iterdir()] == ["pack"]
    return side


def findings(side: Side) -> list[tuple[str, str, str]]:
    of_rules = (finding for finding in side.findings if "taxonomy" not in finding.place.path)
    return [(finding.place.path, finding.code, finding.message) for finding in of_rules]


def titles(side: Side) -> list[str]:
    return [rule.header.title for rule in side.pack.rules]


def test_a_revision_gives_what_the_working_tree_gives(repo: Repo, tmp_path: Path) -> None:
    there, here = read(repo, "HEAD", tmp_path), working_side(repo.pack, 40)
    assert [rule.header.label for rule in there.pack.rules] == [rule.header.label for rule in here.pack.rules] == ["ins-clm-012"]
    assert (there.findings, here.findings) == ((), ())
    common = {path for path in there.contents if path in here.contents}
    assert {path: there.contents[path] for path in common} == {path: here.contents[path] for path in common}
    assert EXPORT.replace("claim_data_export", "claims_system_access_denied") in common


@pytest.mark.parametrize("target", ["/etc/passwd", "../../outside.yml", "../../../x", "../..", ""])
def test_a_link_that_leads_out_is_told_and_not_made(repo: Repo, tmp_path: Path, target: str) -> None:
    (tmp_path.parent / "outside.yml").write_bytes(RULE)
    side = read(repo, repo.commit_of({"rules/x.yml": ("120000", target.encode())}), tmp_path)
    assert titles(side) == []
    assert findings(side) == [("main:rules/x.yml", "INS011", f"a link to {target}, outside of the pack")]


def test_a_link_inside_is_followed(repo: Repo, tmp_path: Path) -> None:
    files = {"rules/a/real.yml": ("100644", RULE), "rules/b/link.yml": ("120000", b"../a/real.yml")}
    side = read(repo, repo.commit_of(files), tmp_path)
    assert titles(side) == ["T", "T"]


def test_links_in_a_circle_and_links_to_nothing(repo: Repo, tmp_path: Path) -> None:
    files = {"rules/a.yml": ("120000", b"b.yml"), "rules/b.yml": ("120000", b"a.yml"), "rules/c.yml": ("120000", b"gone.yml")}
    side = read(repo, repo.commit_of(files), tmp_path)
    assert [(path, code) for path, code, _ in findings(side)] == [(f"main:rules/{name}.yml", "INS001") for name in "abc"]


def test_a_long_link(repo: Repo, tmp_path: Path) -> None:
    side = read(repo, repo.commit_of({"rules/a.yml": ("120000", b"a" * 5000)}), tmp_path)
    assert findings(side) == [("main:rules/a.yml", "INS011", "a link of 5,000 bytes")]


def test_nothing_is_written_through_a_link(repo: Repo, tmp_path: Path) -> None:
    """A tree may hold one name twice: as a link, and as a folder with files, or as a folder with links."""
    link, blob = repo.put("blob", b".."), repo.put("blob", RULE)
    inner = repo.tree([("100644", b"evil.yml", blob), ("120000", b"evil_link.yml", link)])
    rules = repo.tree([("120000", b"a", link), ("40000", b"a", inner)])
    head = repo.put("blob", (repo.pack / "insigma.yml").read_bytes())
    commit = repo._commit_tree(repo.tree([("100644", b"insigma.yml", head), ("40000", b"rules", rules)]))
    side = read(repo, commit, tmp_path)
    assert not (tmp_path / "pack" / "evil.yml").exists()
    assert not (tmp_path / "pack" / "rules" / "evil.yml").exists()
    assert ("main:rules/a", "INS001", f"cannot be written here: {os.strerror(17)}") in findings(side)


@pytest.mark.parametrize("name", [b"..", b".", b""])
def test_a_path_that_leads_out(repo: Repo, tmp_path: Path, name: bytes) -> None:
    inner = repo.tree([("100644", b"evil.yml", repo.put("blob", RULE))])
    rules = repo.tree([("40000", name, inner)])
    head = repo.put("blob", (repo.pack / "insigma.yml").read_bytes())
    commit = repo._commit_tree(repo.tree([("100644", b"insigma.yml", head), ("40000", b"rules", rules)]))
    try:
        side = read(repo, commit, tmp_path)
    except GitFault:  # git itself may refuse such a tree
        return
    assert titles(side) == []
    assert findings(side) == [(f"main:rules/{name.decode()}/evil.yml", "INS011", "a path that leads out of the pack")]


def test_a_submodule_is_a_warning(repo: Repo, tmp_path: Path) -> None:
    side = read(repo, repo.commit_of({"rules/sub": ("160000", b"1" * 40), "rules/a.yml": ("100644", RULE)}), tmp_path)
    assert findings(side) == [("main:rules/sub", "INS001", "a submodule is not compared")]
    assert side.findings[0].severity is Severity.WARNING
    assert titles(side) == ["T"]


@pytest.mark.parametrize(
    "name", ["a\nb.yml", "a\tb \"'$(touch x)`.yml", "-rf.yml", "ünïcode.yml", ":(top)x.yml", "*.yml", os.fsdecode(b"\xff.yml")]
)
def test_names_that_a_shell_or_a_parser_would_trip_over(repo: Repo, tmp_path: Path, name: str) -> None:
    side = read(repo, repo.commit_of({f"rules/{name}": ("100644", RULE)}), tmp_path)
    assert (titles(side), findings(side)) == (["T"], [])
    assert f"rules/{name}" in side.contents


def test_a_name_that_is_too_long_for_the_disk(repo: Repo, tmp_path: Path) -> None:
    side = read(repo, repo.commit_of({f"rules/{'a' * 300}.yml": ("100644", RULE), "rules/b.yml": ("100644", RULE)}), tmp_path)
    assert titles(side) == ["T"]
    assert [(code, message) for _, code, message in findings(side)] == [("INS001", f"cannot be written here: {os.strerror(36)}")]


def test_a_file_that_is_too_large_is_told_with_its_size_and_not_fetched(repo: Repo, tmp_path: Path) -> None:
    side = read(repo, repo.commit_of({"rules/a.yml": ("100644", b"#" * (9 << 20))}), tmp_path)
    assert findings(side) == [("main:rules/a.yml", "INS002", "9,437,184 bytes; the limit is 1,048,576")]
    assert (tmp_path / "pack" / "rules" / "a.yml").stat().st_blocks * 512 < 1 << 20


def test_findings_do_not_name_the_temporary_folder(repo: Repo, tmp_path: Path) -> None:
    files = {"rules/a.yml": ("100644", RULE.replace(b"condition: a", b"condition: b")), "rules/b.yml": ("100644", b"a: [\n")}
    side = read(repo, repo.commit_of(files), tmp_path)
    assert sorted(path for path, _, _ in findings(side)) == ["main:rules/a.yml", "main:rules/b.yml"]
    assert not [finding for finding in side.findings if str(tmp_path) in f"{finding.message} {finding.hint} {finding.place.path}"]


def test_a_tree_of_trees_without_end_is_given_up(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten levels of ten times the same: as many names as there are people."""
    tree = repo.tree([("100644", b"f%d.yml" % number, repo.put("blob", RULE)) for number in range(10)])
    for _ in range(9):
        tree = repo.tree([("40000", b"t%d" % number, tree) for number in range(10)])
    head = repo.put("blob", (repo.pack / "insigma.yml").read_bytes())
    commit = repo._commit_tree(repo.tree([("100644", b"insigma.yml", head), ("40000", b"rules", tree)]))
    monkeypatch.setattr(repositories, "MAX_LISTING", 1 << 20)
    with pytest.raises(GitFault, match="lists more than 1 MiB of names"):
        read(repo, commit, tmp_path)


def test_a_pack_that_is_too_large(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insigma.diff.sides.MAX_TOTAL", 1000)
    with pytest.raises(GitFault, match="the pack holds more than"):
        read(repo, "HEAD", tmp_path)


def test_a_missing_object(repo: Repo, tmp_path: Path) -> None:
    gone = repo.commit_of({"rules/a.yml": ("100644", b"# only here\n" + RULE)})
    oid = repo.git("rev-parse", f"{gone}:rules/a.yml").decode().strip()
    (repo.folder / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
    with pytest.raises(GitFault, match=f"the object {oid[:12]} is missing from this clone"):
        read(repo, gone, tmp_path)


def test_what_the_other_side_has_just_so_is_not_read_again(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    side = revision_side(Repository.around(repo.pack), "main", "HEAD", tmp_path / "pack", working_side(repo.pack, 40))
    assert "tests/fixtures/claims/claims_system_access_denied.yml" in side.spared
    assert side.pack.fixtures == ()
