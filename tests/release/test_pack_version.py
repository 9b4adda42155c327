"""The version in insigma.yml: replaced in place, everything else byte for byte as it was."""

from __future__ import annotations

import pytest

from insigma.content.yaml_reader import read_bytes
from insigma.release.pack_version import NotReplaced, with_version
from tests.cli.harness import ROOT


def replaced(text: str, version: str = "2.0.0-rc.1") -> str:
    (document,) = read_bytes(text.encode("utf-8"), "insigma.yml").documents
    return with_version(text, document, version)


@pytest.mark.parametrize(
    "text",
    [
        (ROOT / "insigma.yml").read_text(encoding="utf-8"),
        "name: a\nversion: 0.1.0   # ours, not the program's 0.1.0\n",
        "name: a\nversion: '0.1.0'\n",
        'name: a\n"version": "0.1.0" # x\n',
        "name: a\r\nversion: 0.1.0\r\nextends: []\r\n",
        "version: 0.1.0",
        "{name: a, version: 0.1.0, extends: [insurance]}\n",
        "# version: 0.1.0\nname: a\ndescription: version 0.1.0\nversion:\n  0.1.0\n",
        "name: 'ünï\u2028 cödé'\nversion: 0.1.0\n",
        "---\nname: a\nversion: 0.1.0\n...\n",
    ],
)
def test_only_the_version_changes(text: str) -> None:
    changed = replaced(text)
    assert read_bytes(changed.encode(), "insigma.yml").documents[0].data["version"] == "2.0.0-rc.1"
    assert changed.count("2.0.0-rc.1") == 1
    assert changed.replace("2.0.0-rc.1", "0.1.0") == text
    assert replaced(changed, "0.1.0") == text


def test_a_byte_order_mark_stays() -> None:
    assert replaced("\ufeffversion: 0.1.0\n") == "\ufeffversion: 2.0.0-rc.1\n"


@pytest.mark.parametrize(
    "text",
    [
        "name: a\nversion: >-\n  0.1.0\n",
        "name: a\nversion: &v 0.1.0\n",
        "old: &v 0.1.0\nversion: *v\n",
        "name: a\n",
        "name: a\nversion: 1\n",
        'version: "0.1\\x2e0"\n',
    ],
)
def test_what_cannot_be_replaced_in_place_is_refused(text: str) -> None:
    with pytest.raises(NotReplaced):
        replaced(text)
