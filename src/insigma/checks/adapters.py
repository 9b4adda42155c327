"""What the checks of adapters have in common. Not a check."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from insigma.checks.base import Context
from insigma.content.model import Taxonomy, TaxonomyLogSource
from insigma.content.products import FOLDER, Binding, FieldBinding, ProductMapping, read_product
from insigma.content.yaml_reader import Document, Key
from insigma.diagnostics.model import Place


@dataclass(frozen=True, slots=True)
class Found:
    """A binding of an adapter with its log source (None where the taxonomy has none of that name) and its place in the file."""

    mapping: ProductMapping
    binding: Binding
    source: TaxonomyLogSource | None
    key: Key

    @property
    def document(self) -> Document:
        return self.mapping.document

    def place(self, *below: str | int) -> Place:
        return self.document.place(*self.key, *below)

    def key_place(self, *below: str | int) -> Place:
        return self.document.key_place(*self.key, *below)


def adapters(context: Context) -> Iterator[ProductMapping]:
    """The adapters of a pack that could be read."""
    for document in context.pack.documents if context.in_pack else ():
        if context.pack.relative(document.path).startswith(f"{FOLDER}/"):
            mapping = read_product(document)[0]
            if mapping is not None:
                yield mapping


def bindings(context: Context) -> Iterator[Found]:
    """Every binding of every adapter."""
    for mapping in adapters(context):
        written: list[Any] = mapping.document.data["bindings"]
        names = [entry.get("name") if isinstance(entry, dict) else None for entry in written]
        for binding in mapping.bindings:
            source = context.pack.taxonomy.logsources.get(binding.logsource)
            yield Found(mapping, binding, source, ("bindings", names.index(binding.name)))


def carried(found: Found, taxonomy: Taxonomy) -> Iterator[FieldBinding]:
    """The fields that the binding fills and that its log source carries."""
    if found.source is not None:
        yield from (bound for bound in found.binding.fields if bound.name in found.source.fields and bound.name in taxonomy.fields)
