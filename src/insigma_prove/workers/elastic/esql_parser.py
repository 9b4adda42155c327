"""ES|QL as Elastic's own offline parser reads and types it (detection-rules-esql-py), and what its tree leaves out.

The tree keeps strings as they are escaped and forgets the directions of SORT; both are read again from the text.
Source: "ES|QL syntax reference" of the Elasticsearch 8.18 reference; EsqlBaseLexer.g4 and EsqlBaseParser.g4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import esql
from esql import ast
from esql.utils import ParserConfig

from insigma_prove.workers.elastic.mapping import Fields
from insigma_prove.workers.serve import QueryFault

FLOOR = "8.18.0"
_ESCAPE = re.compile(r'\\([tnr"\\])')
_SHORT = {"t": "\t", "n": "\n", "r": "\r"}
_SKIPPED = re.compile(r'""".*?""""?"?|"(?:\\.|[^"\\])*"|`(?:``|[^`])*`|//[^\n]*|/\*.*?\*/', re.DOTALL)
_DIRECTION = re.compile(r"^.*?(?:\s(?P<way>asc|desc))?(?:\s+nulls\s+(?P<nulls>first|last))?\s*$", re.IGNORECASE | re.DOTALL)


class EsqlText:
    """A parsed query with its text."""

    def __init__(self, text: str, fields: Fields, lookups: Mapping[str, Mapping[str, str]] | None = None) -> None:
        """Raises `QueryFault` of stage "parse", "type" or, where the parser cannot go on, "unsupported"."""
        self.lines = text.split("\n")
        types = {name: field.type for name, field in fields.by_name.items()}
        joined = {name: dict(columns) for name, columns in (lookups or {}).items()}
        schema = esql.Schema(types, allow_missing=fields.dynamic == "keyword", lookups=joined)
        with ParserConfig(min_stack_version=FLOOR), schema:
            try:
                self.tree: Any = esql.parse_query(text)
            except (esql.EsqlSemanticError, esql.EsqlNestedQueryError) as error:
                raise QueryFault("type", str(error)) from error
            except esql.EsqlError as error:
                raise QueryFault("parse", str(error)) from error
            except RecursionError as error:
                raise QueryFault("unsupported", "the expression is nested too deep for the offline parser") from error
            except Exception as error:
                if str(error) != "Empty Stack":  # ANTLR's lexer raises a bare Exception for a bracket that closes nothing
                    raise
                raise QueryFault("parse", "a bracket closes nothing") from error

    def string(self, node: Any) -> str:
        """The value of a string literal: between three quotes as it stands, else with its escapes resolved."""
        value = str(node.value)
        if "\\" not in value or self.lines[node.line][node.column :].startswith('"""'):
            return value
        return _ESCAPE.sub(lambda found: _SHORT.get(found[1], found[1]), value)

    def directions(self, command: ast.SortCommand) -> list[tuple[bool, bool]]:
        """For each key of SORT whether it descends and whether nulls come first. Raises `QueryFault` where the text is not clear."""
        text = "\n".join([self.lines[command.line][command.column :], *self.lines[command.line + 1 :]])
        plain = _SKIPPED.sub(lambda found: "_" * len(found.group()), text).partition("|")[0]
        keys = _split(plain[len("sort") :])
        if len(keys) != len(command.keys):
            raise QueryFault("unsupported", "the directions of SORT are not clear")
        found = []
        for key in keys:
            match = _DIRECTION.match(key)
            way = (match["way"] or "asc").lower() if match else "asc"
            nulls = match["nulls"].lower() if match and match["nulls"] else ("first" if way == "desc" else "last")
            found.append((way == "desc", nulls == "first"))
        return found


def _split(text: str) -> list[str]:
    """The text cut at the commas outside of parentheses and brackets."""
    parts, depth = [""], 0
    for char in text:
        depth += (char in "([") - (char in ")]")
        if char == "," and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return parts
