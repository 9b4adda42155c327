"""Running every check over what was read.

Input: a `Loaded` pack or loose rules. Output: all diagnostics of the reader and of the checks, sorted by place.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import ModuleType

import insigma.checks
from insigma.checks.base import Context
from insigma.content.attack import load_attack
from insigma.content.f3 import load_f3
from insigma.content.model import Pack, Taxonomy
from insigma.content.pack import Loaded
from insigma.content.products import FOLDER
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic


def check_modules() -> tuple[ModuleType, ...]:
    """The check modules, in order of their codes."""
    names = sorted(entry.name for entry in pkgutil.iter_modules(insigma.checks.__path__) if entry.name.startswith("ins"))
    return tuple(importlib.import_module(f"insigma.checks.{name}") for name in names)


def check_all(loaded: Loaded, day: str | None = None) -> tuple[Diagnostic, ...]:
    """Every fault of the pack, each once, sorted. `day` (ISO 8601) tells what has expired; without one nothing has."""
    pack = loaded.pack
    context = Context(pack, pack.rule_documents, load_attack(), load_f3(), in_pack=bool(pack.root), day=day)
    found = [*loaded.diagnostics, *_run(check_modules(), context)]
    return tuple(sorted(set(found), key=lambda one: (one.place, one.code, one.message)))


def check_adapter(document: Document, taxonomy: Taxonomy) -> tuple[Diagnostic, ...]:
    """What the checks of adapters find in one that lies anywhere."""
    stem = document.path.rsplit("/", 1)[-1]
    placed = replace(document, path=f"{FOLDER}/{stem}")
    pack = Pack(".", "", "", taxonomy, (), (), (), {}, {}, (placed,), ())
    context = Context(pack, (), load_attack(), load_f3(), in_pack=True)
    modules = (module for module in check_modules() if "INS520" <= module.CODE <= "INS529")
    return tuple(replace(found, place=replace(found.place, path=document.path)) for found in _run(modules, context))


def _run(modules: Iterable[ModuleType], context: Context) -> Iterator[Diagnostic]:
    for module in modules:
        per_document = getattr(module, "check_document", None)
        per_rule = getattr(module, "check_rule", None)
        per_pack = getattr(module, "check_pack", None)
        if per_document is not None:
            for document in context.documents:
                yield from per_document(document, context)
        if per_rule is not None:
            for rule in context.rules:
                yield from per_rule(rule, context)
        if per_pack is not None:
            yield from per_pack(context)
