"""The lists that fill placeholders where no tenant is asked for."""

from __future__ import annotations

from collections.abc import Mapping

from insigma.content.model import Pack

DEFAULT_TENANT = "default"


def default_lists(pack: Pack) -> Mapping[str, tuple[str, ...]]:
    """The lists of the default profile, or none."""
    tenant = pack.tenants.get(DEFAULT_TENANT)
    return tenant.lists if tenant is not None else {}
