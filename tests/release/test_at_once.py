"""Files written at once: all of them, or those before a fault whole."""

from __future__ import annotations

import os
from pathlib import Path
from unittest import mock

import pytest

from insigma.release.at_once import LeavesPack, write_at_once
from tests.cli.harness import files_of


def test_files_are_written_with_their_permissions_kept(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "a").chmod(0o640)
    write_at_once(tmp_path, {"a": "new ü\r\n", "b": "fresh\n"})
    assert files_of(tmp_path) == {"a": "new ü\r\n".encode(), "b": b"fresh\n"}
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_nothing_changes_where_one_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with pytest.raises(OSError, match="absent"):
        write_at_once(tmp_path, {"a": "new", "absent/b": "x"})
    assert files_of(tmp_path) == {"a": b"old"}


def test_a_fault_between_two_files_leaves_each_whole_and_nothing_aside(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_text("old")
    real = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if target.name == "b":
            raise OSError("disk")
        return real(self, target)

    with mock.patch.object(Path, "replace", failing), pytest.raises(OSError, match="disk"):
        write_at_once(tmp_path, {"a": "new", "b": "new"})
    assert files_of(tmp_path) == {"a": b"new", "b": b"old"}


def test_a_link_inside_is_followed_and_one_that_leads_out_is_not(tmp_path: Path) -> None:
    pack, outside = tmp_path / "pack", tmp_path / "outside"
    (pack / "docs").mkdir(parents=True)
    (pack / "docs" / "log").write_text("old")
    outside.write_text("old")
    (pack / "inside").symlink_to("docs/log")
    (pack / "out").symlink_to(outside)
    write_at_once(pack, {"inside": "new"})
    assert (pack / "inside").is_symlink()
    assert (pack / "docs" / "log").read_text() == "new"
    with pytest.raises(LeavesPack, match="out"):
        write_at_once(pack, {"docs/log": "newer", "out": "x"})
    assert (outside.read_text(), (pack / "docs" / "log").read_text()) == ("old", "new")


def test_a_pack_that_is_reached_by_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    write_at_once(tmp_path / "link", {"a": "x"})
    assert os.listdir(tmp_path / "real") == ["a"]  # noqa: PTH208
