"""What changed beside the rules: profiles of customers, filters, mappings, the taxonomy, adapters, and layout."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from insigma.content.pack import PACK_FILE
from insigma.content.yaml_reader import Document
from insigma.diff.data import changes, same
from insigma.diff.model import FileDiff, Kind
from insigma.diff.sides import Side

_PARTS = {
    "mappings/tenants/": "tenant",
    "mappings/targets/": "mapping",
    "mappings/taxonomy/": "taxonomy",
    "mappings/products/": "adapter",
    "tests/fixtures/": "fixture",
}
_Place = tuple[str, int]


def file_changes(base: Side, head: Side, known: Collection[str]) -> tuple[FileDiff, ...]:
    """The files, by path. `known` are the names of rules that are compared: their fixtures are told of with them."""
    was, now = (_beside(side, known) for side in (base, head))
    found: list[FileDiff] = []
    for path, number in sorted({*was, *now}):
        old, new = was.get((path, number)), now.get((path, number))
        if old is None and new is not None and path not in base.spared:
            found.append(FileDiff(_kind(path, base, Kind.ADDED), _what(path, new), _name(path, new), path))
        elif new is None and old is not None:
            found.append(FileDiff(_kind(path, head, Kind.REMOVED), _what(path, old), _name(path, old), path))
        elif old is not None and new is not None and (changed := changes(old, new)):
            found.append(FileDiff(Kind.CHANGED, _what(path, new), _name(path, new), path, changed))
    return tuple(found)


def _kind(path: str, side: Side, otherwise: Kind) -> Kind:
    """A file that the other side holds and that gave nothing could not be read there."""
    return Kind.UNREADABLE if path in side.contents or path in side.faulty else otherwise


def _beside(side: Side, known: Collection[str]) -> Mapping[_Place, Document]:
    """The documents that are neither rules nor fixtures of known rules, by path and number in the file."""
    return {
        place: document for place, document in _documents(side) if not _is_rule(document, side) and not _of_rule(place[0], document, known)
    }


def _documents(side: Side) -> Iterator[tuple[_Place, Document]]:
    numbers: dict[str, int] = {}
    for document in side.pack.documents:
        path = side.pack.relative(document.path)
        numbers[path] = numbers.get(path, 0) + 1
        yield (path, numbers[path]), document


def _is_rule(document: Document, side: Side) -> bool:
    return "filter" not in document.data and any(document is rule for rule in side.pack.rule_documents)


def _of_rule(path: str, document: Document, known: Collection[str]) -> bool:
    return path.startswith("tests/fixtures/") and document.data.get("rule") in known


def _what(path: str, document: Document) -> str:
    if "filter" in document.data and path.startswith("rules/"):
        return "filter"
    return next((what for part, what in _PARTS.items() if path.startswith(part)), "pack" if path == PACK_FILE else "other")


def _name(path: str, document: Document) -> str:
    """What people call it: a profile by its customer, a filter by its title, others by their path."""
    head = document.data.get("tenant")
    if isinstance(head, dict) and isinstance(head.get("id"), str) and path.startswith("mappings/tenants/"):
        return str(head["id"])
    title = document.data.get("title")
    return title if "filter" in document.data and isinstance(title, str) else path


def layout_changes(base: Side, head: Side) -> tuple[str, ...]:
    """Files whose bytes changed and whose data did not: comments, order of keys, quotes."""
    was, now = _data(base), _data(head)
    common = [path for path in sorted(was) if path in now and path in base.contents and path in head.contents]
    return tuple(path for path in common if base.contents[path] != head.contents[path] and same(was[path], now[path]))


def _data(side: Side) -> Mapping[str, list[object]]:
    found: dict[str, list[object]] = {}
    for (path, _), document in _documents(side):
        found.setdefault(path, []).append(document.data)
    return found
