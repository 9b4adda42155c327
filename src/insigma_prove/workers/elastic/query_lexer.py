"""Marks in a query string what Lucene's parser forgets: which terms were quoted; and takes its patterns out of its hands.

Elasticsearch's QueryStringQueryParser overrides methods of Lucene's classic parser. Here the classic parser runs as it is and
its tree is mapped afterwards, so what those methods are told must be readable from the tree. The parser would also build each
pattern's automaton at once and fail where Elasticsearch is lenient. Lucene's own lexer finds the places.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from insigma_prove.workers.elastic.jvm import Jvm

_CLASSIC = "queryparser.classic.QueryParser"


@dataclass(frozen=True, slots=True)
class MarkedQuery:
    """The query with `mark` at the beginning of every quoted term, and a number in place of every pattern: /0/ or *1*."""

    text: str
    mark: str
    patterns: tuple[str, ...]

    def pattern(self, number: Any) -> str:
        """The regular expression or wildcard term of that number, as it was written."""
        return self.patterns[int(str(number).strip("*"))]


def marked_query(jvm: Jvm, query: str) -> MarkedQuery:
    """Raises Java's TokenMgrError for a character that begins no token."""
    kinds = jvm.lucene(f"{_CLASSIC}Constants")
    reader = jvm.lucene("queryparser.charstream.FastCharStream")(jvm.java("java.io.StringReader")(query))
    lexer = jvm.lucene(f"{_CLASSIC}TokenManager")(reader)
    mark = next(char for char in map(chr, range(0xE000, 0xF8FF)) if char not in query)
    units = query.encode("utf-16-le")
    pieces: list[str] = []
    patterns: list[str] = []
    last = 0
    while (token := lexer.getNextToken()).kind != kinds.EOF:
        begin, end = int(token.beginColumn), int(token.endColumn)
        if token.kind == kinds.QUOTED:
            pieces.append(_slice(units, last, begin + 1) + mark)
            last = begin + 1
        elif token.kind == kinds.REGEXPTERM:
            pieces.append(f"{_slice(units, last, begin)}/{len(patterns)}/")
            patterns.append(_slice(units, begin + 1, end - 1))
            last = end
        elif token.kind == kinds.WILDTERM:
            pieces.append(f"{_slice(units, last, begin)}*{len(patterns)}*")
            patterns.append(_slice(units, begin, end))
            last = end
    pieces.append(_slice(units, last, len(units) // 2))
    return MarkedQuery("".join(pieces), mark, tuple(patterns))


def _slice(units: bytes, begin: int, end: int) -> str:
    return units[2 * begin : 2 * end].decode("utf-16-le")
