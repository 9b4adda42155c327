"""Queries and native objects in the colours of the terminal: plain text with styles, never wrapped, so that it can be copied."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.console import Console
from rich.highlighter import JSONHighlighter
from rich.text import Text
from rich.theme import Theme

_STYLES = Theme(
    {"show.string": "green", "show.number": "cyan", "show.keyword": "bold magenta", "show.field": "blue", "show.head": "bold blue"}
)

_QUERY = re.compile(
    r"""
    (?P<string> "(?:[^"\\]|\\.)*" )
  | (?P<field> '[^'\n]*' | [A-Za-z_@][\w.@\\-]*(?=\s*(?:[:=<>]|!=)) )
  | (?P<keyword> (?<=\|[ ])\w+ | \b(?:AND|OR|NOT|TO|IN|BY|AS|IS|NULL|LIKE|RLIKE|FROM|METADATA|DESC|ASC)\b
      | \b(?:and|or|not|in|by|as|like|regex|any|where|sequence|sample|until|with|maxspan|runs|null|true|false)\b )
  | (?P<number> (?<![\w.])\d+(?:\.\d+)?(?![\w.]) )
    """,
    re.VERBOSE,
)
"""What query languages have in common. One pattern from left to right: nothing inside a string is taken for anything else."""

_CONF = re.compile(r"^(?:(?P<head>\[.*\])$|(?P<field>[\w.]+)(?=[ ]=))", re.MULTILINE)
_JSON = JSONHighlighter()


def write_highlighted(title: str, facts: Sequence[str], texts: Sequence[str]) -> None:
    """Title and facts on a line, then the texts."""
    console = Console(theme=_STYLES, highlight=False)
    console.print(Text(title, style="bold"), Text(f"({', '.join(facts)})", style="dim"), soft_wrap=True)
    for number, text in enumerate(texts):
        if number:
            console.print()
        console.print(highlighted(text), soft_wrap=True)


def highlighted(text: str) -> Text:
    """The text with styles: as JSON, as a stanza of a .conf file, or as a query, by how it begins."""
    styled = Text(text)
    if text.startswith("{"):
        _JSON.highlight(styled)
    else:
        styled.highlight_regex(_CONF if _CONF.match(text) and text.startswith("[") else _QUERY, style_prefix="show.")
    return styled
