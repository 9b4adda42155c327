"""Documents in a Lucene index in memory, and the same values as columns for ES|QL.

What is indexed follows the field types of Elasticsearch: a keyword as one term, numbers, dates and addresses as points, text
analysed; beside them the names of the fields that have a value, for `exists` (FieldNamesFieldMapper). Columns are what doc
values keep: a keyword's and an address's distinct values in order, a number's values in order ("doc_values"; SortedSet- and
SortedNumericDocValues), and a text as its source has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from insigma_prove.workers.elastic.jvm import Jvm
from insigma_prove.workers.elastic.mapping import LONGEST_TERM, Fields, FieldType, leaves, with_dynamic
from insigma_prove.workers.elastic.values import Malformed, Stored, sixteen_bytes, stored_value

EXISTS = "_field_names"
Row = dict[str, tuple[Stored, ...]]
"""The values of one document, field by field, in the order of doc values; a field without a value is not there."""


class Store:
    """The documents of one store. Positions are those of the events as they came."""

    def __init__(self, jvm: Jvm, declared: Fields, events: Sequence[Mapping[str, Any]]) -> None:
        """Raises ValueError for a document that Elasticsearch would reject."""
        documents = [[(name, value) for name, value in leaves(event) if name != "_index"] for event in events]
        self.jvm = jvm
        self.fields = with_dynamic(declared, documents)
        self.indices = tuple(str(event.get("_index", "")) for event in events)
        self._targets = self.fields.targets()
        values = [self._values(position, document) for position, document in enumerate(documents)]
        self.rows: tuple[Row, ...] = tuple(map(self._row, values))
        self._searcher = self._indexed(values)

    def _values(self, position: int, document: Sequence[tuple[str, Any]]) -> dict[str, list[Stored]]:
        found: dict[str, list[Stored]] = {}
        for name, value in document:
            for target in self._targets.get(name, ()):
                try:
                    stored = stored_value(target.type, value)
                except Malformed as error:
                    if target.ignore_malformed:
                        continue
                    raise ValueError(f"event {position}: failed to parse field [{target.name}] of type [{target.type}]: {error}") from error
                kept = _kept(target, stored)
                if kept is not None:
                    found.setdefault(target.name, []).append(kept)
        return found

    def _row(self, values: Mapping[str, Sequence[Stored]]) -> Row:
        return {name: _doc_values(self.fields.by_name[name].type, found) for name, found in values.items()}

    def _indexed(self, values: Sequence[Mapping[str, Sequence[Stored]]]) -> Any:
        lucene = self.jvm.lucene
        directory = lucene("store.ByteBuffersDirectory")()
        config = lucene("index.IndexWriterConfig")(lucene("analysis.standard.StandardAnalyzer")())
        config.setMergePolicy(lucene("index.NoMergePolicy").INSTANCE)  # merging could change the order of the documents
        writer = lucene("index.IndexWriter")(directory, config)
        for each in values:
            writer.addDocument(self._document(each))
        writer.close()
        if not values:
            return None
        return lucene("search.IndexSearcher")(lucene("index.DirectoryReader").open(directory))

    def _document(self, values: Mapping[str, Sequence[Stored]]) -> Any:
        lucene = self.jvm.lucene
        unstored = lucene("document.Field$Store").NO
        document = lucene("document.Document")()
        for name, found in values.items():
            kind = self.fields.by_name[name].type
            for value in found:
                document.add(self._indexable(name, kind, value, unstored))
            document.add(lucene("document.StringField")(EXISTS, name, unstored))
        return document

    def _indexable(self, name: str, kind: str, value: Any, unstored: Any) -> Any:
        lucene = self.jvm.lucene
        match kind:
            case "keyword":
                return lucene("document.StringField")(name, value, unstored)
            case "text":
                return lucene("document.TextField")(name, value, unstored)
            case "boolean":
                return lucene("document.StringField")(name, "T" if value else "F", unstored)
            case "double":
                return lucene("document.DoublePoint")(name, [self.jvm.double(value)])
            case "float":
                return lucene("document.FloatPoint")(name, [self.jvm.float(value)])
            case "ip":
                return lucene("document.InetAddressPoint")(name, self.jvm.java("java.net.InetAddress").getByName(str(value)))
            case _:
                return lucene("document.LongPoint")(name, [self.jvm.long(value)])

    def visible(self, patterns: str | None, earliest: int | None, latest: int | None) -> frozenset[int]:
        """The positions of the events of those indices whose @timestamp is in the closed range (milliseconds)."""
        return frozenset(
            position
            for position, row in enumerate(self.rows)
            if matches_index(self.indices[position], patterns) and _in_range(row.get("@timestamp", ()), earliest, latest)
        )

    def search(self, query: Any) -> tuple[int, ...]:
        """The positions of the documents that the Lucene query matches, ascending."""
        if self._searcher is None:
            return ()
        constant = self.jvm.lucene("search.ConstantScoreQuery")(query)
        hits = self._searcher.search(constant, max(1, len(self.rows))).scoreDocs
        return tuple(sorted(int(hit.doc) for hit in hits))


def _kept(target: FieldType, stored: Stored) -> Stored | None:
    """The value after `ignore_above` and the normalizer; None where it is ignored. Lengths are those of Java: UTF-16 units."""
    if target.type != "keyword":
        return stored
    text = str(stored)
    if target.ignore_above is not None and len(text.encode("utf-16-le")) // 2 > target.ignore_above:
        return None
    folded = target.normalize(text)
    if len(folded.encode("utf-8")) > LONGEST_TERM:
        raise ValueError(f"field [{target.name}] contains at least one immense term, longer than {LONGEST_TERM} bytes")
    return folded


def _doc_values(kind: str, values: Sequence[Any]) -> tuple[Stored, ...]:
    match kind:
        case "keyword":
            return tuple(sorted(set(values), key=lambda text: text.encode("utf-8")))
        case "ip":
            return tuple(sorted(set(values), key=sixteen_bytes))
        case "text":
            return tuple(values)
        case _:
            return tuple(sorted(values))


def _in_range(moments: tuple[Any, ...], earliest: int | None, latest: int | None) -> bool:
    if earliest is None and latest is None:
        return True
    return any((earliest is None or earliest <= moment) and (latest is None or moment <= latest) for moment in moments)


def matches_index(index: str, patterns: str | None) -> bool:
    """Whether comma-separated patterns name the index; one that begins with - takes away from those before it ("Multi-target syntax")."""
    if patterns is None:
        return True
    named = False
    for pattern in (part.strip() for part in patterns.split(",")):
        excluded = named and pattern.startswith("-")
        wanted = pattern[1:] if excluded else pattern
        if wanted == "_all" or fnmatchcase(index, wanted.replace("[", "[[]").replace("?", "[?]")):
            named = not excluded
    return named
