"""Elasticsearch's `query_string` query, as Kibana's query rules send it (no default field, default options).

Lucene's classic parser reads the text; its tree is mapped to the store's fields as QueryStringQueryParser does it
(elastic/elasticsearch, server/.../index/search). What is easily overlooked there:

- a group that only excludes matches everything else, at every depth (`getBooleanQuery`, Queries.fixNegativeQueryIfNeeded),
- without a default field the query is lenient: a clause that a field's type does not take, and a regular expression that
  does not parse, match nothing, in silence (QueryStringQueryBuilder.doToQuery). Here each leaves a warning,
- a field that nothing maps matches nothing, in silence: a warning here too,
- an unquoted term that begins with < or > is a range (`getFieldQuery`), however it was escaped,
- `field:*` is `exists`; a wildcard's literal pieces are normalized, a character after a backslash is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from insigma_prove.workers.elastic.field_queries import MOST_REGEXP, FieldQueries, Unsuitable
from insigma_prove.workers.elastic.jvm import Jvm
from insigma_prove.workers.elastic.mapping import Fields, FieldType
from insigma_prove.workers.elastic.query_lexer import MarkedQuery, marked_query
from insigma_prove.workers.serve import QueryFault

LENIENT = "lenient: "
"""How the warning of a clause begins that would be an error if the query were not lenient."""
_DEFAULT = "\ue000default"
"""The name that the parser gives to terms without a field."""
_EXISTS = "_exists_"
_COMPARISON = re.compile(r"(>=|<=|>|<)(.+)", re.DOTALL)


def query_string(jvm: Jvm, fields: Fields, query: str, warnings: list[str]) -> Any:
    """The Lucene query that the text means on these fields. Warnings are added to the list. Raises `QueryFault`."""
    mapper = _Mapper(jvm, fields, warnings)
    if not query.strip():
        return mapper.make.nothing()
    try:
        marked = marked_query(jvm, query)
        parser = jvm.lucene("queryparser.classic.QueryParser")(_DEFAULT, jvm.lucene("analysis.core.KeywordAnalyzer")())
        parser.setAllowLeadingWildcard(True)
        tree = parser.parse(marked.text)
    except jvm.error as error:
        raise QueryFault("parse", f"Failed to parse query: {error}") from error
    try:
        return mapper.mapped(tree, marked)
    except jvm.error as error:
        raise QueryFault("run", f"failed to create query: {error}") from error


class _Mapper:
    def __init__(self, jvm: Jvm, fields: Fields, warnings: list[str]) -> None:
        self.make = FieldQueries(jvm)
        self._jvm = jvm
        self._fields = fields
        self._warnings = warnings

    def mapped(self, query: Any, marked: MarkedQuery) -> Any:
        """One node of the parser's tree."""
        match str(query.getClass().getSimpleName()):
            case "BooleanQuery":
                return self._boolean(query, marked)
            case "BoostQuery":
                return self.mapped(query.getQuery(), marked)
            case "TermQuery":
                return self._term(str(query.getTerm().field()), str(query.getTerm().text()), marked)
            case "PrefixQuery":
                prefix = query.getPrefix()
                text = str(prefix.text())
                return self._each(str(prefix.field()), lambda field: self.make.prefix(field, text))
            case "WildcardQuery":
                text = str(query.getTerm().text())
                return self._wildcard(str(query.getTerm().field()), text if text == "*" else marked.pattern(text))
            case "RegexpQuery":
                return self._regexp(str(query.getRegexp().field()), marked.pattern(query.getRegexp().text()))
            case "TermRangeQuery":
                low, high = (None if end is None else str(end.utf8ToString()) for end in (query.getLowerTerm(), query.getUpperTerm()))
                return self._range(str(query.getField()), low, high, bool(query.includesLower()), bool(query.includesUpper()))
            case "FuzzyQuery":
                term, edits, prefix = query.getTerm(), int(query.getMaxEdits()), int(query.getPrefixLength())
                return self._each(str(term.field()), lambda field: self.make.fuzzy(field, str(term.text()), edits, prefix))
            case "MatchAllDocsQuery" | "MatchNoDocsQuery":
                return query
            case other:
                raise QueryFault("unsupported", f"a {other} in a query string is not modelled")

    def _boolean(self, query: Any, marked: MarkedQuery) -> Any:
        occur = self._jvm.lucene("search.BooleanClause$Occur")
        builder = self._jvm.lucene("search.BooleanQuery$Builder")()
        only_excludes = True
        for clause in query.clauses():
            builder.add(self.mapped(clause.query(), marked), clause.occur())
            only_excludes &= bool(clause.occur() == occur.MUST_NOT)
        if only_excludes:
            builder.add(self.make.everything(), occur.FILTER)
        return builder.build()

    def _term(self, name: str, text: str, marked: MarkedQuery) -> Any:
        quoted = text.startswith(marked.mark)
        text = text.removeprefix(marked.mark)
        if name == _EXISTS:
            return self._exists(text)
        if quoted:
            return self._each(name, lambda field: self.make.phrase(field, text))
        if name != _DEFAULT and (comparison := _COMPARISON.fullmatch(text)):
            return self._compared(name, *comparison.groups())
        return self._each(name, lambda field: self.make.term(field, text))

    def _compared(self, name: str, operator: str, bound: str) -> Any:
        if operator.startswith(">"):
            return self._range(name, bound, None, operator == ">=", True)
        return self._range(name, None, bound, True, operator == "<=")

    def _range(self, name: str, low: str | None, high: str | None, with_low: bool, with_high: bool) -> Any:
        ends = (None if low == "*" else low, None if high == "*" else high)
        return self._each(name, lambda field: self.make.range(field, ends[0], ends[1], with_low=with_low, with_high=with_high))

    def _wildcard(self, name: str, pattern: str) -> Any:
        if pattern == "*":
            return self.make.everything() if name in (_DEFAULT, "*") else self._exists(name)
        return self._each(name, lambda field: self.make.wildcard(field, pattern))

    def _regexp(self, name: str, pattern: str) -> Any:
        if (length := len(pattern.encode("utf-16-le")) // 2) > MOST_REGEXP:
            raise QueryFault("run", f"The length of regex [{length}] used in the [query_string] has exceeded the allowed maximum of [1000]")
        return self._each(name, lambda field: self.make.regexp(field, pattern))

    def _exists(self, name: str) -> Any:
        query = self.make.exists(self._fields, name)
        if str(query.getClass().getSimpleName()) == "MatchNoDocsQuery":
            self._warnings.append(f"no mapping for [{name}]: _exists_ matches nothing")
        return query

    def _each(self, name: str, make: Callable[[FieldType], Any]) -> Any:
        """The query on every field that the name stands for, each leniently."""
        found = self._named(name)
        if not found:
            self._warnings.append(f"no mapping for [{name}]: the clause matches nothing")
            return self.make.nothing()
        quiet = len(found) > 1
        return self.make.any_of([self._lenient(field, make, quiet) for field in found])

    def _named(self, name: str) -> list[FieldType]:
        if name == _DEFAULT:
            return list(self._fields.by_name.values())
        if "*" in name:
            pattern = re.compile(".*".join(map(re.escape, name.split("*"))), re.DOTALL)
            return [field for each, field in self._fields.by_name.items() if pattern.fullmatch(each)]
        field = self._fields.find(name)
        return [] if field is None else [field]

    def _lenient(self, field: FieldType, make: Callable[[FieldType], Any], quiet: bool) -> Any:
        try:
            return make(field)
        except (Unsuitable, self._jvm.error) as error:
            if not quiet:
                self._warnings.append(f"{LENIENT}{error}: the clause matches nothing")
            return self.make.nothing()
