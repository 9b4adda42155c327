"""The pack's version in insigma.yml: replaced where it stands, and nothing else touched."""

from __future__ import annotations

import re

from insigma.content.yaml_reader import FREE, Document, read_bytes

_BREAK = re.compile("(\r\n|[\r\n\x85\u2028\u2029])")


class NotReplaced(Exception):
    """The version is written in a way that cannot be replaced in place."""


def with_version(text: str, document: Document, version: str) -> str:
    """The text of insigma.yml, of which `document` was read, with another version. Comments, quotes and line ends stay.

    Raises `NotReplaced` if the result would not be the same document but for its version.
    """
    old = document.data.get("version")
    style = document.styles.get(("version",), "")
    if not isinstance(old, str) or style == FREE:
        raise NotReplaced
    place = document.place("version")
    bom = "\ufeff" if text.startswith("\ufeff") else ""
    parts = _BREAK.split(text.removeprefix(bom))
    index, start = 2 * (place.line - 1), place.column - 1 + len(style)
    line = parts[index]
    if line[start : start + len(old)] != old:
        raise NotReplaced
    parts[index] = line[:start] + version + line[start + len(old) :]
    changed = bom + "".join(parts)
    read = read_bytes(changed.encode("utf-8"), document.path)
    if read.diagnostics or [again.data for again in read.documents] != [{**document.data, "version": version}]:
        raise NotReplaced
    return changed
