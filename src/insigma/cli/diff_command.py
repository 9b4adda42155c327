"""`insigma diff`: what a change of the pack does, for whoever reviews it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from insigma.cli.errors import UsageError
from insigma.cli.output import colored, counted, did_you_mean
from insigma.content.pack import PACK_FILE, find_root
from insigma.diagnostics.model import Diagnostic, ExitCode
from insigma.diagnostics.render import Format, Report, render
from insigma.diagnostics.render.hostile import visible
from insigma.diff.compare import compare
from insigma.diff.model import Difference
from insigma.diff.queries import default_targets
from insigma.diff.repository import GitFault, Repository
from insigma.diff.sides import Side, revision_side, with_fixtures_of, working_side
from insigma.release.workshops import NATIVE, UnknownTarget

FORMS = ("text", "markdown", "json")


@click.command("diff")
@click.argument("base")
@click.argument("head", required=False)
@click.option(
    "-t", "--target", "targets", multiple=True, help="elastic, splunk, sentinel or pysigma:BACKEND; may be repeated. Default: all of ours."
)
@click.option("--merge-base", is_flag=True, help="Compare with the commit at which HEAD left BASE: what a branch itself changes.")
@click.option("--format", "form", type=click.Choice(FORMS), default="text", show_default=True, help="How the difference is written.")
@click.option("--exit-code", "as_exit_code", is_flag=True, help="Exit with 1 if there is a difference.")
def command(base: str, head: str | None, targets: tuple[str, ...], merge_base: bool, form: str, as_exit_code: bool) -> int:
    """Tell what a change does to each rule: its logic in words, its queries, its verdicts, its customers.

    BASE and HEAD are git revisions; without HEAD, the working tree is compared. Neither is checked out. A rule is also told
    if something that it is built on changed: base rules, filters, lists, mappings, the taxonomy. `--format markdown` writes
    the comment of a pull request.
    """
    root = find_root(Path.cwd()) or Path.cwd()
    try:
        repository = Repository.around(root)
        with tempfile.TemporaryDirectory(prefix="insigma-diff-") as folder:
            old, new = _sides(repository, base, head, merge_base, root, Path(folder))
            difference = compare(old, new, _targets(targets, old, new))
    except GitFault as fault:
        raise UsageError(visible(fault.message), visible(fault.hint)) from fault
    except UnknownTarget as error:
        there_are = f"there are: {', '.join(error.known)}"
        raise UsageError(f"no target '{error.name}'", did_you_mean(error.name, error.known, there_are)) from error
    _write(difference, form)
    if old.broken or new.broken:
        return ExitCode.UNUSABLE
    return ExitCode.FINDINGS if as_exit_code and difference.changed else ExitCode.OK


def _sides(repository: Repository, base: str, head: str | None, merge_base: bool, root: Path, folder: Path) -> tuple[Side, Side]:
    """Both sides read, what is of a revision below the folder."""
    commits = [repository.commit(revision) for revision in (base, head) if revision is not None]
    if head is None and not (root / PACK_FILE).is_file():
        raise UsageError(f"no {PACK_FILE} here or above", "go to the folder of a pack, or give two revisions")
    if merge_base:
        commits[0] = repository.merge_base(commits[0], commits[1] if head is not None else repository.commit("HEAD"))
        base = commits[0][:12]
    for name in ("base", "head"):
        (folder / name).mkdir()
    if head is None:
        new = working_side(root, len(commits[0]))
    else:
        new = revision_side(repository, head, commits[1], folder / "head")
    old = revision_side(repository, base, commits[0], folder / "base", new)
    return with_fixtures_of(old, new), new


def _targets(asked: Sequence[str], old: Side, new: Side) -> tuple[str, ...]:
    """The targets to compile for. Raises `UnknownTarget` for one of ours that neither pack maps."""
    known = default_targets(old.pack, new.pack)
    for name in asked:
        if name in NATIVE and name not in known:
            raise UnknownTarget(name, known)
    return tuple(dict.fromkeys(asked)) or known


def _write(difference: Difference, form: str) -> None:
    if form == "json":
        from insigma.diff.as_json import as_json

        click.echo(as_json(difference), nl=False)
    elif form == "markdown":
        from insigma.diff.as_markdown import as_markdown

        click.echo(as_markdown(difference), nl=False)
    else:
        from insigma.diff.as_text import as_text

        click.echo(as_text(difference, color=colored()), nl=False)
    for side in (difference.base, difference.head):
        _write_findings(side.findings)


def _write_findings(findings: Sequence[Diagnostic]) -> None:
    """What could not be read, for people, on standard error."""
    if findings:
        click.echo(render(Report.of(findings), Format.TEXT), nl=False, err=True)
        click.echo(f"{counted(len(findings), 'finding')}; the other rules are compared", err=True)
