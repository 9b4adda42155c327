"""The pages of codes that no check module documents: what a code means, why it is bad, an example, the fix."""

from __future__ import annotations

from importlib.resources import files

from insigma.diagnostics.catalogue import CODES


def page(code: str) -> str | None:
    """The page of a code as Markdown, or None if it has none here (a check's docstring is its page) or there is no such code."""
    if code not in CODES:
        return None
    resource = files("insigma.diagnostics").joinpath("pages", f"{code}.md")
    return resource.read_text(encoding="utf-8") if resource.is_file() else None
