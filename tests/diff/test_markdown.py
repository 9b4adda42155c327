"""Text of nobody we know, put into Markdown."""

from __future__ import annotations

import pytest

from insigma.diff.markdown import cell, code, cut, fenced
from insigma.diff.said import unified


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("a", "`a`"),
        ("a`b", "``a`b``"),
        ("`a", "`` `a ``"),
        ("``a```", "```` ``a``` ````"),
        ("", "` `"),
        (" a", "`  a `"),
        ("a\nb", "`a\\nb`"),
        ("\u202ea\x1b", "`\\u202ea\\x1b`"),
        ("<b>@x</b>", "`<b>@x</b>`"),
    ],
)
def test_code(text: str, span: str) -> None:
    assert code(text) == span


def test_a_bar_in_a_table_becomes_a_number_as_every_mark_beside_it() -> None:
    assert cell("a") == "`a`"
    assert cell(r"a\|`www.x.y` *b* _c_ é") == ("<code>a&#92;&#124;&#96;www&#46;x&#46;y&#96; &#42;b&#42; &#95;c&#95; &#233;</code>")


def test_fences_are_longer_than_what_they_hold() -> None:
    assert fenced(["+ a", "````", "\x1b"], "diff") == ["`````diff", "+ a", "````", "\\x1b", "`````"]
    assert fenced([], "text") == ["```text", "```"]


def test_cut() -> None:
    assert cut("abc", 3) == "abc"
    assert cut("abcd", 3) == "abc…"
    assert cut("\n\n", 3) == "\\n\\…"


def test_lines_that_look_like_the_head_of_a_diff_are_kept() -> None:
    assert unified(["-- a", "x"], ["++ b", "x"]) == ("@@ -1,2 +1,2 @@", "--- a", "+++ b", " x")
