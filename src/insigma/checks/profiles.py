"""What the checks of tenant profiles have in common. Not a check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from insigma.checks.base import Context
from insigma.checks.scope import dig, entries
from insigma.checks.target_limits import LIMITS
from insigma.content.lists import DEFAULT_TENANT
from insigma.content.model import AnyRule, Correlation, Rule
from insigma.content.profiles import FOLDER, read_tenant
from insigma.content.tenants import Delivery, Tenant
from insigma.content.yaml_reader import Document, Key
from insigma.diagnostics.model import Place
from insigma.specialise.facts import labels_of
from insigma.specialise.thresholds import Threshold, thresholds_of

OFF_HOURS = "insurance.context.off_hours"


@dataclass(frozen=True, slots=True)
class Tuned:
    """A threshold, and the rule that declares it."""

    rule: AnyRule
    threshold: Threshold

    @property
    def label(self) -> str:
        return self.rule.header.label


def profiles(context: Context, *, default: bool = True) -> Iterator[Tenant]:
    """The profiles of the pack itself, in order of path, also one whose id another has already. The default one only if asked."""
    if not context.in_pack:
        return
    read = {id(tenant.document): tenant for tenant in context.pack.tenants.values()}
    for document in profile_documents(context):
        tenant = read.get(id(document)) or read_tenant(document)[0]
        if tenant is not None and (default or tenant.id != DEFAULT_TENANT):
            yield tenant


def profile_documents(context: Context) -> Iterator[Document]:
    """The documents of the pack's own profiles, whether or not they say whose they are."""
    folder = f"{FOLDER}/"
    yield from (document for document in context.pack.documents if context.pack.relative(document.path).startswith(folder))


def listed(document: Document, *key: str | int) -> Iterator[tuple[Key, Mapping[str, Any]]]:
    """Each mapping of the list at `key`, with its own key."""
    node = dig(document, *key)
    for index, entry in enumerate(node if isinstance(node, list) else ()):
        if isinstance(entry, Mapping):
            yield (*key, index), entry


def rules_by_name(context: Context) -> Mapping[str, AnyRule]:
    """The rules by each name that a profile may use for them: name and id."""
    by_label = {rule.header.label: rule for rule in context.rules}
    return {name: by_label[label] for name, label in labels_of(context.rules).items()}


def named_rule(names: Mapping[str, AnyRule], value: Any) -> AnyRule | None:
    """The rule that a profile names, if there is one (INS540 tells where there is none)."""
    return names.get(value) if isinstance(value, str) else None


def tunable(context: Context) -> Mapping[str, Tuned]:
    """Every threshold by its name."""
    found: dict[str, Tuned] = {}
    for rule in context.rules:
        for threshold in thresholds_of(rule):
            found.setdefault(threshold.name, Tuned(rule, threshold))
    return found


def lists_of_places(document: Document) -> Iterator[Place]:
    """Where a profile gives a log source a list of places: INS547 tells of it, and the schema need not."""
    for target, limits in LIMITS.items():
        for part in limits.places:
            written = entries(document, "targets", target, part)
            yield from (document.place("targets", target, part, name) for name, entry in written.items() if isinstance(entry, list))


def looks_up(tenant: Tenant, flag: str) -> bool:
    """Whether the profile has the flag looked up in a table."""
    source = tenant.context.get(flag)
    return source is not None and source.delivery is Delivery.LOOKUP


def bases(rule: AnyRule) -> tuple[Rule, ...]:
    """The event rules that a correlation rests on; an event rule itself."""
    return rule.base_rules if isinstance(rule, Correlation) else (rule,)


def civil(text: Any) -> date | None:
    """The day that `text` spells in ISO 8601, or None: the 30th of February has the form of a day and is none."""
    try:
        return date.fromisoformat(text) if isinstance(text, str) and len(text) == len("2026-01-01") else None
    except ValueError:
        return None


def unreal_days(document: Document, key: Key, *parts: str) -> Iterator[tuple[str, Place]]:
    """Those parts of the mapping at `key` that have the form of a day without being one, with their places."""
    for part in parts:
        written = dig(document, *key, part)
        if isinstance(written, str) and civil(written) is None and _has_form(written):
            yield written, document.place(*key, part)


def _has_form(text: str) -> bool:
    """Whether the profile's schema takes the text for a day: it tells of any other."""
    parts = text.split("-")
    digits = [len(part) for part in parts if part.isascii() and part.isdigit()]
    return digits == [4, 2, 2] and 1 <= int(parts[1]) <= 12 and 1 <= int(parts[2]) <= 31


def several(names: list[str], most: int = 3) -> str:
    """Names for a message: all of a few, else the first and how many more."""
    shown = names if len(names) <= most else [*names[: most - 1], f"{len(names) - most + 1} more"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
