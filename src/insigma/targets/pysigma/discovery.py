"""Which pySigma backends are installed, found by reading their packages' source: importing all of them costs half a second,
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


def _declared(place: Path) -> Iterator[tuple[str, str]]:
    """Names and classes of the backends that the package (or module) at `place` declares; none if it cannot be read."""
    source = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    try:
        tree = ast.parse(source.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    listed = dict(_listed(tree))
    yield from listed.items()
    for class_name in _classes(tree):
        if class_name not in listed.values():
            yield _BOUNDARY.sub("_", class_name.removesuffix(_SUFFIX)).lower(), class_name


def _listed(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The entries of a `backends = {"name": Class}` at the top of the module."""
    for node in tree.body:
        if _binds_backends(node) and isinstance(node.value, ast.Dict):
            for key, value in zip(node.value.keys, node.value.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str) and isinstance(value, ast.Name):
                    yield key.value, value.id


def _binds_backends(node: ast.stmt) -> TypeGuard[ast.Assign | ast.AnnAssign]:
    if isinstance(node, ast.Assign):
        return any(isinstance(target, ast.Name) and target.id == "backends" for target in node.targets)
    return isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "backends"


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
