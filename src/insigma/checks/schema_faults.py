"""What is wrong with a document, in words: jsonschema's errors as faults with a path into the document.

A valid document is accepted by `quick` alone; jsonschema is imported only for an invalid one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from insigma.checks.scope import did_you_mean
from insigma.checks.wording import kind_of_value, one_of, shown
from insigma.content.yaml_reader import Key
from insigma.schemas import NAMES, load
from insigma.schemas.quick import Test, compile_schema, expression, repeats

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

_TYPES = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "empty",
    "array": "a list",
    "object": "a mapping",
}
_DURATIONS = ("30m", "1h", "2d")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: where in the document (`at_key`: the key itself is meant, not its value), what is wrong, what to do."""

    path: Key
    message: str
    hint: str = ""
    at_key: bool = False


@dataclass(frozen=True, slots=True)
class _Error:
    """An error of jsonschema: the keyword that failed, its argument, and the value at `path` that failed it."""

    keyword: str
    argument: Any
    value: Any
    schema: Mapping[str, Any]
    path: Key
    names_key: bool

    @property
    def description(self) -> str:
        return str(self.schema.get("description", ""))

    @property
    def inside(self) -> str:
        return f" in {_named(self.path)}" if self.path else ""


def faults(name: str, data: Any) -> tuple[Fault, ...]:
    """Everything in `data` that breaks the schema called `name`, each once."""
    if _test(name)(data):
        return ()
    found = (fault for error in _errors(name, data) for fault in _tell(error))
    return tuple(dict.fromkeys(found))


def _errors(name: str, data: Any) -> Iterator[_Error]:
    for error in _validator(name).iter_errors(data):
        schema = error.schema if isinstance(error.schema, Mapping) else {}
        names_key = "propertyNames" in error.absolute_schema_path
        yield _Error(str(error.validator), error.validator_value, error.instance, schema, tuple(error.absolute_path), names_key)


@cache
def _test(name: str) -> Test:
    return compile_schema(name, load)


