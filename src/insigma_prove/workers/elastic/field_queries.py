"""What a search for a value in a field becomes in Lucene, type by type.

Source: MappedFieldType and its kinds of elastic/elasticsearch (server/.../index/mapper: StringFieldType, KeywordFieldMapper,
NumberFieldMapper, IpFieldMapper, BooleanFieldMapper, DateFieldMapper, TextFieldMapper), and common/lucene/search/AutomatonQueries.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from insigma_prove.workers.elastic.index import EXISTS
from insigma_prove.workers.elastic.jvm import Jvm
from insigma_prove.workers.elastic.mapping import Fields, FieldType
from insigma_prove.workers.elastic.values import (
    DECIMAL,
    WHOLE,
    Malformed,
    address,
    boolean,
    decimal_number,
    exact_number,
    milliseconds,
    network,
    single,
)

MOST_REGEXP = 1000
"""`index.max_regex_length`, in UTF-16 units."""
WORK_LIMIT = 10_000
"""The most states that an automaton may take while it is made deterministic (Operations.DEFAULT_DETERMINIZE_WORK_LIMIT)."""

_WILDCARDS = re.compile(r"(\\[^\n\r\u0085\u2028\u2029])|([?*]+)")
_REGEXP_SPECIAL = frozenset('\\.?+*|{}[]()"#@&<>~^$-')


class Unsuitable(Exception):
    """The field's type does not take this value or this kind of query."""


