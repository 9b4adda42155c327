"""`insigma check`: everything that is wrong, in one run."""

from __future__ import annotations

from pathlib import Path

import click

from insigma.checks.runner import check_all
from insigma.cli.days import DAY, today
from insigma.cli.output import counted, exit_code, format_option, write_report
from insigma.cli.workplace import open_workplace
from insigma.diagnostics.model import Severity
from insigma.diagnostics.render import Report


@click.command("check")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--at", "day", type=DAY, help="The day on which exceptions and reviews may be over, YYYY-MM-DD.  [default: today]")
@format_option
def command(paths: tuple[Path, ...], day: str | None, form: str) -> int:
    """Check rules, mappings, fixtures and tenants.

    PATHS are packs, or files and folders in a pack, or any folders of Sigma rules; without any, the pack around the
    working folder. Findings name file, line, column, a code (see `insigma explain CODE`), what is wrong and what to do.
    """
    workplace = open_workplace(paths)
    findings = workplace.of_interest(check_all(workplace.loaded, day or today()))
    documents = [document for document in workplace.loaded.pack.documents if workplace.concerns(document.path)]
    files = len({document.path for document in documents} | {found.place.path for found in findings})
    own = {id(document) for document in workplace.loaded.pack.rule_documents}
    rules = sum(id(rule.header.document) in own for rule in workplace.rules)
    report = Report.of(findings, files=files, rules=rules)
    notes = sum(found.severity is Severity.NOTE for found in findings)
    told = counted(len(findings) - notes, "finding") if len(findings) > notes else "no findings"
    if notes:
        told += f" and {counted(notes, 'note')}"
    write_report(report, form, f"{told} in {counted(files, 'file')} ({counted(rules, 'rule')})")
    return exit_code(findings)
