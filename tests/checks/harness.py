"""Runs one check over files given as text: no disk, the taxonomy and tables of the repository unless the case brings its own.

The path of a file decides what it is, as in a pack: rules/**, tests/fixtures/**, mappings/targets/**, mappings/tenants/**,
mappings/taxonomy/*, insigma.yml.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import insigma.checks
from insigma.checks.base import Context
from insigma.content.assemble import assemble
from insigma.content.attack import AttackTable, load_attack
from insigma.content.context import ContextCatalogue, read_context
from insigma.content.f3 import load_f3
from insigma.content.fixtures import read_fixture
from insigma.content.mappings import read_mapping
from insigma.content.model import Pack, Taxonomy
from insigma.content.profiles import read_tenant
from insigma.content.taxonomy import read_taxonomy
from insigma.content.yaml_reader import Document, read_bytes
from insigma.diagnostics.model import Diagnostic

ROOT = Path(__file__).resolve().parents[2]
CASES = Path(__file__).resolve().parent / "cases"
RULE_PATH = "rules/claims/some_rule.yml"
_CONTEXT = "mappings/taxonomy/context.yml"
_TAXONOMY = ("mappings/taxonomy/fields.yml", "mappings/taxonomy/logsources.yml")


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a case file. `expect` is None where the check must find nothing; `in_pack`: the pack's own conventions hold.

    `day` is the day of the check, None where nothing is due.
    """

    code: str
    name: str
    files: Mapping[str, str]
    expect: Sequence[Mapping[str, Any]] | None
    in_pack: bool
    day: str | None = None

    @property
    def label(self) -> str:
        return f"{self.code}-{'pass' if self.expect is None else 'fail'}-{self.name}"


def case_files() -> tuple[Path, ...]:
    return tuple(sorted(CASES.glob("*.yml")))


def read_cases(path: Path) -> Iterator[Case]:
    """The cases of one file. A case has either `rule`, the text of one rule, or `files`, path to text, beside those of the whole file.

    The pack's own conventions hold for codes from INS400 on, unless `pack` says otherwise. `day` is the case's or the file's.
    """
    data = _documents(path.read_text(encoding="utf-8"), path.name)[0].data
    for outcome in ("pass", "fail"):
        for entry in data.get(outcome, []):
            own = entry["files"] if "files" in entry else {entry.get("path", RULE_PATH): entry["rule"]}
            files = {**data.get("files", {}), **own}
            in_pack = entry.get("pack", data["code"] >= "INS400")
            day = entry.get("day", data.get("day"))
            yield Case(data["code"], entry["name"], files, entry["expect"] if outcome == "fail" else None, in_pack, day)


@cache
def check_module(code: str) -> ModuleType:
    """The module of the check with this code. Raises LookupError if there is none."""
    for found in pkgutil.iter_modules(insigma.checks.__path__):
        if found.name.startswith(code.lower() + "_"):
            return importlib.import_module(f"insigma.checks.{found.name}")
    raise LookupError(code)


def run_case(files: Mapping[str, str], code: str, *, in_pack: bool, day: str | None = None) -> list[Diagnostic]:
    """What the check with this code finds in the files, sorted."""
    module, context = check_module(code), make_context(files, in_pack=in_pack, day=day)
    found: list[Diagnostic] = []
    if hasattr(module, "check_document"):
        found += (one for document in context.documents for one in module.check_document(document, context))
    if hasattr(module, "check_rule"):
        found += (one for rule in context.rules for one in module.check_rule(rule, context))
    if hasattr(module, "check_pack"):
        found += module.check_pack(context)
    return sorted(one for one in found if one.code == code)


def make_context(files: Mapping[str, str], *, in_pack: bool, day: str | None = None) -> Context:
    """The files as a pack, in order of path."""
    by_path = {path: _documents(text, path) for path, text in sorted(files.items())}

    def under(folder: str) -> tuple[Document, ...]:
        return tuple(document for path, documents in by_path.items() if path.startswith(folder) for document in documents)

    rules, others = under("rules/"), tuple(document for path in by_path if not path.startswith("rules/") for document in by_path[path])
    taxonomy = read_taxonomy(*under("mappings/taxonomy/"))[0] if _TAXONOMY[0] in files else _taxonomy()
    fixtures = tuple(fixture for document in under("tests/fixtures/") if (fixture := read_fixture(document)[0]) is not None)
    mappings = [read_mapping(document)[0] for document in under("mappings/targets/")]
    tenants = [tenant for document in under("mappings/tenants/") if (tenant := read_tenant(document)[0]) is not None]
    built = assemble(rules)
    pack = Pack(
        root="." if in_pack else "",
        name="insurance",
        version="0.1.0",
        taxonomy=taxonomy,
        rules=built.rules,
        filters=built.filters,
        fixtures=fixtures,
        mappings={mapping.target: mapping for mapping in mappings},
        tenants={tenant.id: tenant for tenant in reversed(tenants)},
        documents=(*rules, *others),
        rule_documents=rules,
        context=_catalogue(),
    )
    return Context(pack, rules, _attack(), load_f3(), in_pack, day)


def _documents(text: str, path: str) -> tuple[Document, ...]:
    return read_bytes(text.encode("utf-8"), path).documents


@cache
def _taxonomy() -> Taxonomy:
    fields, logsources = (_documents((ROOT / path).read_text(encoding="utf-8"), path)[0] for path in _TAXONOMY)
    return read_taxonomy(fields, logsources)[0]


@cache
def _catalogue() -> ContextCatalogue:
    return read_context(_documents((ROOT / _CONTEXT).read_text(encoding="utf-8"), _CONTEXT)[0])


@cache
def _attack() -> AttackTable:
    return load_attack()
