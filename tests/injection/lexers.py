"""What a query is made of, by the lexical rules of each language as its vendor states them, not as our emitters write them.

Each lexer gives the tokens of a query with every literal and name reduced to its kind. Two queries of one shape differ in nothing
but the text inside of their literals. A text that no token fits is a fault of the query.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

Shape = tuple[str, ...]


class NoToken(Exception):
    """Where a query cannot be cut into tokens."""


def _lexer(*kinds: tuple[str, str]) -> Callable[[str], Shape]:
    """A lexer of (kind, expression) pairs, tried in order; kind "" is left out, "=" stands for itself."""
    token = re.compile("|".join(f"(?P<k{number}>{expression})" for number, (_, expression) in enumerate(kinds)), re.DOTALL)

    def shape(query: str) -> Shape:
        found: list[str] = []
        at = 0
        while at < len(query):
            match = token.match(query, at)
            if match is None or match.end() == at:
                raise NoToken(f"at {at}: {query[at : at + 40]!r}")
            kind = kinds[int(str(match.lastgroup)[1:])][0]
            if kind:
                found.append(match[0].lower() if kind == "=" else kind)
            at = match.end()
        return tuple(found)

    return shape


_SPACE = ("", r"[ \t\r\n]+")
_NUMBER = ("number", r"(?<![\w.])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])")

lucene = _lexer(
    # Classic query parser, QueryParser.jj: a term is of characters that are no syntax, or escaped; a blank ends it.
    ("", r"[ \t\r\n\u3000]+"),
    ("text", r'"(?:\\.|[^"\\])*"'),
    ("regex", r"/(?:\\/|[^/])*/"),
    ("=", r"(?:AND|OR|NOT|TO)(?![^ \t\r\n\u3000()\[\]{}\":^~])"),
    ("=", r"&&|\|\||[-+!](?=[^ ])|[()\[\]{}:^~]|[<>]=?"),
    ("term", r'(?:\\.|[^ \t\r\n\u3000+\-!()\[\]{}:^"~\\/])(?:\\.|[^ \t\r\n\u3000!()\[\]{}:^"~\\/])*'),
)
eql = _lexer(
    # EQL syntax reference, "Strings": escapes in quotes, none in three quotes; identifiers in backquotes.
    _SPACE,
    ("", r"//[^\n]*|/\*.*?\*/"),
    ("text", r'"""(?:(?!""").)*""""{0,2}|"(?:\\.|[^"\\\n])*"'),
    ("name", r"\??`(?:``|[^`])*`"),
    ("=", r"(?i:any|where|and|or|not|in|like|regex|sequence|by|with|maxspan|runs|until|cidrMatch|null|true|false)\b~?"),
    ("number", r"-?\d+(?:\.\d+)?(?:ms|[smhd])?\b"),
    ("name", r"\??[A-Za-z_@][\w.@-]*"),
    ("=", r"[=!<>]=|[:<>=,()\[\]|~]"),
)
esql = _lexer(
    # ES|QL syntax reference, "Literals" and "Identifiers".
    _SPACE,
    ("", r"//[^\n]*|/\*.*?\*/"),
    ("text", r'"""(?:(?!""").)*""""{0,2}|"(?:\\.|[^"\\\r\n])*"'),
    ("name", r"`(?:``|[^`])*`"),
    ("=", r"(?i:FROM|METADATA|WHERE|EVAL|STATS|BY|SORT|LIMIT|KEEP|DROP|DESC|ASC|AND|OR|NOT|IN|LIKE|RLIKE|IS|NULL|MV_EXPAND|TRUE|FALSE)\b"),
    _NUMBER,
    ("name", r"[A-Za-z_@][\w.@*-]*"),
    ("=", r"[=!<>]=|::|[|<>=,()\[\]*/%+-]"),
)
spl = _lexer(
    # Search Manual: quotes with backslash escapes; field names of eval in single quotes; a backquote starts a macro, a
    # square bracket a subsearch, $..$ a token: none of them stands outside of quotes in what we write.
    _SPACE,
    ("text", r'"(?:\\.|[^"\\])*"'),
    ("name", r"'[^'\\|\n\"]*'"),
    _NUMBER,
    ("name", r"[A-Za-z_@][\w.:@{}*-]*"),
    ("=", r"[!=<>]=|[|<>=,()+*/%.-]"),
)
kql = _lexer(
    # KQL reference, "The string data type", "Identifiers", "Comments"; keywords are in lower case only.
    _SPACE,
    ("", r"//[^\n]*"),
    ("text", r'[hH]?(?:@"(?:""|[^"\r\n])*"|@\'(?:\'\'|[^\'\r\n])*\'|"(?:\\.|[^"\\\r\n])*"|\'(?:\\.|[^\'\\\r\n])*\'|```.*?```|~~~.*?~~~)'),
    ("name", r"\[(?:\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')\]"),
    ("number", r"\d+(?:\.\d+)?(?:ms|[smhd])?\b"),
    (
        "=",
        r"(?:where|project|extend|summarize|by|and|or|not|in|has|contains|startswith|endswith|matches|regex|let|union|sort|order|asc|desc)\b~?",
    ),
    ("name", r"[A-Za-z_$][\w]*"),
    ("=", r"[!=<>]~|[!=<>]=|=>|\.\.|[|<>=,()\[\]{}*/%+;:.!-]"),
)

LEXERS: Mapping[str, Callable[[str], Shape]] = {"lucene": lucene, "eql": eql, "esql": esql, "spl": spl, "kql": kql}
