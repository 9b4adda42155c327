"""Archives: what is in them, and that their bytes are of their files alone."""

from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from insigma.packages.splunk.archive import gzip_stored, tar_gz

FILES: dict[str, str | bytes] = {"app/b.txt": "größe\n", "app/default/a.conf": b"[x]\n", "app/a.txt": ""}


def test_the_files_and_their_folders_are_there_in_order() -> None:
    with tarfile.open(fileobj=io.BytesIO(tar_gz(FILES)), mode="r:gz") as archive:
        assert archive.getnames() == ["app", "app/a.txt", "app/b.txt", "app/default", "app/default/a.conf"]
        held = archive.extractfile("app/b.txt")
        assert held is not None
        assert held.read() == "größe\n".encode()


def test_nothing_tells_when_or_where_it_was_made() -> None:
    with tarfile.open(fileobj=io.BytesIO(tar_gz(FILES)), mode="r:gz") as archive:
        for entry in archive.getmembers():
            assert (entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname) == (0, 0, 0, "", "")
            assert entry.mode == (0o755 if entry.isdir() else 0o644)
            assert not entry.pax_headers


def test_the_order_of_the_files_does_not_matter() -> None:
    assert tar_gz(FILES) == tar_gz(dict(reversed(FILES.items())))
    assert tar_gz(FILES) != tar_gz({**FILES, "app/a.txt": "x"})


@pytest.mark.parametrize("size", [0, 1, 0xFFFE, 0xFFFF, 0x10000, 200_000])
def test_stored_blocks_are_gzip(size: int) -> None:
    data = bytes(number * 7 % 251 for number in range(size))
    assert gzip.decompress(gzip_stored(data)) == data


def test_stored_blocks_are_what_no_compressor_chooses() -> None:
    """The bytes by RFC 1951 and 1952: they would change with a compressor, and must not."""
    assert gzip_stored(b"abc").hex() == "1f8b08000000000000ff" + "010300fcff616263" + "c2412435" + "03000000"


def test_a_change_of_the_time_or_of_the_compressor_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = tar_gz(FILES)
    monkeypatch.setattr("time.time", lambda: 4e9)
    monkeypatch.setattr("zlib.compress", None)
    monkeypatch.setattr("zlib.compressobj", None)
    assert tar_gz(FILES) == before
