"""Aligned tables for people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from insigma.diagnostics.render.hostile import visible

WIDTH = 118
"""No line of a table is longer: what is in its last column is cut."""


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], right: Collection[int] = (), indent: int = 2) -> Iterator[str]:
    """A line of heads and one for each row. Columns in `right` are aligned to the right; nothing at all without rows."""
    cells = [[visible(str(cell)) for cell in row] for row in rows]
    if not cells:
        return
    lines = [list(heads), *cells]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        shown = (
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        yield cut(" " * indent + "  ".join(shown).rstrip())


def cut(line: str) -> str:
    """The line, shortened at a word if it is too long."""
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 2].rsplit(' ', 1)[0]} …"


def listed(names: Sequence[str], most: int = 6) -> str:
    """Names in one text: all of a few, else the first and how many more."""
    return ", ".join(names) if len(names) <= most else f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
