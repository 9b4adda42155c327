"""YAML for people: one key a line, no aliases, text over several lines as a block.

The text is what PyYAML's emitter writes, which takes its decisions a character at a time. Most values of a rule need none:
they are written here at once, and only the rest (other scripts, quotes, odd line ends) goes through PyYAML.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

_WORD = re.compile(r"[A-Za-z](?:[A-Za-z0-9_.,/() '-]*[A-Za-z0-9_.,/()'-])?", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+", re.ASCII)
_BLOCK = re.compile(r"[!-~][ -~\n]*", re.ASCII)
_OTHER_TYPES = frozenset({"yes", "no", "on", "off", "true", "false", "null", "y", "n"})
"""Words that YAML 1.1 reads as something else, in any case."""


class Dumper(yaml.SafeDumper):
    """Plain YAML: no aliases, lines of any length, text over several lines as a block."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the shape of PyYAML's method
        return True

    def represent_scalar(self, tag: str, value: str, style: str | None = None) -> Any:
        if not all(line.isprintable() for line in value.split("\n")):
            style = '"'
        elif "\n" in value:
            style = "|"
        return super().represent_scalar(tag, value, style)


def by_pyyaml(data: dict[str, Any]) -> str:
    """The data as PyYAML writes it, without the end of document that it puts behind text with empty lines at its end."""
    written: str = yaml.dump(data, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=2**31)
    return written[: -len("...\n")] if written.endswith("\n...\n") else written


def yaml_text(data: dict[str, Any]) -> str:
    """The data as YAML, in its own order, ending with a line break. Keys are names; values text, numbers, lists and mappings."""
    return "".join(f"{key}:{text}" if (text := _value(value, "")) is not None else by_pyyaml({key: value}) for key, value in data.items())


def _value(value: Any, indent: str) -> str | None:
    """What stands behind a key or a dash, with its line break; None for what PyYAML has to decide."""
    match value:
        case bool():
            return f" {str(value).lower()}\n"
        case int():
            return f" {value}\n"
        case str():
            return _text(value, indent)
        case dict() if value:
            lines = _keys(value, f"{indent}  ")
            return None if lines is None else f"\n{lines}"
        case list() if value:
            return _items(value, indent)
        case list():
            return " []\n"
    return None


def _keys(value: dict[str, Any], indent: str) -> str | None:
    parts = [(key, _value(part, indent)) for key, part in value.items()]
    return None if any(text is None for _, text in parts) else "".join(f"{indent}{key}:{text}" for key, text in parts)


def _items(value: list[Any], indent: str) -> str | None:
    """A list, whose dashes stand below its key. A mapping begins on the line of its dash."""
    written = []
    for item in value:
        text = _keys(item, f"{indent}  ") if isinstance(item, dict) and item else _value(item, indent)
        if text is None or isinstance(item, list):
            return None
        written.append(f"{indent}- {text.lstrip()}")
    return "\n" + "".join(written)


def _text(value: str, indent: str) -> str | None:
    if "\n" in value:
        return None if indent else _block(value)
    plain = _WORD.fullmatch(value) and value.lower() not in _OTHER_TYPES
    return f" {value}\n" if plain or _UUID.fullmatch(value) or _VERSION.fullmatch(value) else None


def _block(value: str) -> str | None:
    """Text over several lines. Spaces before a line end cannot stand in a block."""
    if " \n" in value or value.endswith(" ") or not _BLOCK.fullmatch(value):
        return None
    hint = "" if value.endswith("\n") else "-"
    hint = "+" if value.endswith("\n\n") else hint
    lines = value.removesuffix("\n").split("\n")
    return f" |{hint}\n" + "".join(f"  {line}\n" if line else "\n" for line in lines)
