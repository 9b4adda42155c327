"""Errors that end a command, each knowing its exit code."""

from __future__ import annotations

import click

from insigma.diagnostics.model import ExitCode


class UsageError(click.ClickException):
    """Wrong arguments or an environment that does not serve: exit code 3."""

    exit_code = int(ExitCode.USAGE)

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\n  hint: {hint}" if hint else message)
