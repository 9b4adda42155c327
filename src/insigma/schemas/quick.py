"""A quick yes or no for the schemas of this package: a schema becomes closures, a document a truth value.

Nearly every document is valid, and jsonschema takes milliseconds to say so for a fixture; the closures take a tenth.
They cover the keywords that our schemas use; one they do not know is a `ValueError` when the schema is compiled, so that
nothing is ever accepted unseen. Where the answer is no, `faults` asks jsonschema what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any

Test = Callable[[Any], bool]
Load = Callable[[str], Mapping[str, Any]]

_NOTES = frozenset({"$schema", "$id", "$defs", "title", "description", "default", "deprecated"})
_PARTNERS = frozenset({"properties", "then"})
"""Keywords that are read together with `additionalProperties` or `if`."""
_END = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]|\$", re.DOTALL)
"""The end of a text in a pattern, after what may hold a dollar sign that is none: an escape, a class."""


def compile_schema(name: str, load: Load) -> Test:
    """A test for the schema called `name`; `load` gives it, and the schemas it refers to, by name."""
    return _Compiler(load).reference(name, "")


class _Compiler:
    """Compiles schemas once each; a reference to one under way is resolved when it is called."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._schemas: dict[str, Mapping[str, Any]] = {}
        self._tests: dict[tuple[str, str], Test | None] = {}

    def reference(self, name: str, pointer: str) -> Test:
        key = (name, pointer)
        if key in self._tests:
            return lambda value: (self._tests[key] or _never)(value)
        self._tests[key] = None
        if name not in self._schemas:
            self._schemas[name] = self._load(name)
        node: Any = self._schemas[name]
        for step in pointer.split("/")[1:]:
            node = node[step]
        test = self.schema(node, name)
        self._tests[key] = test
        return test

    def schema(self, schema: Mapping[str, Any], name: str) -> Test:
        """All keywords of a schema hold."""
        tests = tuple(self._keyword(keyword, schema, name) for keyword in schema if keyword not in _NOTES | _PARTNERS)
        if "properties" in schema and "additionalProperties" not in schema:
            tests += (self._properties(schema, name),)
        if len(tests) == 1:
            return tests[0]
        return lambda value: all(test(value) for test in tests)

    def _keyword(self, keyword: str, schema: Mapping[str, Any], name: str) -> Test:
        argument = schema[keyword]
        simple = _SIMPLE.get(keyword)
        if simple is not None:
            return simple(argument)
        match keyword:
            case "$ref":
                file, _, pointer = argument.partition("#")
                return self.reference(file.removesuffix(".schema.json") or name, pointer)
            case "additionalProperties":
                return self._properties(schema, name)
            case "items":
                return _for_all(list, self.schema(argument, name), list)
            case "propertyNames":
                return _for_all(dict, self.schema(argument, name), list)
            case "allOf":
                tests = [self.schema(part, name) for part in argument]
                return lambda value: all(test(value) for test in tests)
            case "oneOf":
                tests = [self.schema(part, name) for part in argument]
                return lambda value: sum(test(value) for test in tests) == 1
            case "if":
                condition, consequence = self.schema(argument, name), self.schema(schema["then"], name)
                return lambda value: not condition(value) or consequence(value)
        raise ValueError(f"schema '{name}' has the keyword '{keyword}', which is not known here")

    def _properties(self, schema: Mapping[str, Any], name: str) -> Test:
        known = {key: self.schema(part, name) for key, part in schema.get("properties", {}).items()}
        others = schema.get("additionalProperties", True)
        other = self.schema(others, name) if isinstance(others, Mapping) else _always if others else _never

        def test(value: Any) -> bool:
            return not isinstance(value, dict) or all(known.get(key, other)(item) for key, item in value.items())

        return test


def _always(_: Any) -> bool:
    return True


def _never(_: Any) -> bool:
    return False


def _for_all(kind: type, test: Test, parts: Callable[[Any], list[Any]]) -> Test:
    return lambda value: not isinstance(value, kind) or all(test(part) for part in parts(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_TYPES: Mapping[str, Test] = {
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    "integer": lambda value: _is_number(value) and value == int(value),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def _type(names: str | list[str]) -> Test:
    tests = [_TYPES[name] for name in ([names] if isinstance(names, str) else names)]
    return tests[0] if len(tests) == 1 else lambda value: any(test(value) for test in tests)


def _same(left: Any, right: Any) -> bool:
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)


def expression(pattern: str) -> re.Pattern[str]:
    """A schema's pattern as ECMA-262 reads it, which JSON Schema asks for: `$` is the end and not a line break before it."""
    return re.compile(_END.sub(lambda found: r"\Z" if found[0] == "$" else found[0], pattern))


def _pattern(pattern: str) -> Test:
    search = expression(pattern).search
    return lambda value: not isinstance(value, str) or search(value) is not None


def _required(keys: list[str]) -> Test:
    return lambda value: not isinstance(value, dict) or all(key in value for key in keys)


def _dependent(dependents: Mapping[str, list[str]]) -> Test:
    return lambda value: (
        not isinstance(value, dict) or all(other in value for key, others in dependents.items() if key in value for other in others)
    )


def repeats(items: Sequence[Any]) -> Iterator[int]:
    """The places of the items that an earlier one equals already, in the sense of JSON Schema. Takes no longer for more of them."""
    seen: set[Hashable] = set()
    for index, item in enumerate(items):
        key = _identity(item)
        if key in seen:
            yield index
        seen.add(key)


def _identity(value: Any) -> Hashable:
    """What two values have in common if they are equal: 1 is 1.0, but not true."""
    if isinstance(value, dict):
        return "mapping", frozenset((key, _identity(part)) for key, part in value.items())
    if isinstance(value, list):
        return "list", tuple(map(_identity, value))
    return isinstance(value, bool), value


def _unique(wanted: bool) -> Test:
    return (lambda value: not isinstance(value, list) or next(repeats(value), None) is None) if wanted else _always


def _size(kind: type[str] | type[list[Any]] | type[dict[str, Any]], holds: Callable[[int, int], bool]) -> Callable[[int], Test]:
    return lambda bound: lambda value: not isinstance(value, kind) or holds(len(value), bound)


_SIMPLE: Mapping[str, Callable[[Any], Test]] = {
    "type": _type,
    "const": lambda wanted: lambda value: _same(value, wanted),
    "enum": lambda wanted: lambda value: any(_same(value, word) for word in wanted),
    "pattern": _pattern,
    "required": _required,
    "dependentRequired": _dependent,
    "uniqueItems": _unique,
    "minLength": _size(str, int.__ge__),
    "maxLength": _size(str, int.__le__),
    "minItems": _size(list, int.__ge__),
    "minProperties": _size(dict, int.__ge__),
    "maxProperties": _size(dict, int.__le__),
    "minimum": lambda bound: lambda value: not _is_number(value) or value >= bound,
    "maximum": lambda bound: lambda value: not _is_number(value) or value <= bound,
}
