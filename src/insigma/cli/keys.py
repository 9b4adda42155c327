"""The signing key, for commands that sign."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from insigma.cli.errors import UsageError
from insigma.release.signing import ENVIRONMENT, KeyFault, private_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def signing_key(file: Path | None) -> Ed25519PrivateKey | None:
    """The key of `--sign-key FILE`, else of INSIGMA_SIGNING_KEY (PEM, or the path of its file), else None. Raises `UsageError`."""
    try:
        return private_key(file, os.environ.get(ENVIRONMENT, ""))
    except KeyFault as fault:
        raise refused(fault) from None


def refused(fault: KeyFault) -> UsageError:
    """The fault of a key as one of the environment."""
    return UsageError(fault.message, fault.hint)
