"""Progress of long work: a bar on the terminal, nothing where standard error is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol


class Progress(Protocol):
    """Tells how far the build is: a step's name, and one more piece of it done."""

    def step(self, name: str, pieces: int) -> None: ...

    def advance(self) -> None: ...


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """A bar on the terminal; nothing where standard error is no terminal."""
    if not sys.stderr.isatty():
        yield _Silent()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    with Bar(TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn(), console=Console(stderr=True), transient=True) as bar:
        yield _OnTerminal(bar)


class _Silent:
    def step(self, name: str, pieces: int) -> None:
        """Say nothing."""

    def advance(self) -> None:
        """Say nothing."""


class _OnTerminal:
    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._task = bar.add_task("reading", total=1)

    def step(self, name: str, pieces: int) -> None:
        self._bar.reset(self._task, total=max(pieces, 1), description=name)

    def advance(self) -> None:
        self._bar.advance(self._task)
