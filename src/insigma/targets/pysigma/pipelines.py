"""pySigma's processing pipelines, applied to our own reading of a rule.

Every leaf of the rule's predicate becomes a detection of its own, with one pySigma value. The pipeline works on these as
on any rule; what it leaves of each leaf (renamed, mapped to several fields, dropped, changed) is put back in its place,
and the conditions that it adds are joined to the whole. So a pipeline sees each value alone, filters are mapped with the
rule that they restrict, and nothing has to be read a second time.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from sigma.conditions import ConditionAND
from sigma.processing.pipeline import ProcessingPipeline
from sigma.processing.resolver import ProcessingPipelineResolver
from sigma.rule import SigmaDetection, SigmaDetectionItem, SigmaDetections, SigmaRule
from sigma.types import SigmaType

from insigma.bind.model import Refused
from insigma.content.condition import ConditionError, Expression, parse_condition
from insigma.content.model import LogSource, Rule
from insigma.content.predicate import (
    And,
    Constant,
    IsNull,
    Keyword,
    Match,
    Named,
    Not,
    Or,
    Predicate,
    Regex,
    Text,
    Value,
    anywhere,
    conjunction,
    disjunction,
    leaves,
)
from insigma.content.yaml_reader import read_file
from insigma.targets.pysigma.discovery import installed_pipelines
from insigma.targets.pysigma.isolation import closed
from insigma.targets.pysigma.sigma_values import predicate_values, sigma_value

_WHOLE = "insigma_rule"
_LEAF = "insigma_leaf_"
_FILES = frozenset({".yml", ".yaml"})
_BACKENDS: Mapping[str, frozenset[str]] = {
    "elastic": frozenset({"elasticsearch", "lucene", "eql", "esql", "opensearch", "elastalert"}),
    "splunk": frozenset({"splunk", "splunk_spl2"}),
    "sentinel": frozenset({"kusto", "sentinelasim", "azuremonitor", "microsoftxdr", "microsoft365defender"}),
}
"""The names by which pipelines say which backends they are for, by our target."""
_Known: TypeAlias = "dict[int, tuple[SigmaType, Value]]"
"""pySigma's values by identity, each kept so that its identity stays its own, with ours."""


