"""Text from files that nobody vouches for, made safe to show.

Messages quote rules, and rules may hold anything: terminal escapes, text that runs from right to left, line breaks that
would forge a line of output, code points that no XML may hold.
"""

from __future__ import annotations

import re

# Controls (C0, DEL, C1), soft hyphen, zero-width and bidirectional format characters, line and paragraph separators,
# annotations, surrogates (from undecodable file names), non-characters, tags.
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
_SIGN = re.compile(r"[\\`*\[\]|#&~]|_(?![^\W_])")
"""What Markdown may take for its own inside of a line, but for `<`. Of underscores only those behind which a word ends can do anything."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    if char in _NAMED:
        return _NAMED[char]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible(text: str) -> str:
    """`text` on one line, with every character that does not show itself written as an escape."""
    return _UNSEEN.sub(_escape, text)


def visible_lines(text: str) -> list[str]:
    """The lines of a text of ours that may have several, each made visible."""
    return [visible(line) for line in text.split("\n")] if text else []


def as_markdown(text: str) -> str:
    """`text` on one line of Markdown, or in a cell of a table, where nothing of it is more than text."""
    return _SIGN.sub(r"\\\g<0>", visible(" ".join(text.split()))).replace("<", "&lt;")


def encodable(text: str) -> str:
    """`text` with lone surrogates written as escapes: what remains can be encoded as UTF-8."""
    return _SURROGATE.sub(_escape, text)


def defused(line: str) -> str:
    """`line` as no GitHub runner takes it for a command: `::x::` at a line's start, `##[x]` anywhere."""
    line = line.replace("##[", r"#\x23[")
    return line.replace("::", r"\x3a:", 1) if line.lstrip().startswith("::") else line
