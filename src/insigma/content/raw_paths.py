"""Paths into a raw event, as adapters write them: `actor.alternateId`, `agent[requestor=true].who.reference`, `"a.b"[0]`.

Between dots stands a key, in double quotes where it holds dots, brackets or spaces. After a key: `[0]` takes one element of
a list, `[*]` each of them (the path then gives a list), `[key=value]` the first element whose key has that value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from insigma.content.numbers import canonical_number

_STEP = re.compile(
    r"""(?P<dot>\.)?(?:"(?P<quoted>[^"]+)"|(?P<key>[^\s."'\[\]=*]+))"""
    r"""|\[(?:(?P<index>[0-9]{1,4})|(?P<every>\*)|(?P<where>[^\s."'\[\]=*]+)=(?:"(?P<text>[^"]*)"|(?P<word>[^\s"'\[\]=*]+)))\]"""
)


class BadPath(ValueError):
    """The text is no path; the message says why."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key of an object."""

    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """One element of a list."""

    position: int


@dataclass(frozen=True, slots=True)
class Every:
    """Every element of a list."""


@dataclass(frozen=True, slots=True)
class Where:
    """The first element of a list whose key has the value, as text."""

    key: str
    value: str


Step = Key | Index | Every | Where


@dataclass(frozen=True, slots=True)
class RawPath:
    """A path and the text that it was read from."""

    text: str
    steps: tuple[Step, ...]

    @property
    def several(self) -> bool:
        """Whether the path gives a list of values."""
        return any(isinstance(step, Every) for step in self.steps)


def read_path(text: str) -> RawPath:
    """The path that the text spells. Raises `BadPath`."""
    steps: list[Step] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None or (match["dot"] is None and bool(match["quoted"] or match["key"]) == bool(steps)):
            raise BadPath(f"nothing can be read from '{text[at : at + 20]}' on")
        if match["dot"] is not None and not steps:
            raise BadPath("a path begins with a key, not with a dot")
        steps.append(_step(match))
        at = match.end()
    if not steps or not isinstance(steps[0], Key):
        raise BadPath("a path begins with a key")
    return RawPath(text, tuple(steps))


def _step(match: re.Match[str]) -> Step:
    if match["index"] is not None:
        return Index(int(match["index"]))
    if match["every"] is not None:
        return Every()
    if match["where"] is not None:
        return Where(match["where"], match["text"] if match["text"] is not None else match["word"])
    return Key(match["quoted"] or match["key"])


def follow(path: RawPath, record: Mapping[str, Any]) -> Any:
    """What stands there, or None. After `[*]` a list of what stands there in each element, those without it left out."""
    return _follow(path.steps, record)


def _follow(steps: tuple[Step, ...], node: Any) -> Any:
    for number, step in enumerate(steps):
        match step:
            case Key():
                node = node.get(step.name) if isinstance(node, Mapping) else None
            case Index():
                node = node[step.position] if isinstance(node, list) and step.position < len(node) else None
            case Where():
                node = _first(node, step)
            case Every():
                rest = steps[number + 1 :]
                found = (_follow(rest, element) for element in node) if isinstance(node, list) else ()
                return [element for one in found if one is not None for element in (one if isinstance(one, list) else [one])] or None
        if node is None:
            return None
    return node


def _first(node: Any, step: Where) -> Any:
    for element in node if isinstance(node, list) else ():
        if isinstance(element, Mapping) and step.key in element and plain_text(element[step.key]) == step.value:
            return element
    return None


def plain_text(value: Any) -> str | None:
    """A scalar's text, or None for what has none (null, lists, objects, numbers beyond all bounds)."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return canonical_number(value) if abs(value) < 10**400 else None
    if isinstance(value, float) and value - value == 0:  # finite
        return canonical_number(value)
    return None
