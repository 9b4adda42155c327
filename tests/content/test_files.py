"""Files and packs from disk: what is found, in which order, and what never gets in."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from pathlib import Path

import pytest

from insigma.content.files import Finder, shown_path
from insigma.content.lists import default_lists
from insigma.content.pack import bundled_root, find_root, load_loose, load_pack
from insigma.content.yaml_reader import MAX_BYTES, read_file
from insigma.diagnostics.model import Diagnostic
from tests.content.reading import rule_text

RULE = rule_text("{a: b}")


def write(root: Path, *names: str, text: str = RULE) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def below(root: Path, paths: Iterable[Path | str]) -> list[str]:
    return [Path(path).relative_to(root).as_posix() for path in paths]


def told(root: Path, faults: Iterable[Diagnostic]) -> list[str]:
    return [f"{below(root, [fault.place.path])[0]} {fault.code}" for fault in faults]


def test_files_are_found_in_a_fixed_order(tmp_path: Path) -> None:
    write(tmp_path, "b.yml", "a/z.yaml", "a/b/c.yml", "c.txt", "a.yml", "B.yml", "é.yml", "d.yml/e.yml")
    assert below(tmp_path, Finder(tmp_path).files(tmp_path)) == ["B.yml", "a.yml", "b.yml", "é.yml", "a/z.yaml", "a/b/c.yml", "d.yml/e.yml"]


def test_links_inside_are_followed_and_links_out_are_told(tmp_path: Path) -> None:
    root, outside = tmp_path / "pack", tmp_path / "outside"
    write(root, "a.yml", "sub/b.yml")
    write(outside, "secret.yml")
    for name, target in {
        "in.yml": "sub/b.yml",
        "out.yml": "../outside/secret.yml",
        "absolute.yml": str(outside / "secret.yml"),
        "gone.yml": "../nowhere.yml",
        "folder": "../outside",
        "inner": "sub",
        "circle": ".",
        "parent": "..",
    }.items():
        (root / name).symlink_to(target)
    finder = Finder(root)
    assert below(root, finder.files(root)) == ["a.yml", "in.yml", "sub/b.yml"]
    expected = ["folder INS011", "parent INS011", "absolute.yml INS011", "gone.yml INS011", "out.yml INS011"]
    assert told(root, finder.found) == expected
    assert all("outside of" in fault.message for fault in finder.found)


def test_links_in_a_circle_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.yml").symlink_to("b.yml")
    (tmp_path / "b.yml").symlink_to("a.yml")
    finder = Finder(tmp_path)
    for path in finder.files(tmp_path):
        finder.read(path)
    assert told(tmp_path, finder.found) == ["a.yml INS001", "b.yml INS001"]


def test_a_folder_that_is_itself_a_link_out_is_not_entered(tmp_path: Path) -> None:
    write(tmp_path / "outside", "targets/elastic.yml")
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "mappings").symlink_to("../outside")
    finder = Finder(tmp_path / "pack")
    assert list(finder.files(tmp_path / "pack" / "mappings" / "targets")) == []
    assert told(tmp_path / "pack", finder.found) == ["mappings/targets INS011"]


def test_a_root_that_is_reached_by_a_link_is_fine(tmp_path: Path) -> None:
    write(tmp_path / "real", "a.yml")
    (tmp_path / "link").symlink_to("real")
    finder = Finder(tmp_path / "link")
    assert below(tmp_path, finder.files(tmp_path / "link")) == ["link/a.yml"]
    assert finder.found == []


def test_what_is_no_plain_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yml")
    (tmp_path / "folder.yml").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket.yml"))
    for name in ("pipe.yml", "folder.yml", "socket.yml", "absent.yml", "x" * 300 + ".yml", "a.yml/b.yml"):
        (fault,) = read_file(tmp_path / name, name).diagnostics
        assert (fault.code, fault.place.path, fault.place.line) == ("INS001", name, 1)
    assert read_file(Path("/dev/zero"), "zero").diagnostics[0].code == "INS001"


def test_a_folder_that_cannot_be_listed_is_told(tmp_path: Path) -> None:
    finder = Finder(tmp_path)
    assert list(finder.files(tmp_path / "absent")) == []
    assert told(tmp_path, finder.found) == ["absent INS001"]


@pytest.mark.parametrize(("size", "codes"), [(MAX_BYTES, []), (MAX_BYTES + 1, ["INS002"])])
def test_the_limit_of_a_file(tmp_path: Path, size: int, codes: list[str]) -> None:
    path = tmp_path / "large.yml"
    path.write_bytes(b"a: b\n#" + b"x" * (size - 6))
    assert [fault.code for fault in read_file(path, "large.yml").diagnostics] == codes


def test_a_file_of_a_hundred_megabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.yml"
    with path.open("wb") as stream:
        stream.truncate(100 << 20)
    (fault,) = read_file(path, "huge.yml").diagnostics
    assert (fault.code, fault.message) == ("INS002", "104,857,600 bytes; the limit is 1,048,576")


def test_paths_are_shown_from_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert shown_path(Path("rules/a.yml")) == "rules/a.yml"
    assert shown_path(tmp_path / "rules" / ".." / "a.yml") == "a.yml"
    assert shown_path(Path("../a.yml")) == (tmp_path.parent / "a.yml").as_posix()
    assert shown_path(Path()) == "."


# Packs

FIELDS = """\
name: test
version: 1.2.3
fields:
  insurance.logsource: {type: keyword, case: lower, pii: none, origin: insurance, values: [x], description: d, example: x}
  user.name: {type: keyword, case: any, pii: none, origin: ecs, description: d, example: x}
