"""Opening the targets that a command line names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from insigma.cli.errors import UsageError
from insigma.cli.output import did_you_mean
from insigma.content.lists import default_lists
from insigma.content.model import Pack
from insigma.packages.base import PackContext
from insigma.release.workshops import PYSIGMA_PREFIX, Refused, UnknownTarget, Workshop, open_workshop

if TYPE_CHECKING:
    from insigma.targets.pysigma.pipelines import Pipelines


def workshop_of(
    name: str, pack: Pack, language: str | None = None, pipelines: Sequence[str] = (), versions: Mapping[str, int] | None = None
) -> Workshop:
    """The workshop of a target for the default profile, with pySigma pipelines for rules of the default taxonomy.

    `versions` are those of the rules, by label.

    Raises `UsageError` for a name, language or pipeline that there is not.
    """
    context = PackContext.of_default(pack, versions)
    opened = _pipelines(name, pipelines) if pipelines else None
    try:
        return open_workshop(name, pack, default_lists(pack), context, language, opened)
    except UnknownTarget as error:
        there_are = f"there are: {', '.join(error.known)}"
        raise UsageError(f"no target '{error.name}'", did_you_mean(error.name, error.known, there_are)) from error
    except Refused as error:
        raise UsageError(error.reason) from error


def _pipelines(target: str, names: Sequence[str]) -> Pipelines:
    from insigma.targets.pysigma.pipelines import Pipelines, UnknownPipeline

    if target.startswith(PYSIGMA_PREFIX):
        raise UsageError(f"--pipeline goes with our own targets, not with {target}")
    try:
        return Pipelines(names, target)
    except UnknownPipeline as error:
        there_are = f"there are: {', '.join(error.known) or 'none'}; or give a YAML file"
        raise UsageError(f"no pipeline '{error.name}'", did_you_mean(error.name, error.known, there_are)) from error
    except Refused as error:
        raise UsageError(error.reason) from error
