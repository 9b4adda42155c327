"""foreach (SR foreach): an eval run once for each field that a list of names matches."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import fnmatchcase

from insigma_prove.workers.serve import QueryFault
from insigma_prove.workers.spl import expressions
from insigma_prove.workers.spl.aggregates import write
from insigma_prove.workers.spl.arguments import names
from insigma_prove.workers.spl.evaluation import Evaluator, compiled
from insigma_prove.workers.spl.events import Row
from insigma_prove.workers.spl.functions import Runtime
from insigma_prove.workers.spl.pipeline import subsearches

_TEMPLATE = re.compile(r"<<([A-Z0-9]+)>>")
_EVAL = re.compile(r"\s*eval\s+(.*)", re.DOTALL)


def foreach(argument: str, runtime: Runtime) -> Callable[[list[Row]], list[Row]]:
    """The eval in brackets for each field of the results that a name matches, `<<FIELD>>` standing for it.

    `*` in a name stands for any characters, but takes no internal field, whose name starts with an underscore (assumed: the
    manual says it of the wildcards of other commands). Modes other than fields, and other templates, are not run here.
    """
    before, bracket, _ = argument.partition("[")
    inner = subsearches(argument[len(before) :]) if bracket else []
    found = _EVAL.fullmatch(inner[0]) if len(inner) == 1 else None
    wanted = names(before)
    if found is None or not wanted or any("=" in name for name in wanted):
        raise QueryFault("unsupported", f"foreach with {argument[:60]!r} is not run here")
    template = found[1]
    if set(_TEMPLATE.findall(template)) - {"FIELD"}:
        raise QueryFault("unsupported", "foreach with templates other than <<FIELD>> is not run here")
    _assignments(template, "field", runtime)

    def apply(rows: list[Row]) -> list[Row]:
        fields = dict.fromkeys(name for row in rows for name in row.fields)
        for name in (name for name in fields if any(_matches(name, one) for one in wanted)):
            assigned = _assignments(template, name, runtime)
            for row in rows:
                for target, evaluate in assigned:
                    write(row.fields, target, evaluate(row.fields))
        return rows

    return apply


def _matches(name: str, wanted: str) -> bool:
    if "*" not in wanted:
        return name == wanted
    return not name.startswith("_") and fnmatchcase(name, re.sub(r"([?\[])", r"[\1]", wanted))


def _assignments(template: str, field: str, runtime: Runtime) -> list[tuple[str, Evaluator]]:
    written = _TEMPLATE.sub(lambda _: field, template)
    return [(name, compiled(node, runtime)) for name, node in expressions.parse_assignments(written)]
