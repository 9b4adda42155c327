"""State that a foreign backend keeps on its classes and modules, put back after every rule.

Some backends count fields or collect parts on a class, and a rule that fails leaves them there, so that the next rule's
query changes. Lists, dictionaries and sets are put back in place, whoever else holds them; rebound names are bound again.
"""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

_MUTABLE = (dict, list, set)
_OPENING = ("PYSIGMA_ALLOW_EXTERNAL_SOURCES", "PYSIGMA_ALLOW_VARS_EXECUTION")


@dataclass(frozen=True, slots=True)
class _Binding:
    """A name of a class or module, and the container that it was bound to."""

    owner: type | ModuleType
    name: str
    value: Any


@contextmanager
def closed() -> Iterator[None]:
    """Without the environment variables that let pySigma's pipelines fetch, read files or run commands."""
    kept = {name: os.environ.pop(name) for name in _OPENING if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


@contextmanager
def restored(package: str) -> Iterator[None]:
    """Whatever the block does to the mutable state of `package` and its loaded modules is undone when it ends."""
    bindings = [binding for owner in _owners(package) for binding in _bindings(owner)]
    contents: dict[int, tuple[Any, Any]] = {}
    for binding in bindings:
        _remember(binding.value, contents)
    try:
        yield
    finally:
        for value, before in contents.values():
            _put_back(value, before)
        for binding in bindings:
            if vars(binding.owner).get(binding.name) is not binding.value:
                setattr(binding.owner, binding.name, binding.value)


def _owners(package: str) -> Iterator[type | ModuleType]:
    """The loaded modules of the package, and the classes defined in them."""
    for name in sorted(sys.modules):
        module = sys.modules.get(name) if name == package or name.startswith(f"{package}.") else None
        if module is not None:
            yield module
            yield from (value for value in vars(module).values() if isinstance(value, type) and value.__module__ == name)


def _bindings(owner: type | ModuleType) -> Iterator[_Binding]:
    for name, value in list(vars(owner).items()):
        if isinstance(value, _MUTABLE) and not name.startswith("__"):
            yield _Binding(owner, name, value)


def _remember(value: Any, contents: dict[int, tuple[Any, Any]]) -> None:
    """Keep a copy of a container and of those inside it. Each is held, so its id stays its own."""
    if not isinstance(value, _MUTABLE) or id(value) in contents:
        return
    contents[id(value)] = (value, copy.copy(value))
    for item in value.values() if isinstance(value, dict) else value:
        _remember(item, contents)


def _put_back(value: Any, before: Any) -> None:
    value.clear()
    if isinstance(value, list):
        value.extend(before)
    else:
        value.update(before)