class UnknownPipeline(Exception):
    """No pipeline of that name is installed, and it is no file: its name, and those there are."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name)
        self.name = name
        self.known = known


@dataclass(frozen=True, slots=True)
class Applied:
    """A rule after the pipelines. `settings` say where they look for events; `scoped` that they added a condition."""

    rule: Rule
    settings: Mapping[str, str]
    scoped: bool


class Pipelines:
    """Several pipelines as one, in the order of their priorities."""

    def __init__(self, names: Sequence[str], target: str) -> None:
        """Open the pipelines: names of installed ones or YAML files.

        Raises `UnknownPipeline`, and `Refused` for one that cannot be loaded, that is for other targets, or that changes
        finished queries.
        """
        self._target = target
        opened = {name: open_pipeline(name, target) for name in dict.fromkeys(names)}
        self._pipeline = ProcessingPipelineResolver(dict(opened)).resolve(list(opened))

    def apply(self, rule: Rule) -> Applied:
        """The rule as the pipelines leave it. Raises `Refused` where a pipeline refuses it or leaves nothing of it."""
        parts = [leaf for leaf in leaves(rule.predicate) if not isinstance(leaf, Constant)]
        # Foreign code, as in `target`: whatever a pipeline raises concerns this rule only.
        with closed():
            try:
                sigma, known = _as_sigma(rule, parts)
                self._pipeline.apply(sigma)
            except Refused:
                raise
            except Exception as error:
                raise Refused(f"a pipeline refuses the rule: {str(error).strip() or type(error).__name__}", ("detection",)) from error
        return self._read_back(rule, sigma, parts, known)

    def _read_back(self, rule: Rule, sigma: SigmaRule, parts: Sequence[Match | Keyword], known: _Known) -> Applied:
        detections = sigma.detection.detections
        found = [_detection(detections[f"{_LEAF}{number}"], known, leaf.value) for number, leaf in enumerate(parts)]
        whole = _rebuilt(rule.predicate, iter(found))
        added = {name: _detection(value, known, None) for name, value in detections.items() if not name.startswith(_LEAF)}
        conditions = [_resolved(_parsed(condition.condition), {_WHOLE: whole, **added}) for condition in sigma.detection.parsed_condition]
        left = [condition for condition in conditions if condition is not None]
        if whole is None or not left:
            raise Refused("a pipeline drops every condition of the rule", ("detection",))
        logsource = LogSource(sigma.logsource.category, sigma.logsource.product, sigma.logsource.service)
        mapped = replace(rule, predicate=disjunction(tuple(left)), logsource=logsource)
        return Applied(mapped, _settings(self._pipeline.state, self._target), scoped=bool(added))


def _settings(state: Mapping[str, Any], target: str) -> Mapping[str, str]:
    """Where events are, as the pipelines say it in their state: settings of a log source on the target.

    `index` is what the Elasticsearch backends read, `query_table` what the Kusto backend reads. Raises `Refused` for a Splunk
    data model: its fields are not those of events.
    """
    if target == "splunk" and state.get("data_model_set"):
        raise Refused(f"a pipeline maps to the data model {state['data_model_set']}, which is not searched: events are", ("logsource",))
    key, setting = {"elastic": ("index", "index"), "sentinel": ("query_table", "table")}.get(target, ("", ""))
    found = state.get(key)
    names = [name for name in (found if isinstance(found, list) else [found]) if isinstance(name, str) and name]
    return {setting: ",".join(names)} if names else {}


def open_pipeline(name: str, target: str) -> ProcessingPipeline:
    """One pipeline, checked. Raises what `Pipelines` does."""
    known = installed_pipelines()
    with closed():
        try:
            pipeline = _installed(name, known[name]) if name in known else _from_file(name, tuple(known))
        except (Refused, UnknownPipeline):
            raise
        except Exception as error:
            raise Refused(f"pipeline '{name}' cannot be loaded: {str(error).strip() or type(error).__name__}") from error
    if pipeline.allowed_backends and target in _BACKENDS and not _BACKENDS[target] & set(pipeline.allowed_backends):
        raise Refused(f"pipeline '{name}' is not for {target}, but for {', '.join(sorted(pipeline.allowed_backends))}")
    if pipeline.postprocessing_items or pipeline.finalizers:
        raise Refused(f"pipeline '{name}' changes finished queries, which could change what they mean")
    return pipeline


def _installed(name: str, module: str) -> ProcessingPipeline:
    pipeline = importlib.import_module(module).pipelines[name]
    made = pipeline if isinstance(pipeline, ProcessingPipeline) else pipeline()
    if not isinstance(made, ProcessingPipeline):
        raise Refused(f"pipeline '{name}' of {module} is none")
    return made


def _from_file(name: str, known: tuple[str, ...]) -> ProcessingPipeline:
    path = Path(name)
    if path.suffix not in _FILES or not path.is_file():
        raise UnknownPipeline(name, known)
    read = read_file(path, name)
    if read.diagnostics or len(read.documents) != 1:
        said = read.diagnostics[0].message if read.diagnostics else f"it holds {len(read.documents)} documents"
        raise Refused(f"pipeline '{name}' cannot be read: {said}")
    return ProcessingPipeline.from_dict(dict(read.documents[0].data))


def _as_sigma(rule: Rule, parts: Sequence[Match | Keyword]) -> tuple[SigmaRule, _Known]:
    """A pySigma rule with a detection for each leaf, and what its values stand for."""
    values = [sigma_value(leaf.value) for leaf in parts]
    detections = {
        f"{_LEAF}{number}": SigmaDetection([SigmaDetectionItem(leaf.field if isinstance(leaf, Match) else None, [], [value])])
        for number, (leaf, value) in enumerate(zip(parts, values, strict=True))
    }
    if not detections:
        raise Refused("the rule has no condition that a pipeline could map", ("detection",))
    head = {key: value for key, value in rule.header.document.data.items() if key not in {"correlation", "filter"}}
    sigma = SigmaRule.from_dict({**head, "detection": {_WHOLE: {"field": "value"}, "condition": _WHOLE}}, collect_errors=True)
    sigma.detection = SigmaDetections(detections, [_WHOLE])
    return sigma, {id(value): (value, leaf.value) for leaf, value in zip(parts, values, strict=True)}


def _detection(detection: SigmaDetection, known: _Known, original: Value | None) -> Predicate | None:
    """What is left of a detection, which was made of the value `original`; None if nothing is."""
    found = [
        _detection(item, known, original) if isinstance(item, SigmaDetection) else _item(item, known, original)
        for item in detection.detection_items
    ]
    present = tuple(predicate for predicate in found if predicate is not None)
    if not present:
        return None
    return conjunction(present) if detection.item_linking is ConditionAND else disjunction(present)


def _item(item: SigmaDetectionItem, known: _Known, original: Value | None) -> Predicate:
    alternatives: list[Predicate] = []
    for value in item.value:
        ours = known.get(id(value))
        meant = predicate_values(value, original) if ours is None else (ours[1],)
        alternatives.append(disjunction(tuple(_leaf(item.field, each, asked=ours is not None) for each in meant)))
    if not alternatives:
        alternatives.append(_leaf(item.field, IsNull(), asked=True))
    joined = conjunction(tuple(alternatives)) if item.value_linking is ConditionAND else disjunction(tuple(alternatives))
    return Not(joined) if item.negated else joined


def _leaf(field: str | None, value: Value, *, asked: bool) -> Predicate:
    if field is not None:
        return Match(field, value)
    match value:
        case Text():
            return Keyword(value if asked else anywhere(value))
        case Regex():
            return Keyword(value)
        case _:
            raise Refused("a pipeline leaves a value without a field", ("detection",))


def _rebuilt(predicate: Predicate, found: Iterator[Predicate | None]) -> Predicate | None:
    """The predicate with each leaf replaced by the next of `found`; what is dropped is left out of its group."""
    match predicate:
        case And(operands) | Or(operands):
            present = tuple(part for part in [_rebuilt(operand, found) for operand in operands] if part is not None)
            if not present:
                return None
            return conjunction(present) if isinstance(predicate, And) else disjunction(present)
        case Not(operand):
            inner = _rebuilt(operand, found)
            return None if inner is None else Not(inner)
        case Named(name, operand):
            inner = _rebuilt(operand, found)
            return None if inner is None else Named(name, inner)
        case Constant():
            return predicate
        case _:
            return next(found)


def _parsed(condition: str) -> Expression:
    try:
        return parse_condition(condition)
    except ConditionError as error:
        raise Refused(f"a pipeline makes a condition that cannot be read: {error.message}", ("detection",)) from error


def _resolved(expression: Expression, parts: Mapping[str, Predicate | None]) -> Predicate | None:
    if expression.operator == "name" and expression.name in parts:
        return parts[expression.name]
    if expression.operator in {"name", "select"}:
        raise Refused(f"a pipeline makes a condition on '{expression.name}', which is not there", ("detection",))
    operands = [_resolved(operand, parts) for operand in expression.operands]
    present = tuple(operand for operand in operands if operand is not None)
    if not present:
        return None
    if expression.operator == "not":
        return Not(present[0])
    return conjunction(present) if expression.operator == "and" else disjunction(present)
