"""EQL as python-eql parses and types it, with what its tree leaves out kept: `~`, `:` and `?`.

Departures of python-eql (eql 1.0.1) from Elasticsearch that are stepped around here:

- its tree has one `wildcard` call for `:`, `like` and `like~`, and one `match` call for `regex` and `regex~`: the calls are named
  after the operator here; `in~` becomes a call `in~`, a function with a tilde keeps it, an optional field is an `OptionalField`,
- it reads the escape `\\u{..}` up to the last brace of the string: strings are unescaped here, as AbstractBuilder.unquoteString
  of elastic/elasticsearch does,
- its optimizer turns `not (x <= 1)` into `x > 1`, which differs where x is absent: it is not run,
- its grammar has no @ in identifiers (EqlBase.g4 has): such a name is put into backticks first,
- it does not know Elasticsearch's field types: fields are looked up in the store's mapping here.

Source: "EQL syntax reference", "EQL function reference" of the Elasticsearch 8.18 reference.
"""

from __future__ import annotations

import re
from typing import Any

import eql
from eql import ast
from eql.parser import LarkError, LarkToEQL, allow_negation, allow_runs, allow_sample, elasticsearch_syntax, lark_parser, skip_optimizations
from eql.types import NodeInfo, TypeHint
from eql.utils import ParserConfig

from insigma_prove.workers.elastic.mapping import Fields
from insigma_prove.workers.elastic.values import NUMERIC
from insigma_prove.workers.serve import QueryFault

_ESCAPE = re.compile(r'\\(?:u\{([0-9a-zA-Z]{2,8})\}|([btnfr"\'\\]))')
_SKIPPED_OR_AT = re.compile(
    r'"""(?:[^\r\n]*?)""""?"?|"(?:\\.|[^"\\\r\n])*"|`[^`\r\n]*`|//[^\n]*|/\*.*?\*/|(?P<name>@[A-Za-z0-9_]*)', re.DOTALL
)
"""Strings, quoted names and comments, which stay as they are, and names with an @."""
_SHORT = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}


class OptionalField(ast.Field):  # type: ignore[misc]
    """A field that the query marks with `?`: it may be missing from every mapping."""


def field_name(field: ast.Field) -> str:
    """The full name. Raises `QueryFault` for an array index, which Elasticsearch does not have."""
    if any(isinstance(part, int) for part in field.path):
        raise QueryFault("parse", f"Unsupported array index in field [{field.base}]")
    return ".".join([field.base, *field.path])


def parse_eql(query: str, fields: Fields) -> Any:
    """The typed tree: a PipedQuery of eql. Raises `QueryFault` of stage "parse" or "type"."""
    text = _SKIPPED_OR_AT.sub(lambda found: f"`{found.group()}`" if found["name"] else found.group(), query) + "\n"
    with elasticsearch_syntax, allow_runs, allow_negation, allow_sample, skip_optimizations, ParserConfig(allow_pipes=True):
        try:
            tree = lark_parser.parse(text, start="piped_query")
            return _Walker(text, fields).visit(tree)
        except LarkError as error:
            raise QueryFault("parse", str(error)) from error
        except (eql.EqlTypeMismatchError, eql.EqlSchemaError) as error:
            raise QueryFault("type", str(error)) from error
        except eql.EqlSemanticError as error:
            raise QueryFault("type", str(error)) from error
        except eql.EqlError as error:
            raise QueryFault("parse", str(error)) from error


class _Walker(LarkToEQL):  # type: ignore[misc]
    """python-eql's tree builder, knowing the mapping and keeping operators apart."""

    def __init__(self, text: str, fields: Fields) -> None:
        super().__init__(text)
        self._fields = fields

    def string(self, node: Any) -> Any:
        value = str(node.children[0])
        if value.startswith(("?", "'")):
            raise self._error(node, 'Invalid string literal. Use " or """ based strings.', cls=eql.EqlSyntaxError)
        return value[3:-3] if value.startswith('"""') else _unescaped(value[1:-1])

    def string_predicate(self, node: Any) -> Any:
        info = super().string_predicate(node)
        info.node.name = str(node["STRING_PREDICATE"])
        return info

    def in_set(self, node: Any) -> Any:
        info = super().in_set(node)
        if node.get("IN") == "in~":
            info.node = ast.FunctionCall("in~", [info.node.expression, *info.node.container])
        return info

    def not_in_set(self, node: Any) -> Any:
        info = self.in_set(node)
        info.node = ast.Not(info.node)
        return info

    def function_call(self, node: Any, prev_node: Any = None, prev_arg: Any = None) -> Any:
        info = super().function_call(node, prev_node, prev_arg)
        if node.data != "method" and str(node.children[0]).endswith("~"):
            info.node.name += "~"
        return info

    def _update_field_info(self, node_info: Any, optional_syntax: bool = False) -> Any:
        field = node_info.node
        name = field_name(field)
        found = self._fields.find(name)
        if found is None and not optional_syntax:
            raise self._error(node_info, f"Unknown column [{name}]", cls=eql.EqlSchemaError)
        if optional_syntax:
            field = OptionalField(field.base, field.path)
        return NodeInfo(field, TypeHint.Unknown if found is None else _hint(found.type), nullable=True, source=node_info)


def _hint(kind: str) -> Any:
    if kind in NUMERIC:
        return TypeHint.Numeric
    return TypeHint.Boolean if kind == "boolean" else TypeHint.String


def _unescaped(text: str) -> str:
    def character(found: re.Match[str]) -> str:
        if found[1] is None:
            return _SHORT.get(found[2], found[2])
        try:
            return chr(int(found[1], 16))
        except (ValueError, OverflowError) as error:
            raise QueryFault("parse", f"Invalid unicode character code [{found[1]}]") from error

    return _ESCAPE.sub(character, text)
