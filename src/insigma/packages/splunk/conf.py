"""The grammar of Splunk's .conf files: stanzas of settings, and what a value may hold.

Source: "Configuration file structure" in Splunk's Admin Manual. A value ends with its line, unless the line ends with a
backslash; a line that begins with `#` or `[` is a comment or a stanza. So no value here holds a line break of its own, a
search's lines are joined by backslashes, and nothing that comes from people stands at the end of a line where it could make
one. There are no quotes and no escapes: a value is the text after the first `=`, without the space around it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from insigma.targets.base import Refused

_UNCARRIED = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff]")
"""Control characters, lone surrogates, and separators of lines and paragraphs (general categories Cc, Cs, Zl, Zp)."""


def carried(text: str) -> bool:
    """Whether a line of a .conf or .csv file can hold the text as it is."""
    return _UNCARRIED.search(text) is None


def line(text: str) -> str:
    """The text on one line: line breaks, control and separator characters become spaces, and those one space."""
    return " ".join(_UNCARRIED.sub(" ", text).split())


def search(query: str) -> str:
    """The search over several lines, each but the last ended by a backslash. Raises `Refused`."""
    lines = query.split("\n")
    for each in lines:
        if each.endswith("\\") or not carried(each):
            raise Refused("the search holds characters that a .conf file cannot carry", ("detection",))
    if any(not each.strip() for each in lines):
        raise Refused("the search has an empty line, which a .conf file would end it with", ("detection",))
    return " \\\n".join(lines)


def stanza(name: str, settings: Mapping[str, str]) -> str:
    """One stanza, ending with a line break. The name and the values are as they may stand there: see `line` and `search`."""
    return "".join((f"[{name}]\n", *(f"{key} = {value}\n" for key, value in settings.items())))


def stanzas(texts: Sequence[str]) -> str:
    """The file of the stanzas, in their order."""
    return "\n".join(texts)
