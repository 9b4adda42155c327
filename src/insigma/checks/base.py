"""What a check is given and what it gives.

A check module defines `CODE` (a key of the catalogue) and one of

- `check_document(document, context)`: called for every rule, correlation and filter document as written, also where
  it could not be built into a `Rule`;
- `check_rule(rule, context)`: called for every event rule or correlation that could be built;
- `check_pack(context)`: called once a run.

Each yields `Diagnostic`s, made by `finding`, which takes severity from the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from insigma.content.attack import AttackTable
from insigma.content.model import AnyRule, Pack
from insigma.content.yaml_reader import Document
from insigma.diagnostics.catalogue import CODES
from insigma.diagnostics.model import Diagnostic, Place


class Kind(Enum):
    """What a rule document is."""

    RULE = "rule"
    CORRELATION = "correlation"
    FILTER = "filter"


def kind_of(document: Document) -> Kind:
    """By its telling key, as Sigma does it."""
    if "correlation" in document.data:
        return Kind.CORRELATION
    return Kind.FILTER if "filter" in document.data else Kind.RULE


@dataclass(frozen=True, slots=True)
class Context:
    """What checks may look at besides the rule itself.

    `documents` are all rule documents of the run (rules, correlations, filters), `rules` those that could be built.
    `in_pack` says that the pack's own conventions hold (fixtures, metadata, folders), as opposed to loose rules. `day` is the
    day (ISO 8601) on which things may have expired; None asks for none of that.
    """

    pack: Pack
    documents: tuple[Document, ...]
    attack: AttackTable
    f3: Mapping[str, str]
    in_pack: bool
    day: str | None = None

    @property
    def all_documents(self) -> tuple[Document, ...]:
        """The rule documents of the pack that this one extends, which are checked at home, then those of the run."""
        own = {id(document) for document in self.documents}
        return (*(rule.header.document for rule in self.pack.rules if id(rule.header.document) not in own), *self.documents)

    @property
    def rules(self) -> tuple[AnyRule, ...]:
        return self.pack.rules


def finding(code: str, place: Place, message: str, hint: str = "", rule: str = "") -> Diagnostic:
    """A diagnostic with the severity that the catalogue gives its code."""
    return Diagnostic(place, code, message, hint, CODES[code].severity, rule)
