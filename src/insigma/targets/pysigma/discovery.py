"""Which pySigma backends and pipelines are installed, found by reading their packages' source: importing all of them costs half a second,
and one that fails to import would hide the rest.

A backend package names its backends in a `backends` dictionary or imports classes called `<Name>Backend`
(pySigma, `sigma.plugins`).
"""

from __future__ import annotations

import ast
import importlib.util
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

_NAMESPACE = "sigma.backends"
_PIPELINES = "sigma.pipelines"
_SUFFIX = "Backend"
_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def installed_backends() -> dict[str, str]:
    """The installed backends by name, in order of name: `module:Class`, such as `sigma.backends.splunk:SplunkBackend`."""
    found: dict[str, str] = {}
    spec = importlib.util.find_spec(_NAMESPACE)
    for path in sorted(spec.submodule_search_locations or ()) if spec else ():
        for module in sorted(pkgutil.iter_modules([path]), key=lambda each: each.name):
            if module.name != "test":
                for name, class_name in _declared(Path(path) / module.name):
                    found.setdefault(name, f"{_NAMESPACE}.{module.name}:{class_name}")
    return dict(sorted(found.items()))


def installed_pipelines() -> dict[str, str]:
    """The installed processing pipelines by name, in order of name: the module whose `pipelines` dictionary holds each."""
    found: dict[str, str] = {}
    spec = importlib.util.find_spec(_PIPELINES)
    for path in sorted(spec.submodule_search_locations or ()) if spec else ():
        for module in sorted(pkgutil.iter_modules([path]), key=lambda each: each.name):
            if module.name != "test":
                for name in _keys(_tree(Path(path) / module.name), "pipelines"):
                    found.setdefault(name, f"{_PIPELINES}.{module.name}")
    return dict(sorted(found.items()))


def _declared(place: Path) -> Iterator[tuple[str, str]]:
    """Names and classes of the backends that the package (or module) at `place` declares; none if it cannot be read."""
    tree = _tree(place)
    listed = dict(_listed(tree))
    yield from listed.items()
    for class_name in _classes(tree):
        if class_name not in listed.values():
            yield _BOUNDARY.sub("_", class_name.removesuffix(_SUFFIX)).lower(), class_name


def _tree(place: Path) -> ast.Module:
    """The source of the package (or module) at `place`; an empty one if it cannot be read."""
    source = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    try:
        return ast.parse(source.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ast.Module([], [])


def _keys(tree: ast.Module, name: str) -> Iterator[str]:
    """The strings that are keys of the dictionary bound to `name` at the top of the module."""
    for node in tree.body:
        if _binds(node, name) and isinstance(node.value, ast.Dict):
            yield from (key.value for key in node.value.keys if isinstance(key, ast.Constant) and isinstance(key.value, str))


def _listed(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The entries of a `backends = {"name": Class}` at the top of the module."""
    for node in tree.body:
        if _binds(node, "backends") and isinstance(node.value, ast.Dict):
            for key, value in zip(node.value.keys, node.value.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str) and isinstance(value, ast.Name):
                    yield key.value, value.id


def _binds(node: ast.stmt, name: str) -> TypeGuard[ast.Assign | ast.AnnAssign]:
    if isinstance(node, ast.Assign):
        return any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
    return isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name


def _classes(tree: ast.Module) -> Iterator[str]:
    """Classes called `<Name>Backend` that the module defines or imports, other than pySigma's own base classes."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("sigma.conversion"):
            names = [alias.asname or alias.name for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.endswith(_SUFFIX) and name != _SUFFIX)
