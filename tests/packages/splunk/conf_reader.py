"""A reader of .conf files by Splunk's Admin Manual ("Configuration file structure"): stanzas, comments, continued lines."""

from __future__ import annotations


def read_conf(text: str) -> dict[str, dict[str, str]]:
    """Settings by stanza. A continued line is a line break in the value; space around key and value is dropped.

    Raises ValueError for a line that is none, and for a stanza or a key that is there twice: Splunk would merge them.
    """
    stanzas: dict[str, dict[str, str]] = {}
    current: dict[str, str] | None = None
    for line in _logical_lines(text):
        if line.startswith("["):
            name, end, rest = line[1:].rpartition("]")
            if not end or rest.strip() or name in stanzas:
                raise ValueError(f"no stanza, or there before: {line!r}")
            current = stanzas[name] = {}
        elif line.strip() and not line.lstrip().startswith("#"):
            key, equals, value = line.partition("=")
            if not equals or current is None or key.strip() in current:
                raise ValueError(f"no setting, or there before: {line!r}")
            current[key.strip()] = value.strip()
    return stanzas


def _logical_lines(text: str) -> list[str]:
    found: list[str] = []
    continued = False
    for line in text.split("\n"):
        held = line.removesuffix("\\")
        if continued:
            found[-1] += "\n" + held
        else:
            found.append(held)
        # A comment is never continued.
        continued = line.endswith("\\") and not found[-1].lstrip().startswith("#")
    return found
