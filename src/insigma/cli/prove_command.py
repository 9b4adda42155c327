"""`insigma prove`: the command lives with the engines, in the package `insigma_prove`."""

from __future__ import annotations

from insigma_prove.cli import command

__all__ = ["command"]
