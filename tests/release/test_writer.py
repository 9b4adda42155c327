"""dist/ is exchanged at once: whatever goes wrong, one whole folder stands there, and nothing beside it."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from insigma.release import writer
from insigma.release.writer import ForeignFolder, recover, write_tree
from tests.cli.harness import files_of, siblings

OLD = {"manifest.json": "{}\n", "splunk/rules/old.spl": "old\n"}
NEW = {"manifest.json": "{1}\n", "splunk/rules/new.spl": "new ż\n", "ledger/new.json": "[]\n"}


def as_bytes(files: dict[str, str]) -> dict[str, bytes]:
    return {path: text.encode("utf-8") for path, text in files.items()}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder as an earlier build left it."""
    write_tree(tmp_path / "dist", OLD)
    return tmp_path / "dist"


def assert_holds(out: Path, files: dict[str, str]) -> None:
    assert files_of(out) == as_bytes(files)
    assert siblings(out) == []


def test_folder_holds_exactly_what_was_given(out: Path) -> None:
    assert_holds(out, OLD)
    write_tree(out, NEW)
    assert_holds(out, NEW)


def test_folders_above_are_made(tmp_path: Path) -> None:
    write_tree(tmp_path / "a" / "b" / "dist", NEW)
    assert_holds(tmp_path / "a" / "b" / "dist", NEW)


def test_no_files_are_an_empty_folder(tmp_path: Path) -> None:
    write_tree(tmp_path / "dist", {})
    assert (tmp_path / "dist").is_dir()
    assert_holds(tmp_path / "dist", {})


def test_a_link_to_the_folder_stays_a_link(out: Path) -> None:
    link = out.parent / "published"
    link.symlink_to(out, target_is_directory=True)
    write_tree(link, NEW)
    assert link.is_symlink()
    assert files_of(out) == as_bytes(NEW)
    assert sorted(path.name for path in out.parent.iterdir()) == ["dist", "published"]


@pytest.mark.parametrize(
    "names",
    [
        ["notes.txt"],
        ["manifest.json", "notes.txt"],
        ["ledger/2025.xlsx", "invoices/1.pdf"],
        [".git/config"],
        ["elastic/x"],
        [".env", "manifest.json"],
    ],
)
def test_a_folder_that_was_not_built_is_left_alone(names: list[str], tmp_path: Path) -> None:
    target = tmp_path / "dist"
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text("mine\n")
    with pytest.raises(ForeignFolder) as raised:
        write_tree(target, NEW)
    assert raised.value.foreign
    assert files_of(target) == dict.fromkeys(names, b"mine\n")
    assert siblings(target) == []


def test_a_file_in_its_place_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "dist").write_text("mine\n")
    with pytest.raises(ForeignFolder):
        write_tree(tmp_path / "dist", NEW)
    assert (tmp_path / "dist").read_text() == "mine\n"


@pytest.mark.parametrize("names", [[], ["ledger/a.json", "elastic/rules/a.json", "splunk/rules/a.spl"], ["manifest.json", ".DS_Store"]])
def test_an_empty_folder_and_the_committed_part_of_a_build_are_replaced(names: list[str], tmp_path: Path) -> None:
    target = tmp_path / "dist"
    target.mkdir()
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text("old\n")
    write_tree(target, NEW)
    assert_holds(target, NEW)


def no_swap(_left: Path, _right: Path) -> bool:
    return False


