"""docs/lists.md: every list of the default profile, which field its entries are values of, and the rules that use it."""

from __future__ import annotations

from collections.abc import Iterator

from insigma.assure.coverage import dug
from insigma.content.lists import DEFAULT_TENANT
from insigma.content.model import Pack, Rule
from insigma.content.predicate import Constant, Keyword, Name, Placeholder, leaves

_OPENING = """\
Rules name accounts, hosts and countries of a customer by list: `user.name|expand: '%claims_batch_accounts%'`. A customer's
profile gives each list its entries; the default profile ([default.yml](../mappings/tenants/default.yml)) has examples that show
their form. An entry is one value of the field named here, taken as it is: `*` is no wildcard, case does not matter. A list that a rule
needs and the profile lacks is an error (INS110), an empty one matches nothing.

Keep lists short, owned and reviewed. Who stands on a list that a rule excludes is not watched; what is missing from a list that
a rule looks for is not watched either.
"""


def lists_page(pack: Pack, note: str) -> str:
    """The page."""
    return "\n".join(["# Lists", "", note, "", _OPENING.rstrip(), "", *_table(pack)]) + "\n"


def _table(pack: Pack) -> Iterator[str]:
    uses = _uses(pack)
    yield from ("| list | what | entries are values of | owner | example | rules |", "|---|---|---|---|---|---|")
    for name, entry in pack.tenants[DEFAULT_TENANT].document.data["lists"].items():
        used = uses.get(name, {})
        fields = ", ".join(f"`{field}`" for field in sorted({field for field, _ in used}))
        links = " ".join(dict.fromkeys(_link(rule) for rule in used.values()))
        example = ", ".join(f"`{value}`" for value in entry.get("values", ())[:2])
        yield f"| `{name}` | {entry['description']} | {fields} | {entry['owner']} | {example} | {links} |"


def _link(rule: Rule) -> str:
    return f"[{rule.header.label.removeprefix('ins-')}](rules/{dug(rule, 'domain')}/{rule.header.slug}.md)"


def _uses(pack: Pack) -> dict[str, dict[tuple[str, str], Rule]]:
    """List -> (field, rule label) -> rule."""
    found: dict[str, dict[tuple[str, str], Rule]] = {}
    for rule in pack.rules:
        for leaf in leaves(rule.predicate) if isinstance(rule, Rule) else ():
            if isinstance(leaf, Constant) or not isinstance(leaf.value, Placeholder):
                continue
            field = "any value" if isinstance(leaf, Keyword) else leaf.field
            for part in leaf.value.template:
                if isinstance(part, Name):
                    found.setdefault(part.name, {})[field, rule.header.label] = rule
    return found