"""
LOGSOURCES = """\
logsources:
  x:
    {category: x, tier: core, description: d, producers: [p], sensitive_content: none,
     required: [insurance.logsource], optional: [user.name]}
"""
TARGET = "target: {0}\nfields: {{user.name: {{name: u, type: keyword}}}}\nlogsources: {{x: {{index: i}}}}\n"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    write(tmp_path, "insigma.yml", text="name: acme\nversion: 4.5.6\n")
    write(tmp_path, "mappings/taxonomy/fields.yml", text=FIELDS)
    write(tmp_path, "mappings/taxonomy/logsources.yml", text=LOGSOURCES)
    write(tmp_path, "mappings/targets/one.yml", text=TARGET.format("one"))
    write(tmp_path, "mappings/targets/two.yml", text=TARGET.format("two"))
    write(tmp_path, "mappings/tenants/default.yml", text="tenant: {id: default}\nlists: {l: {values: [a, b]}}\n")
    write(tmp_path, "tests/fixtures/d/r.yml", text="rule: r\ncases: [{name: c, events: [{user.name: u}]}]\n")
    write(tmp_path, "rules/d/r.yml", "rules/d/s.yml")
    return tmp_path


def test_a_pack_is_read_whole(pack: Path) -> None:
    loaded = load_pack(pack)
    assert told(pack, loaded.diagnostics) == []
    found = loaded.pack
    assert (found.name, found.version, found.taxonomy.name) == ("acme", "4.5.6", "test")
    assert [rule.header.slug for rule in found.rules] == ["r", "s"]
    assert [fixture.rule for fixture in found.fixtures] == ["r"]
    assert list(found.mappings) == ["one", "two"]
    assert default_lists(found) == {"l": ("a", "b")}
    everything = sorted(path for path in below(pack, Finder(pack).files(pack)))
    assert sorted(below(pack, (document.path for document in found.documents))) == everything
    assert {found.relative(document.path) for document in found.rule_documents} == {"rules/d/r.yml", "rules/d/s.yml"}


def test_a_pack_is_found_from_inside_it(pack: Path) -> None:
    assert find_root(pack / "rules" / "d" / "r.yml") == pack
    assert find_root(pack) == pack
    assert find_root(pack.parent) is None


def test_all_faults_of_all_files_of_a_pack_are_told(pack: Path) -> None:
    write(pack, "rules/d/r.yml", text="title: t\n")
    write(pack, "rules/d/t.yml", text="[")
    write(pack, "mappings/targets/one.yml", text="target: one\nfields: {a: 5}\n")
    write(pack, "mappings/tenants/default.yml", text="lists: {}\n")
    write(pack, "tests/fixtures/d/r.yml", text="cases: []\n")
    (pack / "insigma.yml").unlink()
    (pack / "mappings" / "taxonomy" / "fields.yml").unlink()
    assert sorted(told(pack, load_pack(pack).diagnostics)) == [
        "insigma.yml INS001",
        "mappings/targets/one.yml INS509",
        "mappings/taxonomy/fields.yml INS001",
        "mappings/tenants/default.yml INS509",
        "rules/d/r.yml INS101",
        "rules/d/r.yml INS101",
        "rules/d/t.yml INS005",
        "tests/fixtures/d/r.yml INS509",
    ]


@pytest.mark.parametrize("name", ["insigma.yml", "mappings/taxonomy/fields.yml", "rules", "tests/fixtures", "mappings"])
def test_no_part_of_a_pack_is_read_from_outside_of_it(pack: Path, tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    outside = tmp_path_factory.mktemp("outside") / "part"
    (pack / name).rename(outside)
    (pack / name).symlink_to(outside)
    loaded = load_pack(pack)
    assert {fault.code for fault in loaded.diagnostics} == {"INS011"}
    assert all(fault.place.path.startswith((pack / name).as_posix()) for fault in loaded.diagnostics)
    assert not any(document.path.startswith(str(pack / name)) for document in loaded.pack.documents)


def test_an_empty_folder_is_a_pack_without_anything(tmp_path: Path) -> None:
    loaded = load_pack(tmp_path)
    assert {fault.code for fault in loaded.diagnostics} == {"INS001"}
    assert (loaded.pack.rules, loaded.pack.documents, loaded.pack.taxonomy.fields) == ((), (), {})


def test_loose_rules_are_read_against_another_packs_taxonomy(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    loose = tmp_path_factory.mktemp("loose")
    write(loose, "a.yml", "sub/b.yml", "c.txt")
    write(loose, "broken.yml", text="a: [")
    loaded = load_loose([loose, loose / "c.txt", loose / "absent.yml"], pack)
    assert told(loose, loaded.diagnostics) == ["broken.yml INS005", "absent.yml INS001"]
    assert below(loose, (rule.header.path for rule in loaded.pack.rules)) == ["a.yml", "sub/b.yml", "c.txt"]
    assert loaded.pack.taxonomy.name == "test"
    assert list(loaded.pack.mappings) == ["one", "two"]
    assert (loaded.pack.root, loaded.pack.name, loaded.pack.fixtures) == ("", "", ())


def test_the_program_carries_a_pack_without_a_fault(root: Path) -> None:
    assert bundled_root() == root
    loaded = load_pack(bundled_root())
    assert loaded.diagnostics == ()
    assert len(loaded.pack.rules) > 20
    assert set(loaded.pack.mappings) >= {"elastic", "splunk"}


def test_a_pack_without_a_default_profile_has_no_lists(pack: Path) -> None:
    (pack / "mappings" / "tenants" / "default.yml").unlink()
    assert default_lists(load_pack(pack).pack) == {}
