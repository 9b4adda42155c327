"""A pack, or loose rules, from disk.

`find_root` looks for `insigma.yml` from a path upwards. `load_pack` reads everything in a pack; `load_loose` reads rules
anywhere, against the taxonomy of the pack that the program carries. Both give all faults of all files.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from insigma.content.assemble import assemble
from insigma.content.context import NO_CONTEXT, ContextCatalogue, read_context
from insigma.content.files import Finder, shown_path
from insigma.content.fixtures import read_fixture
from insigma.content.lists import DEFAULT_TENANT
from insigma.content.mappings import read_mapping
from insigma.content.model import Fixture, Pack, TargetMapping, Taxonomy
from insigma.content.products import FOLDER, read_product
from insigma.content.profiles import read_tenant
from insigma.content.taxonomy import read_taxonomy
from insigma.content.tenants import Tenant
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic, Place

PACK_FILE = "insigma.yml"
TAXONOMY = Path("mappings", "taxonomy")
CONTEXT = TAXONOMY / "context.yml"
SCENARIOS = "tests/fixtures/scenarios"
"""Whole days over all rules, which the pack's own tests read: no fixtures of one rule."""

BUNDLED = "insurance"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A pack and what was wrong on the way."""

    pack: Pack
    diagnostics: tuple[Diagnostic, ...]


def find_root(path: Path) -> Path | None:
    """The nearest folder at or above `path` that holds a pack."""
    start = Path(os.path.abspath(path))  # noqa: PTH100 - `..` is taken out, links are not followed
    return next((folder for folder in (start, *start.parents) if (folder / PACK_FILE).is_file()), None)


def bundled_root() -> Path:
    """The pack that the program carries: in the wheel beside the code, in a checkout the repository itself."""
    package = Path(__file__).resolve().parent.parent
    carried = package / "pack"
    return carried if (carried / PACK_FILE).is_file() else package.parent.parent


def load_pack(root: Path) -> Loaded:
    """Read the pack at `root`."""
    return _Loader(root, Finder(root)).load()


def load_products(root: Path) -> Loaded:
    """The taxonomy and the adapters of the pack at `root`, and those of the pack that it extends: no rules, no fixtures."""
    return _Loader(root, Finder(root)).load_products()


def load_loose(paths: Sequence[Path], taxonomy_root: Path) -> Loaded:
    """Read rules below the paths (files of any suffix, folders by suffix) that belong to no pack, each file once."""
    diagnostics: list[Diagnostic] = []
    documents: list[Document] = []
    met: set[str] = set()
    for path in paths:
        finder = Finder(path if path.is_dir() else path.parent)
        for file in finder.files(path) if path.is_dir() else (path,):
            if shown_path(file) not in met:
                met.add(shown_path(file))
                documents.extend(finder.read(file).documents)
        diagnostics.extend(finder.found)
    taxonomy_loader = _Loader(taxonomy_root, Finder(taxonomy_root))
    taxonomy = taxonomy_loader.taxonomy()
    mappings, tenants = taxonomy_loader.mappings(), taxonomy_loader.tenants()
    assembled = assemble(documents)
    pack = Pack("", "", "", taxonomy, assembled.rules, assembled.filters, (), mappings, tenants, tuple(documents), tuple(documents))
    return Loaded(pack, (*diagnostics, *assembled.diagnostics))


class _Loader:
    """Reads the parts of one pack; `finder.found` and `found` gather the faults."""

    def __init__(self, root: Path, finder: Finder) -> None:
        self._root = root
        self._finder = finder
        self._found: list[Diagnostic] = []
        self._others: list[Document] = []

    def load(self) -> Loaded:
        head = self._single(self._root / PACK_FILE)
        rule_documents = tuple(self._documents("rules"))
        base = self._extended(head)
        taxonomy = self.taxonomy() if base is None or (self._root / TAXONOMY).is_dir() else base.taxonomy()
        mappings, tenants = self.mappings(), self.tenants()
        if base is not None:
            mappings = MappingProxyType({**base.mappings(), **mappings})
            example = {name: tenant for name, tenant in base.tenants().items() if name == DEFAULT_TENANT}
            tenants = MappingProxyType({**example, **tenants})  # customers are one's own, the frame is the pack's
        self._products()
        fixtures = (*(base._fixtures() if base is not None else ()), *self._fixtures())
        assembled = assemble((*(base._documents("rules") if base is not None else ()), *rule_documents))
        name, version = (str(head.data.get(key, "")) if head is not None else "" for key in ("name", "version"))
        context = self._context() if base is None or (self._root / CONTEXT).is_file() else base._context()
        pack = Pack(
            root=shown_path(self._root),
            name=name,
            version=version,
            taxonomy=taxonomy,
            rules=assembled.rules,
            filters=assembled.filters,
            fixtures=fixtures,
            mappings=mappings,
            tenants=tenants,
            documents=(*rule_documents, *self._others),
            rule_documents=rule_documents,
            base_root=shown_path(base._root) if base is not None else "",
            context=context,
        )
        below = (*base._finder.found, *base._found) if base is not None else ()
        return Loaded(pack, (*self._finder.found, *self._found, *below, *assembled.diagnostics))

    def _extended(self, head: Document | None) -> _Loader | None:
        """The reader of the pack that this one extends: the one that the program carries."""
        extends = head.data.get("extends") if head is not None else None
        if not isinstance(extends, list) or not extends or bundled_root().resolve() == self._root.resolve():
            return None
        for index, name in enumerate(extends):
            if name != BUNDLED and head is not None:
                message = f"the pack '{name}' is not known"
                self._found.append(Diagnostic(head.place("extends", index), "INS509", message, f"only '{BUNDLED}' can be extended"))
        return _Loader(bundled_root(), Finder(bundled_root())) if BUNDLED in extends else None

    def _documents(self, folder: str) -> list[Document]:
        where = self._root / folder
        if not where.is_dir():
            return []
        paths = (path for path in self._finder.files(where) if not path.is_relative_to(self._root / SCENARIOS))
        return [document for path in paths for document in self._finder.read(path).documents]

    def _single(self, path: Path) -> Document | None:
        if not path.is_file():
            message, hint = f"the pack has no {path.name}", f"write 'extends: [{BUNDLED}]' in {PACK_FILE} to use that of the pack {BUNDLED}"
            self._found.append(Diagnostic(Place(shown_path(path)), "INS001", message, hint))
            return None
        documents = self._finder.read(path).documents if self._finder.inside(path) else ()
        self._others.extend(documents)
        return documents[0] if documents else None

    def taxonomy(self) -> Taxonomy:
        folder = self._root / TAXONOMY
        fields, logsources = self._single(folder / "fields.yml"), self._single(folder / "logsources.yml")
        if fields is None or logsources is None:
            return Taxonomy("", "", MappingProxyType({}), MappingProxyType({}))
        taxonomy, faults = read_taxonomy(fields, logsources)
        self._found.extend(faults)
        return taxonomy

    def mappings(self) -> Mapping[str, TargetMapping]:
        found: dict[str, TargetMapping] = {}
        for document in self._kept("mappings/targets"):
            mapping, faults = read_mapping(document)
            self._found.extend(faults)
            found.setdefault(mapping.target, mapping)
        return MappingProxyType(found)

    def tenants(self) -> Mapping[str, Tenant]:
        found: dict[str, Tenant] = {}
        for document in self._kept("mappings/tenants"):
            tenant, faults = read_tenant(document)
            self._found.extend(faults)
            if tenant is not None:
                found.setdefault(tenant.id, tenant)
        return MappingProxyType(found)

    def _context(self) -> ContextCatalogue:
        """Tables and flags; none where the pack has no such file."""
        document = self._single(self._root / CONTEXT) if (self._root / CONTEXT).is_file() else None
        return read_context(document) if document is not None else NO_CONTEXT

    def _products(self) -> None:
        """Adapters stay documents: nothing in a pack but themselves reads them."""
        for document in self._kept(FOLDER):
            self._found.extend(read_product(document)[1])

    def load_products(self) -> Loaded:
        head = self._single(self._root / PACK_FILE)
        base = self._extended(head)
        taxonomy = self.taxonomy() if base is None or (self._root / TAXONOMY).is_dir() else base.taxonomy()
        self._others.clear()
        self._products()
        if base is not None:
            base._products()
        documents = (*self._others, *(base._others if base is not None else ()))
        pack = Pack(shown_path(self._root), "", "", taxonomy, (), (), (), {}, {}, documents, ())
        return Loaded(pack, (*self._finder.found, *self._found))

    def _fixtures(self) -> tuple[Fixture, ...]:
        found: list[Fixture] = []
        for document in self._kept("tests/fixtures"):
            fixture, faults = read_fixture(document)
            self._found.extend(faults)
            if fixture is not None:
                found.append(fixture)
        return tuple(found)

    def _kept(self, folder: str) -> list[Document]:
        documents = self._documents(folder)
        self._others.extend(documents)
        return documents
