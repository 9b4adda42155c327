"""Days on the command line."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from typing import Any

import click

from insigma.cli.errors import UsageError


class _Day(click.ParamType[str]):
    """A day in ISO 8601, kept as text."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return date.fromisoformat(str(value)).isoformat()
        except ValueError:
            self.fail(f"'{value}' is no day: write YYYY-MM-DD", param, ctx)


DAY = _Day()


def today() -> str:
    """The civil day of this machine, or that of SOURCE_DATE_EPOCH (reproducible-builds.org). Raises `UsageError` where that is no time.

    It tells what is overdue; what is built does not depend on it.
    """
    told = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not told:
        return date.today().isoformat()
    try:
        return datetime.fromtimestamp(int(told), UTC).date().isoformat()
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(f"SOURCE_DATE_EPOCH is '{told}', which is no number of seconds") from error
