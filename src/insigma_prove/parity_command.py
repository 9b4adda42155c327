"""`make parity`: our queries beside those of the stock backends, on a folder of Sigma rules or on the pack itself."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import click

from insigma.cli.errors import UsageError
from insigma.cli.workplace import open_workplace
from insigma.content.model import Rule
from insigma.content.pack import bundled_root, load_loose
from insigma_prove.engines import ENGINES
from insigma_prove.parity import LANES, Comparison, Side, compare
from insigma_prove.process import EngineDied
from insigma_prove.prove import Bench

_COUNTS = ("compiled", "rejected", "unsupported", "wrong")


@click.command("parity", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True))
@click.option("--language", "languages", multiple=True, type=click.Choice([lane.language for lane in LANES]), help="Only this language.")
@click.option("--every", default=1, show_default=True, type=click.IntRange(1), help="Take every n-th rule.")
@click.option("--write", "out", type=click.Path(path_type=Path), help="Keep the result in this JSON file; languages not run stay.")
def command(folder: Path | None, languages: tuple[str, ...], every: int, out: Path | None) -> None:
    """Compare our queries with those of the stock pySigma backends, by running both.

    FOLDER holds Sigma rules, which are run on events made from them; without it, the pack's rules are run on their fixtures.
    """
    if folder is None:
        pack = open_workplace(()).loaded.pack
        rules = pack.rules
    else:
        pack = load_loose([folder], bundled_root()).pack
        rules = tuple(rule for rule in pack.rules if isinstance(rule, Rule))
    lanes = [lane for lane in LANES if not languages or lane.language in languages]
    with Bench(lambda spec: spec.needed) as bench:
        try:
            for comparison in compare(pack, rules[::every], bench, lanes, _tell):
                _write_table(comparison)
                if out is not None:
                    _keep(comparison, out)
        except EngineDied as error:
            raise UsageError(str(error), "make engines sets the engines up") from error
        needed = {spec.name: spec.target for spec in ENGINES}
        for name, why in bench.absent.items():
            click.echo(f"insigma: SKIPPED: engine {name} for {needed[name]}: {why}; make engines sets it up", err=True)


def _tell(language: str, rule: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{language} {rule}\r", nl=False, err=True)


def _write_table(comparison: Comparison) -> None:
    lane = comparison.lane
    click.echo(f"{lane.target} {lane.language}: {comparison.rules:,} rules on {comparison.engine}; {comparison.matched:,} match events")
    for name, side in (("insigma", comparison.ours), (f"pysigma:{lane.stock}", comparison.stock)):
        numbers = ", ".join(f"{getattr(side, key):,} {key}" for key in _COUNTS)
        click.echo(f"  {name:16} {numbers}, {sum(side.refused.values()):,} refused")
    for example in comparison.ours.examples[:10]:
        click.echo(f"    {example}")


def _keep(comparison: Comparison, out: Path) -> None:
    """Put one lane into the file, in place of what it held of that lane."""
    known: dict[str, Any] = json.loads(out.read_text(encoding="utf-8")) if out.is_file() else {"version": 1, "lanes": {}}
    lane = comparison.lane
    known["lanes"][lane.language] = {
        "target": lane.target,
        "engine": comparison.engine,
        "rules": comparison.rules,
        "matched": comparison.matched,
        "ours": _side(comparison.ours),
        "stock": {"backend": lane.stock, **_side(comparison.stock)},
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(known, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def _side(side: Side) -> dict[str, Any]:
    reasons: Counter[str] = Counter()
    for reason, number in side.refused.items():
        reasons[_kind(reason)] += number
    return {**{key: getattr(side, key) for key in _COUNTS}, "refused": dict(sorted(reasons.items()))}


def _kind(reason: str) -> str:
    """A reason without the names and numbers of its rule, on one line."""
    return re.sub(r"\b\d[\d,.]*\b", "N", re.sub(r"'[^']*'", "'...'", " ".join(reason.split())))[:200]


def main() -> None:
    """Run the command; an error is one line."""
    try:
        command.main(prog_name="insigma-parity", standalone_mode=False)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        click.echo(f"insigma: {error.format_message()}", err=True)
        sys.exit(3)


if __name__ == "__main__":
    main()