@pytest.fixture(params=["exchange", "renames"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to replace a folder: in one step, and by two renames where the system has no such step."""
    if request.param == "renames":
        monkeypatch.setattr(writer, "_swapped", no_swap)
    return str(request.param)


def test_both_ways_give_the_same(way: str, out: Path) -> None:
    write_tree(out, NEW)
    assert_holds(out, NEW)


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("written", [0, 1, 2])
def test_an_end_while_files_are_written_leaves_the_old_folder(
    error: BaseException, written: int, way: str, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, count = writer._write, iter(range(len(NEW)))

    def failing(path: Path, text: str) -> None:
        if next(count) == written:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text[:1])
            raise error
        write(path, text)

    monkeypatch.setattr(writer, "_write", failing)
    with pytest.raises(type(error)) as raised:
        write_tree(out, NEW)
    assert_holds(out, OLD)
    if isinstance(raised.value, OSError):
        assert (raised.value.errno, raised.value.filename) == (errno.ENOSPC, str(out))


@pytest.mark.parametrize("error", [OSError(errno.EIO, "Input/output error"), KeyboardInterrupt()])
def test_an_end_between_the_two_renames_puts_the_old_folder_back(error: BaseException, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_swapped", no_swap)
    rename: Callable[[Path, Path], Path] = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if ".new-" in self.name:
            raise error
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(type(error)):
        write_tree(out, NEW)
    monkeypatch.undo()
    assert_holds(out, OLD)


def test_ctrl_c_while_the_old_folder_is_cleared_leaves_the_new_one_alone(way: str, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rmtree, interrupts = shutil.rmtree, iter([True])

    def interrupted(path: Path, ignore_errors: bool = False) -> None:
        if next(interrupts, False):
            raise KeyboardInterrupt
        rmtree(path, ignore_errors=ignore_errors)

    monkeypatch.setattr(shutil, "rmtree", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_tree(out, NEW)
    assert_holds(out, NEW)


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_next_start_repairs_what_a_killed_build_left(out: Path) -> None:
    out.rename(out.with_name(".dist.old"))
    killed = out.with_name(f".dist.new-{dead_pid()}")
    killed.mkdir()
    (killed / "half").write_text("half")
    recover(out)
    assert_holds(out, OLD)


def test_the_next_build_clears_what_a_killed_one_left_after_the_renames(out: Path) -> None:
    leftover = out.with_name(".dist.old")
    leftover.mkdir()
    (leftover / "manifest.json").write_text("older")
    write_tree(out, NEW)
    assert_holds(out, NEW)


def test_a_build_that_still_runs_keeps_its_folder(out: Path) -> None:
    other = out.with_name(f".dist.new-{os.getppid()}")
    odd = out.with_name(".dist.new-notes")
    other.mkdir()
    odd.mkdir()
    write_tree(out, NEW)
    assert files_of(out) == as_bytes(NEW)
    assert siblings(out) == sorted([other.name, odd.name])


@pytest.mark.skipif(sys.platform != "linux", reason="renameat2 is Linux's")
def test_the_exchange_in_one_step_is_what_runs_here(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    swapped = writer._swapped

    def watched(left: Path, right: Path) -> bool:
        seen.append(swapped(left, right))
        return seen[-1]

    monkeypatch.setattr(writer, "_swapped", watched)
    write_tree(out, NEW)
    if seen == [False]:
        pytest.skip("this file system cannot exchange folders")
    assert seen == [True]
    assert_holds(out, NEW)


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.EINVAL, errno.ENOTSUP])
def test_a_system_that_cannot_exchange_renames(code: int, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_system_call(monkeypatch, code)
    write_tree(out, NEW)
    assert_holds(out, NEW)


def test_any_other_failure_of_the_exchange_leaves_the_old_folder(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_system_call(monkeypatch, errno.EBUSY)
    with pytest.raises(OSError, match="busy"):
        write_tree(out, NEW)
    assert_holds(out, OLD)


def fake_system_call(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    class Library:
        def renameat2(self, *_: object) -> int:
            return -1

        renamex_np = renameat2

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Library())
    monkeypatch.setattr(ctypes, "get_errno", lambda: code)


def test_a_system_without_the_call_renames(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: object())
    write_tree(out, NEW)
    assert_holds(out, NEW)
    monkeypatch.setattr(sys, "platform", "win32")
    write_tree(out, OLD)
    assert_holds(out, OLD)
