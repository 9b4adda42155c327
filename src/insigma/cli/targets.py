"""Opening the targets that a command line names."""

from __future__ import annotations

from insigma.cli.errors import UsageError
from insigma.cli.output import did_you_mean
from insigma.content.lists import DEFAULT_TENANT, default_lists
from insigma.content.model import Pack
from insigma.packages.base import PackContext
from insigma.release.workshops import Refused, UnknownTarget, Workshop, open_workshop


def workshop_of(name: str, pack: Pack, language: str | None = None) -> Workshop:
    """The workshop of a target for the default profile. Raises `UsageError` for a name or language that there is not."""
    context = PackContext(DEFAULT_TENANT, pack.name, pack.version)
    try:
        return open_workshop(name, pack, default_lists(pack), context, language)
    except UnknownTarget as error:
        there_are = f"there are: {', '.join(error.known)}"
        raise UsageError(f"no target '{error.name}'", did_you_mean(error.name, error.known, there_are)) from error
    except Refused as error:
        raise UsageError(error.reason) from error
