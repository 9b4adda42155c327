"""`insigma verify`: whether what was built is what was signed."""

from __future__ import annotations

from pathlib import Path

import click

from insigma.cli.errors import UsageError
from insigma.cli.keys import refused
from insigma.cli.output import counted
from insigma.content.files import shown_path
from insigma.diagnostics.model import ExitCode
from insigma.diagnostics.render.hostile import visible
from insigma.release.signing import MANIFEST, KeyFault, public_key
from insigma.release.verifying import NoManifest, strangers_in, trees_in, verify_tree


@click.command("verify")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIR...")
@click.option(
    "--public-key", "key_file", required=True, type=click.Path(path_type=Path), metavar="FILE", help="The signer's public key (PEM)."
)
def command(folders: tuple[Path, ...], key_file: Path) -> int:
    """Check the signature and the files of what was built.

    DIR is a folder that `insigma build` wrote and signed, or a folder of such folders. manifest.json must be signed by the key's
    owner, and the folder must hold exactly the files that it names, unchanged. Every fault is told, one a line.
    """
    try:
        key = public_key(key_file)
    except KeyFault as fault:
        raise refused(fault) from None
    trees = [(folder, _trees(folder)) for folder in folders]
    bad = False
    for folder, found in trees:
        strangers = strangers_in(folder)
        _tell(folder, strangers)
        bad = bad or bool(strangers)
        for tree in found:
            verified = verify_tree(tree, key)
            _tell(tree, verified.faults)
            bad = bad or bool(verified.faults)
            if not verified.faults:
                click.echo(f"{visible(shown_path(tree))}: signed, {counted(verified.files, 'file')} as signed")
    return ExitCode.FINDINGS if bad else ExitCode.OK


def _trees(folder: Path) -> tuple[Path, ...]:
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder")
    try:
        return trees_in(folder)
    except NoManifest as error:
        raise UsageError(f"{folder} holds no {MANIFEST}: insigma did not build it", "give a folder that insigma build wrote") from error


def _tell(folder: Path, faults: tuple[str, ...]) -> None:
    """The faults by folder and file. File names are safe to show; that of the folder may not be."""
    for fault in faults:
        click.echo(f"{visible(shown_path(folder))}/{fault}")