class FieldQueries:
    """Makes Lucene queries on fields."""

    def __init__(self, jvm: Jvm) -> None:
        self._jvm = jvm
        regexp = jvm.lucene("util.automaton.RegExp")
        self._all = int(regexp.ALL) | int(regexp.DEPRECATED_COMPLEMENT)
        self._ascii = int(regexp.ASCII_CASE_INSENSITIVE)

    def nothing(self) -> Any:
        return self._jvm.lucene("search.MatchNoDocsQuery")("nothing can match")

    def everything(self) -> Any:
        return self._jvm.lucene("search.MatchAllDocsQuery")()

    def all_of(self, queries: Sequence[Any]) -> Any:
        return self._bool(queries, "FILTER")

    def any_of(self, queries: Sequence[Any]) -> Any:
        return queries[0] if len(queries) == 1 else self._bool(queries, "SHOULD")

    def none_of(self, query: Any) -> Any:
        """Everything but what the query matches (BoolQueryBuilder's `adjust_pure_negative`)."""
        builder = self._jvm.lucene("search.BooleanQuery$Builder")()
        occur = self._jvm.lucene("search.BooleanClause$Occur")
        return builder.add(self.everything(), occur.FILTER).add(query, occur.MUST_NOT).build()

    def _bool(self, queries: Sequence[Any], occur: str) -> Any:
        builder = self._jvm.lucene("search.BooleanQuery$Builder")()
        for query in queries:
            builder.add(query, getattr(self._jvm.lucene("search.BooleanClause$Occur"), occur))
        return builder.build()

    def exists(self, fields: Fields, name: str) -> Any:
        """Documents with a value in the field, in a field below it, or in any that a pattern names (ExistsQueryBuilder)."""
        names = [name] if fields.find(name) is not None else [each for each in fields.by_name if each.startswith(f"{name}.")]
        if "*" in name:
            pattern = re.compile(".*".join(map(re.escape, name.split("*"))), re.DOTALL)
            names = [each for each in fields.by_name if pattern.fullmatch(each)]
        if not names:
            return self.nothing()
        return self.any_of([self._term_query(EXISTS, each) for each in names])

    def term(self, field: FieldType, value: Any) -> Any:
        """Documents in which a value of the field equals `value`, text or a number. Raises `Unsuitable`."""
        try:
            return self._term(field, value)
        except Malformed as error:
            raise Unsuitable(f"failed to create query: {error} (field [{field.name}] of type [{field.type}])") from error

    def _term(self, field: FieldType, value: Any) -> Any:
        text = value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
        if field.type in WHOLE:
            return self._whole_term(field, exact_number(text))
        if field.type in DECIMAL:
            return self._decimal_term(field, float(exact_number(text)))
        match field.type:
            case "keyword":
                return self._term_query(field.name, field.normalize(text))
            case "boolean":
                return self._term_query(field.name, "T" if boolean(text) else "F")
            case "ip":
                return self._ip_term(field.name, text)
            case "date":
                moment = milliseconds(text)
                return self._longs(field.name, moment, moment)
            case _:
                return self._text(field.name, text, phrase=False)

    def phrase(self, field: FieldType, text: str) -> Any:
        """A quoted text: on a text field its words in order, elsewhere a term. Raises `Unsuitable`."""
        return self._text(field.name, text, phrase=True) if field.type == "text" else self.term(field, text)

    def term_ignoring_case(self, field: FieldType, text: str) -> Any:
        """A term, ASCII letters of either case (TermQueryBuilder `case_insensitive`; up to 8.x only ASCII). Raises `Unsuitable`."""
        if field.type != "keyword":
            raise Unsuitable(f"[{field.name}] field which is of type [{field.type}], does not support case insensitive term queries")
        return self._regexp(field.name, "".join(map(_literal, field.normalize(text))), 0, self._ascii)

    def prefix(self, field: FieldType, text: str, *, ignore_case: bool = False) -> Any:
        """Documents in which a value begins with `text`. Raises `Unsuitable`."""
        start = self._folded(field, "prefix", text)
        if ignore_case:
            return self._regexp(field.name, "".join(map(_literal, start)) + ".*", 0, self._ascii)
        return self._jvm.lucene("search.PrefixQuery")(self._lucene_term(field.name, start))

    def wildcard(self, field: FieldType, pattern: str, *, ignore_case: bool = False) -> Any:
        """Documents in which a value matches the pattern of *, ? and backslashes. Raises `Unsuitable`, or Lucene's own error."""
        folded = "".join(
            piece if _WILDCARDS.fullmatch(piece) else self._folded(field, "wildcard", piece) for piece in _pieces(_WILDCARDS, pattern)
        )
        if ignore_case:
            return self._regexp(field.name, _regexp_of(folded), 0, self._ascii)
        return self._jvm.lucene("search.WildcardQuery")(self._lucene_term(field.name, folded))

    def regexp(self, field: FieldType, pattern: str, *, ignore_case: bool = False) -> Any:
        """Documents in which a whole value matches Lucene's regular expression. Raises `Unsuitable`, or Lucene's own error."""
        folded = self._folded(field, "regexp", pattern)
        return self._regexp(field.name, folded, self._all, self._ascii if ignore_case else 0)

    def fuzzy(self, field: FieldType, text: str, edits: int, prefix: int) -> Any:
        """Documents in which a value is that many edits away. Raises `Unsuitable`."""
        term = self._lucene_term(field.name, self._folded(field, "fuzzy", text))
        return self._jvm.lucene("search.FuzzyQuery")(term, edits, prefix)

    def range(self, field: FieldType, low: Any, high: Any, *, with_low: bool, with_high: bool) -> Any:
        """Documents with a value between the bounds, of which None is open. Raises `Unsuitable`."""
        try:
            return self._range(field, _text(low), _text(high), with_low, with_high)
        except Malformed as error:
            raise Unsuitable(f"failed to create query: {error} (field [{field.name}] of type [{field.type}])") from error

    def _range(self, field: FieldType, low: str | None, high: str | None, with_low: bool, with_high: bool) -> Any:
        if field.type in WHOLE:
            return self._whole_range(field, low, high, with_low, with_high)
        if field.type in DECIMAL:
            return self._decimal_range(field, low, high, with_low, with_high)
        match field.type:
            case "keyword" | "text":
                ends = [None if end is None else self._folded(field, "range", end) for end in (low, high)]
                return self._jvm.lucene("search.TermRangeQuery").newStringRange(field.name, ends[0], ends[1], with_low, with_high)
            case "date":
                return self._date_range(field.name, low, high, with_low, with_high)
            case "ip":
                return self._ip_range(field.name, low, high, with_low, with_high)
            case _:
                raise Unsuitable(f"Field [{field.name}] of type [{field.type}] does not support range queries")

    def _folded(self, field: FieldType, query: str, text: str) -> str:
        if field.type == "text":
            return text.lower()  # the standard analyzer's normalizer is its lowercase filter
        if field.type != "keyword":
            raise Unsuitable(
                f"Can only use {query} queries on keyword, text and wildcard fields - not on [{field.name}] which is of type [{field.type}]"
            )
        return field.normalize(text)

    def _lucene_term(self, name: str, text: str) -> Any:
        return self._jvm.lucene("index.Term")(name, text)

    def _term_query(self, name: str, text: str) -> Any:
        return self._jvm.lucene("search.TermQuery")(self._lucene_term(name, text))

    def _regexp(self, name: str, pattern: str, syntax: int, flags: int) -> Any:
        query = self._jvm.lucene("search.RegexpQuery")
        return query(
            self._lucene_term(name, pattern), syntax, flags, query.DEFAULT_PROVIDER, WORK_LIMIT, query.CONSTANT_SCORE_BLENDED_REWRITE
        )

    def _text(self, name: str, text: str, *, phrase: bool) -> Any:
        builder = self._jvm.lucene("util.QueryBuilder")(self._jvm.lucene("analysis.standard.StandardAnalyzer")())
        made = builder.createPhraseQuery(name, text) if phrase else builder.createBooleanQuery(name, text)
        return self.nothing() if made is None else made

    def _longs(self, name: str, low: int, high: int) -> Any:
        if low > high:
            return self.nothing()
        return self._jvm.lucene("document.LongPoint").newRangeQuery(name, self._jvm.long(low), self._jvm.long(high))

    def _whole_term(self, field: FieldType, value: Decimal) -> Any:
        if value != value.to_integral_value() or not -(2 ** (WHOLE[field.type] - 1)) <= value < 2 ** (WHOLE[field.type] - 1):
            return self.nothing()
        return self._longs(field.name, int(value), int(value))

    def _whole_range(self, field: FieldType, low: str | None, high: str | None, with_low: bool, with_high: bool) -> Any:
        """Bounds between two whole numbers are moved inwards (NumberType.LONG.rangeQuery)."""
        least, most = -(2 ** (WHOLE[field.type] - 1)), 2 ** (WHOLE[field.type] - 1) - 1
        if low is not None:
            bound = exact_number(low)
            least = max(least, math.floor(bound) + 1 if not with_low or bound != int(bound) else int(bound))
        if high is not None:
            bound = exact_number(high)
            most = min(most, math.ceil(bound) - 1 if not with_high or bound != int(bound) else int(bound))
        return self._longs(field.name, least, most)

    def _decimal_term(self, field: FieldType, value: float) -> Any:
        if not math.isfinite(single(value) if field.type == "float" else value):
            return self.nothing()
        if field.type == "float":
            return self._jvm.lucene("document.FloatPoint").newExactQuery(field.name, self._jvm.float(value))
        return self._jvm.lucene("document.DoublePoint").newExactQuery(field.name, self._jvm.double(value))

    def _decimal_range(self, field: FieldType, low: str | None, high: str | None, with_low: bool, with_high: bool) -> Any:
        """An open bound is infinity, an exclusive one the next number; for `float` both are rounded to one first."""
        point = self._jvm.lucene("document.FloatPoint" if field.type == "float" else "document.DoublePoint")
        number = self._jvm.float if field.type == "float" else self._jvm.double
        least, most = number(-math.inf), number(math.inf)
        if low is not None:
            least = number(decimal_number(field.type, low))
            least = least if with_low else point.nextUp(least)
        if high is not None:
            most = number(decimal_number(field.type, high))
            most = most if with_high else point.nextDown(most)
        return point.newRangeQuery(field.name, number(least), number(most))

    def _date_range(self, name: str, low: str | None, high: str | None, with_low: bool, with_high: bool) -> Any:
        """Dates of full precision; what leaves out parts would be rounded up by `gt` and `lte`, which is not modelled."""
        ends = []
        for end in (low, high):
            if end is not None and not re.fullmatch(r"-?\d{5,}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?", end, re.ASCII):
                raise Malformed(f"{end!r} is no date with a full time: rounding and date math are not modelled")
            ends.append(None if end is None else milliseconds(end))
        least = -(2**63) if ends[0] is None else ends[0] + (not with_low)
        most = 2**63 - 1 if ends[1] is None else ends[1] - (not with_high)
        return self._longs(name, least, most)

    def _ip_term(self, name: str, text: str) -> Any:
        point, inet = self._jvm.lucene("document.InetAddressPoint"), self._jvm.java("java.net.InetAddress")
        if "/" in text:
            base, length = network(text)
            return point.newPrefixQuery(name, inet.getByName(str(base)), length)
        return point.newExactQuery(name, inet.getByName(str(address(text))))

    def _ip_range(self, name: str, low: str | None, high: str | None, with_low: bool, with_high: bool) -> Any:
        point, inet = self._jvm.lucene("document.InetAddressPoint"), self._jvm.java("java.net.InetAddress")
        least = point.MIN_VALUE if low is None else inet.getByName(str(address(low)))
        most = point.MAX_VALUE if high is None else inet.getByName(str(address(high)))
        if low is not None and not with_low:
            least = point.nextUp(least)
        if high is not None and not with_high:
            most = point.nextDown(most)
        return point.newRangeQuery(name, least, most)


def _text(bound: Any) -> str | None:
    return None if bound is None else str(bound)


def _pieces(pattern: re.Pattern[str], text: str) -> list[str]:
    """The text cut at what the pattern matches, the matches among the pieces."""
    pieces, last = [], 0
    for found in pattern.finditer(text):
        pieces += [text[last : found.start()], found.group()]
        last = found.end()
    return [piece for piece in (*pieces, text[last:]) if piece]


def _literal(char: str) -> str:
    """The character in Lucene's regular expressions without optional syntax."""
    return "\\" + char if char in _REGEXP_SPECIAL else char


def _regexp_of(wildcard: str) -> str:
    """The wildcard pattern as a regular expression: a backslash takes the next character as it is, a last one is itself."""
    written, escaped = [], False
    for char in wildcard:
        if escaped or char not in "\\*?":
            written.append(_literal(char))
            escaped = False
        elif char == "\\":
            escaped = True
        else:
            written.append(".*" if char == "*" else ".")
    return "".join(written) + ("\\\\" if escaped else "")
