"""An ingest node as far as our pipelines need one: processors on a document, conditions of the two forms that we write.

Written from "Ingest processor reference" of Elasticsearch 8.18, not from the code under test.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

_LITERAL = r"'(?:\\.|[^'\\])*'"
_PATH = r"ctx(?:\.\w+|\[" + _LITERAL + r"\])(?:\?\.\w+|\?\.get\(" + _LITERAL + r"\))*"
_CONTAINS = re.compile(rf"(\[.*\])\.contains\(({_PATH})\)")
_STARTS = re.compile(rf"ctx\._index\.startsWith\(({_LITERAL})\)")
_IS = re.compile(rf"ctx\._index == ({_LITERAL})")
_NULL = re.compile(rf"({_PATH}) == null")
_STEP = re.compile(rf"(?:\?\.get\(|\[)({_LITERAL})[)\]]|(?:\?\.|\.)(\w+)")


class Failed(Exception):
    """A processor that failed: its kind, tag and message."""


def ingest(pipelines: Mapping[str, Mapping[str, Any]], name: str, index: str, document: dict[str, Any]) -> dict[str, Any]:
    """The document as the pipeline stores it. `fingerprint` gives the values that it would hash as `_id`."""
    ctx: dict[str, Any] = {"_index": index, **document}
    _pipeline(pipelines, name, ctx)
    return {key: value for key, value in ctx.items() if key != "_index"}


def _pipeline(pipelines: Mapping[str, Mapping[str, Any]], name: str, ctx: dict[str, Any]) -> None:
    pipeline = pipelines[name]
    try:
        for processor in pipeline["processors"]:
            _processor(pipelines, processor, ctx, {})
    except Failed as failed:
        kind, tag, message = failed.args
        about = {"_ingest.on_failure_processor_type": kind, "_ingest.on_failure_processor_tag": tag, "_ingest.on_failure_message": message}
        for processor in pipeline.get("on_failure", [{}]):
            _processor(pipelines, processor, ctx, about)


def _processor(
    pipelines: Mapping[str, Mapping[str, Any]], processor: Mapping[str, Any], ctx: dict[str, Any], about: Mapping[str, str]
) -> None:
    ((kind, options),) = processor.items()
    if "if" in options and not _holds(options["if"], ctx):
        return
    if kind == "pipeline":
        _pipeline(pipelines, options["name"], ctx)
        return
    try:
        _DO[kind](options, ctx, about)
    except TypeError as error:
        raise Failed(kind, options.get("tag", ""), str(error)) from error


def _dot_expander(options: Mapping[str, Any], ctx: dict[str, Any], about: Mapping[str, str]) -> None:
    assert options["field"] == "*"
    for name in [name for name in ctx if "." in name]:
        _write(ctx, name.split("."), ctx.pop(name))


def _set(options: Mapping[str, Any], ctx: dict[str, Any], about: Mapping[str, str]) -> None:
    assert options["override"] is False
    if read(ctx, options["field"]) is None:
        _write(ctx, options["field"].split("."), _rendered(options["value"], {"_ingest.timestamp": "2026-02-14T10:00:00Z"}))


def _lowercase(options: Mapping[str, Any], ctx: dict[str, Any], about: Mapping[str, str]) -> None:
    value = read(ctx, options["field"])
    if value is None:
        assert options["ignore_missing"] is True
        return
    if not isinstance(value, str):
        raise TypeError(f"field [{options['field']}] of type [{type(value).__name__}] cannot be cast to [String]")
    _write(ctx, options["field"].split("."), value.lower())


def _append(options: Mapping[str, Any], ctx: dict[str, Any], about: Mapping[str, str]) -> None:
    held = read(ctx, options["field"])
    values = held if isinstance(held, list) else [] if held is None else [held]
    _write(ctx, options["field"].split("."), [*values, _rendered(options["value"], about)])


def _fingerprint(options: Mapping[str, Any], ctx: dict[str, Any], about: Mapping[str, str]) -> None:
    assert options["ignore_missing"] is True
    _write(ctx, [options["target_field"]], [read(ctx, field) for field in sorted(options["fields"])])


_DO = {"dot_expander": _dot_expander, "set": _set, "lowercase": _lowercase, "append": _append, "fingerprint": _fingerprint}


def _rendered(template: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\{\{\{([\w.]+)\}\}\}", lambda found: values[found[1]], template)


def read(document: Mapping[str, Any], name: str) -> Any:
    """The value of a field, None where it is absent."""
    value: Any = document
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _write(ctx: dict[str, Any], path: list[str], value: Any) -> None:
    *parents, last = path
    for parent in parents:
        inner = ctx.setdefault(parent, {})
        if not isinstance(inner, dict):
            raise TypeError(f"cannot set [{last}] with parent object of type [{type(inner).__name__}]")
        ctx = inner
    ctx[last] = value


def _holds(condition: str, ctx: dict[str, Any]) -> bool:
    if condition == "ctx.event?.id != null && ctx.event.id != ''":
        return read(ctx, "event.id") not in (None, "")
    return any(_test(part, ctx) for part in condition.split(" || "))


def _test(condition: str, ctx: dict[str, Any]) -> bool:
    if found := _CONTAINS.fullmatch(condition):
        return _at(found[2], ctx) in ast.literal_eval(found[1])
    if found := _STARTS.fullmatch(condition):
        return str(ctx["_index"]).startswith(ast.literal_eval(found[1]))
    if found := _IS.fullmatch(condition):
        return bool(ctx["_index"] == ast.literal_eval(found[1]))
    if found := _NULL.fullmatch(condition):
        return _at(found[1], ctx) is None
    raise AssertionError(f"no condition of ours: {condition}")


def _at(path: str, ctx: dict[str, Any]) -> Any:
    value: Any = ctx
    for quoted, plain in _STEP.findall(path.removeprefix("ctx")):
        if value is None:
            return None
        if not isinstance(value, dict):
            raise Failed("conditional", "", f"dynamic getter on {type(value).__name__}")
        value = value.get(ast.literal_eval(quoted) if quoted else plain)
    return value
