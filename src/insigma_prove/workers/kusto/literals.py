"""String literals of KQL, read as Microsoft's own library reads them.

`duckdb-kql` knows fewer escapes and takes `\\u0041` for `u0041` without a word. Sources: the page *scalar-data-types/string* of the
KQL reference, and the literal values that Microsoft's language service gives, which also tell `\\x41` and `\\101`.
"""

from __future__ import annotations

import re

from duckdb_kql.errors import KqlUnsupportedError

_PREFIX = re.compile(r"[hH]?(@?)(['\"])")
_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[0-7]{1,3}|.)", re.DOTALL)
_NAMED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", "'": "'", '"': '"'}


def decoded(text: str) -> str:
    """The value of one literal, written plain or verbatim (`@`), perhaps obfuscated (`h`). Raises `KqlUnsupportedError`."""
    prefix = _PREFIX.match(text)
    if prefix is None or len(text) < prefix.end() + 1 or text[-1] != prefix[2]:
        raise KqlUnsupportedError("literal:string", hint=f"{text[:40]!r} is no literal between quotes")
    body = text[prefix.end() : -1]
    if prefix[1]:
        return body.replace(prefix[2] * 2, prefix[2])
    units = _ESCAPE.sub(_unescaped, body)
    try:
        # Two escapes that are a surrogate pair are one character.
        return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        raise KqlUnsupportedError("literal:string", hint="half of a surrogate pair") from None


def _unescaped(found: re.Match[str]) -> str:
    escape = found[1]
    if escape in _NAMED:
        return _NAMED[escape]
    if escape[0] in "ux":
        return chr(int(escape[1:], 16))
    if escape[0] in "01234567":
        return chr(int(escape, 8))
    # `\UXXXXXXXX` passes Microsoft's parser, but its value there is the text without the backslash.
    raise KqlUnsupportedError("literal:string", hint=f"the escape \\{escape} has no certain meaning")
