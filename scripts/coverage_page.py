"""docs/coverage.md and its picture, from the tested rules."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from rule_pages import domain_title

from insigma.assure.coverage import Coverage, Item, Section, Tables, alerts, coverage_of, dug, tactics
from insigma.assure.fixtures import reference_rules, run_fixture
from insigma.content.attack import load_attack
from insigma.content.domains import DOMAIN_CODES
from insigma.content.f3 import load_f3
from insigma.content.lists import default_lists
from insigma.content.model import Pack
from insigma.content.use_cases import load_use_cases

_CELL, _ROW, _LEFT, _TOP, _RIGHT = 52, 26, 220, 118, 96
_SHADES = ("#f3f6f9", "#cfe1f2", "#93c0e4", "#4c94cf", "#1f6bb0", "#0b4480")


def coverage_pages(pack: Pack, note: str) -> Iterator[tuple[str, str]]:
    """The page and the picture, by their paths below docs/."""
    tables = Tables(pack.taxonomy, load_attack(), load_f3(), load_use_cases())
    coverage = coverage_of(pack.rules, _tested(pack), tables)
    yield "coverage.md", "\n".join(_page(coverage, pack, note)) + "\n"
    yield "coverage.svg", _picture(coverage, tables)


def _tested(pack: Pack) -> frozenset[str]:
    reference = reference_rules(pack, default_lists(pack))
    results = [result for fixture in pack.fixtures for result in run_fixture(fixture, reference, pack)]
    return frozenset(result.rule for result in results) - {result.rule for result in results if result.diagnostics}


def _page(coverage: Coverage, pack: Pack, note: str) -> Iterator[str]:
    alerting = sum(alerts(rule) for rule in coverage.rules)
    yield from ("# Coverage", "", note, "")
    yield (
        f"What the {len(coverage.rules)} tested rules cover ({alerting} of them alert; the others feed correlations or a risk score),"
        " computed from their own metadata. `insigma coverage` says the same for any pack, as text or JSON;"
        " `insigma coverage --format navigator` writes a layer for the ATT&CK Navigator."
    )
    yield from ("", "![Rules that alert, by domain and ATT&CK tactic](coverage.svg)")
    links = {rule.header.label: f"rules/{dug(rule, 'domain')}/{rule.header.slug}.md" for rule in pack.rules}
    for section in coverage.sections:
        yield from _section(section, links)


def _section(section: Section, links: dict[str, str]) -> Iterator[str]:
    wanted = sum(item.wanted for item in section.items)
    covered = f"{wanted - len(section.gaps)}" + (f" of {wanted}" if section.complete else "")
    yield from ("", f"## {section.title}: {covered}", "", "| | | alert | support |", "|---|---|---|---|")
    for item in section.items:
        yield f"| {item.id} | {item.name} | {_cell(item, item.alerting, links)} | {_linked(item.supporting, links)} |"


def _cell(item: Item, labels: tuple[str, ...], links: dict[str, str]) -> str:
    if not item.covered:
        return "**none**" if item.wanted else "not a matter of rules"
    return _linked(labels, links)


def _linked(labels: tuple[str, ...], links: dict[str, str]) -> str:
    return " ".join(f"[{label.removeprefix('ins-')}]({links[label]})" for label in labels)


def _picture(coverage: Coverage, tables: Tables) -> str:
    """How many rules alert, by domain (rows) and ATT&CK tactic (columns)."""
    counts: dict[tuple[str, str], int] = {}
    for rule in coverage.rules:
        for tactic in tactics(rule) if alerts(rule) else ():
            key = (str(dug(rule, "domain")), tactic)
            counts[key] = counts.get(key, 0) + 1
    columns = [tactic for tactic in tables.attack.tactics.values() if any(tactic.shortname == used for _, used in counts)]
    width, height = _LEFT + _CELL * len(columns) + _RIGHT, _TOP + _ROW * len(DOMAIN_CODES) + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        ' font-family="system-ui, sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for column, tactic in enumerate(columns):
        x = _LEFT + _CELL * column + _CELL // 2
        parts.append(f'<text transform="translate({x},{_TOP - 8}) rotate(-45)" fill="#333">{escape(tactic.name)}</text>')
    for line, domain in enumerate(DOMAIN_CODES):
        y = _TOP + _ROW * line
        parts.append(f'<text x="{_LEFT - 10}" y="{y + 17}" text-anchor="end" fill="#333">{escape(domain_title(domain))}</text>')
        for column, tactic in enumerate(columns):
            parts += _square(_LEFT + _CELL * column, y, counts.get((domain, tactic.shortname), 0))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _square(x: int, y: int, count: int) -> Iterator[str]:
    shade = min(count, len(_SHADES) - 1)
    yield f'<rect x="{x + 1}" y="{y + 1}" width="{_CELL - 2}" height="{_ROW - 2}" rx="3" fill="{_SHADES[shade]}"/>'
    if count:
        colour = "#ffffff" if shade > 2 else "#123"
        yield f'<text x="{x + _CELL // 2}" y="{y + 17}" text-anchor="middle" fill="{colour}">{count}</text>'