@cache
def _validator(name: str) -> Draft202012Validator:
    """jsonschema's validator, but for two keywords that it reads in a way of its own, or looks at every pair of items for."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend
    from referencing import Registry, Resource

    schemas = {known: load(known) for known in NAMES}
    registry: Registry[Any] = Registry().with_resources((schema["$id"], Resource.from_contents(schema)) for schema in schemas.values())
    validator = extend(Draft202012Validator, {"pattern": _pattern, "uniqueItems": _unique})  # type: ignore[no-untyped-call]
    made: Draft202012Validator = validator(schemas[name], registry=registry)
    return made


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
    from jsonschema import ValidationError

    if isinstance(value, str) and not expression(pattern).search(value):
        yield ValidationError("pattern")


def _unique(_: Any, wanted: bool, value: Any, __: Any) -> Iterator[ValidationError]:
    from jsonschema import ValidationError

    if wanted and isinstance(value, list) and next(repeats(value), None) is not None:
        yield ValidationError("uniqueItems")


def _tell(error: _Error) -> Iterator[Fault]:
    """The faults that one error stands for."""
    if error.names_key:
        yield Fault((*error.path, error.value), f"{shown(error.value)} is no name for a key here", _key_hint(error), at_key=True)
        return
    yield from _TELLERS.get(error.keyword, _tell_other)(error)


def _key_hint(error: _Error) -> str:
    if error.keyword == "enum":
        return did_you_mean(str(error.value), error.argument, one_of(error.argument))
    return "names are written with letters, digits and the signs that the other names have"


def _named(path: Key) -> str:
    """What stands at `path`, for a sentence: "'kind'", "item 3 of 'events'"."""
    if not path:
        return "the document"
    if isinstance(last := path[-1], int):
        return f"item {last + 1} of {_named(path[:-1])}"
    return shown(last)


def _tell_type(error: _Error) -> Iterator[Fault]:
    wanted = error.argument if isinstance(error.argument, list) else [error.argument]
    words = " or ".join(_TYPES[kind] for kind in wanted if kind != "null")
    quotable = "string" in wanted and not isinstance(error.value, (dict, list)) and error.value is not None
    hint = f"quote it: '{error.value}'" if quotable and not isinstance(error.value, bool) else error.description
    yield Fault(error.path, f"{_named(error.path)} is {kind_of_value(error.value)}, where {words} is meant", hint)


def _tell_words(error: _Error) -> Iterator[Fault]:
    """`enum`, `const`, and `oneOf` over constants with descriptions: a closed vocabulary."""
    value = error.argument
    words = [entry["const"] for entry in value] if error.keyword == "oneOf" else value if isinstance(value, list) else [value]
    texts = [str(word) for word in words]
    hint = did_you_mean(str(error.value), texts, one_of(texts) if len(texts) > 1 else f"write {texts[0]}")
    said = shown(error.value) if isinstance(error.value, str) else kind_of_value(error.value)
    yield Fault(error.path, f"{_named(error.path)} is {said}, which it cannot be", hint)


def _tell_required(error: _Error) -> Iterator[Fault]:
    for key in error.argument:
        if isinstance(error.value, dict) and key not in error.value:
            described = error.schema.get("properties", {}).get(key, {}).get("description", "")
            yield Fault(
                error.path, f"the key '{key}' is missing{error.inside}", f"add '{key}': {described}" if described else f"add '{key}'"
            )


def _tell_unknown(error: _Error) -> Iterator[Fault]:
    known = sorted(error.schema.get("properties", {}))
    for key in error.value:
        if key not in known:
            yield Fault(
                (*error.path, key), f"unknown key {shown(key)}{error.inside}", did_you_mean(str(key), known, one_of(known)), at_key=True
            )


def _tell_dependents(error: _Error) -> Iterator[Fault]:
    for key, others in error.argument.items():
        for other in others:
            if key in error.value and other not in error.value:
                yield Fault((*error.path, key), f"'{key}' stands without '{other}'", f"add '{other}', or leave '{key}' out", at_key=True)


def _tell_repeats(error: _Error) -> Iterator[Fault]:
    for index in repeats(error.value):
        yield Fault((*error.path, index), f"{shown(error.value[index])} stands twice in {_named(error.path)}", "delete one")


def _tell_pattern(error: _Error) -> Iterator[Fault]:
    takes = re.compile(error.argument).search
    duration = all(map(takes, _DURATIONS)) and not takes("30")
    said = "which is no duration" if duration else "which is not written as it should be"
    hint = f"write a duration, such as {', '.join(_DURATIONS)}" if duration else error.description
    yield Fault(error.path, f"{_named(error.path)} is {shown(error.value)}, {said}", hint)


def _tell_size(error: _Error) -> Iterator[Fault]:
    size, bound = len(error.value), error.argument
    if size == 0:
        yield Fault(error.path, f"{_named(error.path)} is empty", error.description)
        return
    unit = "characters" if isinstance(error.value, str) else "entries"
    side = "at least" if error.keyword.startswith("min") else "at most"
    yield Fault(error.path, f"{_named(error.path)} has {size} {unit}; {side} {bound} are meant", error.description)


def _tell_bound(error: _Error) -> Iterator[Fault]:
    side = "at least" if error.keyword == "minimum" else "at most"
    yield Fault(error.path, f"{_named(error.path)} is {error.value}; it must be {side} {error.argument}", error.description)


def _tell_other(error: _Error) -> Iterator[Fault]:
    yield Fault(error.path, f"{_named(error.path)} breaks the keyword {error.keyword} of its schema", error.description)


_TELLERS: Mapping[str, Callable[[_Error], Iterator[Fault]]] = {
    "type": _tell_type,
    "enum": _tell_words,
    "const": _tell_words,
    "oneOf": _tell_words,
    "required": _tell_required,
    "additionalProperties": _tell_unknown,
    "dependentRequired": _tell_dependents,
    "uniqueItems": _tell_repeats,
    "pattern": _tell_pattern,
    "minLength": _tell_size,
    "maxLength": _tell_size,
    "minItems": _tell_size,
    "maxItems": _tell_size,
    "minProperties": _tell_size,
    "maxProperties": _tell_size,
    "minimum": _tell_bound,
    "maximum": _tell_bound,
}
