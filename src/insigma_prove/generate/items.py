"""Strategies for items of a selection: every modifier, on fields of every type, with awkward values."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from insigma_prove.generate import alphabet
from insigma_prove.generate.drafts import FIELDS, Item, escaped, numbers_of
from insigma_prove.generate.draws import pick, rarely
from insigma_prove.generate.regexes import regexes

TEXTS: SearchStrategy[str] = st.one_of(
    st.sampled_from(alphabet.PLAIN),
    st.sampled_from(alphabet.TEXTS),
    st.tuples(st.sampled_from(alphabet.TEXTS), st.sampled_from(alphabet.TEXTS)).map("".join),
    st.text(st.sampled_from('ab\\*?AB "\nü'), max_size=5),
)
"""Literal texts."""

LIST_NAMES = ("names", "hosts")


@st.composite
def patterns(draw: DrawFn) -> tuple[str, str]:
    """A Sigma string as written, and a text that it matches (or nearly, where the escapes are left to Sigma)."""
    kind = pick(draw, ("plain", "plain", "raw", "wild", "wild"))
    if kind != "wild":
        text = draw(TEXTS)
        return (escaped(text), text) if kind == "plain" else (text, text)
    written, hit = "", ""
    for part in draw(st.lists(st.sampled_from(("text", "*", "?", "\\*", "\\?", "\\\\")), min_size=1, max_size=4)):
        if part == "text":
            text = draw(TEXTS)
            written, hit = written + escaped(text), hit + text
        else:
            written += part
            hit += pick(draw, ("", "x", "a\nb")) if part == "*" else pick(draw, "xü") if part == "?" else part[1]
    return written, hit


def _text_field(draw: DrawFn, cased: bool) -> str:
    """A text field; where its case is asked for, mostly one that every target keeps in its own case."""
    return pick(draw, (*FIELDS.cased * 4, *FIELDS.texts) if cased else FIELDS.texts)


def _several(draw: DrawFn, values: SearchStrategy[Any]) -> list[Any]:
    """Mostly one value, sometimes up to four."""
    return draw(st.lists(values, min_size=1, max_size=pick(draw, (1, 1, 1, 2, 4))))


def _written(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


@st.composite
def _text_items(draw: DrawFn) -> Item:
    """Equality, wildcards, `contains` and its like, `all`, `cased`, `neq`."""
    cased = pick(draw, ("", "", "", "|cased"))
    field = _text_field(draw, bool(cased))
    affix = pick(draw, ("", "", "|contains", "|startswith", "|endswith"))
    found = _several(draw, patterns())
    hits: list[Any] = [_around(draw, affix, hit) for _, hit in found]
    joint = pick(draw, ("", "", "|all")) if len(found) > 1 else pick(draw, ("", "", "", "", "|neq"))
    if joint == "|all":
        hits = [hits, "".join(hit for _, hit in found)] if field in FIELDS.arrays else ["".join(hit for _, hit in found)]
    return Item(field + affix + cased + joint, _written([written for written, _ in found]), field, tuple(hits))


def _around(draw: DrawFn, affix: str, hit: str) -> str:
    """A text that the affix still finds."""
    before = pick(draw, ("", "z")) if affix in ("|contains", "|endswith") else ""
    after = pick(draw, ("", "z", "\n")) if affix in ("|contains", "|startswith") else ""
    return before + hit + after


@st.composite
def _regex_items(draw: DrawFn) -> Item:
    flags = pick(draw, ("", "|i", "|i", "|i", "|s", "|i|s", "|i|m|s"))
    field = _text_field(draw, "|i" not in flags)
    affix = pick(draw, ("", "", "", "|contains", "|startswith", "|endswith"))
    found = _several(draw, regexes())
    return Item(f"{field}|re{affix}{flags}", _written([written for written, _ in found]), field, tuple(hit for _, hit in found))


@st.composite
def _number_items(draw: DrawFn) -> Item:
    """Numbers against number fields and, as text, against strings."""
    field = pick(draw, (*FIELDS.numbers, *FIELDS.strings))
    values = _several(draw, st.sampled_from(numbers_of(field)))
    if rarely(draw, 3):
        values = [_canonical(value) for value in values]
        return Item(field, _written(values), field, tuple(values) if field in FIELDS.strings else tuple(map(_number, values)))
    return Item(field + pick(draw, ("", "", "|neq")), _written(values), field, tuple(values))


def _canonical(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else f"{value:.20f}".rstrip("0") if abs(value) < 1e-4 else repr(value)


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)


@st.composite
def _order_items(draw: DrawFn) -> Item:
    field = pick(draw, FIELDS.numbers)
    value = pick(draw, (*numbers_of(field), 10.5) if field in FIELDS.longs else numbers_of(field))
    operator = pick(draw, ("gte", "gt", "lte", "lt"))
    near = [value + step for step in (0, 1, -1) if abs(value) < 2**24]
    return Item(f"{field}|{operator}", value, field, tuple(near) or (value,))


@st.composite
def _presence_items(draw: DrawFn) -> Item:
    field = pick(draw, (*FIELDS.texts, *FIELDS.numbers, *FIELDS.addresses))
    if draw(st.booleans()):
        return Item(field, None, field, (None,))
    return Item(f"{field}|exists", draw(st.booleans()), field, (None,))


@st.composite
def _address_items(draw: DrawFn) -> Item:
    field = pick(draw, (*FIELDS.addresses * 20, *FIELDS.strings))
    if field in FIELDS.addresses and draw(st.booleans()):
        values = _several(draw, st.sampled_from(alphabet.ADDRESSES))
        return Item(field, _written(values), field, tuple(values))
    return Item(f"{field}|cidr", _written(_several(draw, st.sampled_from(alphabet.NETWORKS))), field, alphabet.ADDRESSES)


@st.composite
def _reference_items(draw: DrawFn) -> Item:
    numeric = rarely(draw, 3)
    pool = FIELDS.numbers if numeric else (*FIELDS.strings, *FIELDS.arrays)
    field, other = pick(draw, pool), pick(draw, pool)
    affix = "" if numeric else pick(draw, ("", "", "|startswith", "|endswith", "|contains"))
    cased = "" if numeric else pick(draw, ("", "|cased"))
    return Item(f"{field}|fieldref{affix}{cased}", other, field, (), other)


_ENCODERS = {
    "|base64": ("utf-8", True), "|base64offset": ("utf-8", True), "|wide|base64": ("utf-16-le", True),
    "|utf16be|base64": ("utf-16-be", True),
    "|wide|base64offset": ("utf-16-le", True), "|utf16|base64offset": ("utf-16", True), "|utf16le|base64": ("utf-16-le", True),
    "|wide": ("utf-16-le", False), "|utf16be": ("utf-16-be", False),
}  # fmt: skip


@st.composite
def _encoded_items(draw: DrawFn) -> Item:
    field = pick(draw, FIELDS.strings)
    modifiers = pick(draw, tuple(_ENCODERS))
    encoding, in_base64 = _ENCODERS[modifiers]
    words = ("whoami", "ab", "abc", 'q"q', "C:\\x", "a*b", "\x00\x01")
    text = pick(draw, (*words, "Ünïcode", "😀😀") if in_base64 else words)
    raw = text.encode(encoding)
    shifted = pick(draw, (b"", b"x", b"xy")) if "offset" in modifiers else b""
    hit = b64encode(shifted + raw + (b"tail" if shifted else b"")).decode() if in_base64 else raw.decode("utf-8", "replace")
    affix = pick(draw, ("|contains", "|contains", ""))
    return Item(field + modifiers + affix, escaped(text), field, (hit, f"x {hit} y", hit.lower()))


@st.composite
def _windash_items(draw: DrawFn) -> Item:
    field = pick(draw, FIELDS.strings)
    affix = pick(draw, ("|contains", "", "|startswith", "|endswith", "|contains|cased"))
    value = pick(draw, alphabet.WINDASH)
    hits = tuple(value.replace("-", dash).replace("/", dash) for dash in alphabet.DASHES)
    return Item(f"{field}|windash{affix}", value, field, hits)


@st.composite
def _listed_items(draw: DrawFn) -> Item:
    """Placeholders; what fills them is drawn with the rule, so the hits are the lists' own."""
    affix = pick(draw, ("", "|contains", "|startswith", "|endswith", "|cased"))
    field = _text_field(draw, affix == "|cased")
    name = pick(draw, LIST_NAMES)
    value = pick(draw, (f"%{name}%", f"a%{name}%", f"%{name}%*b", "%names%-%hosts%"))
    return Item(f"{field}|expand{affix}", value, field)


_TIME_PARTS: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("hour", (0, 1, 2, 10, 23)),
    ("minute", (0, 29, 59)),
    ("day", (1, 14, 29, 31)),
    ("week", (1, 7, 13, 53)),
    ("month", (1, 2, 3, 12)),
    ("year", (2025, 2026, 2028)),
)


@st.composite
def _time_items(draw: DrawFn) -> Item:
    unit, values = pick(draw, _TIME_PARTS)
    return Item(f"{FIELDS.dates[0]}|{unit}", pick(draw, values), "")


@st.composite
def _flag_items(draw: DrawFn) -> Item:
    value = draw(st.booleans())
    return Item(field := pick(draw, FIELDS.strings), value, field, (value, str(value).upper(), str(value).lower(), int(value)))


@st.composite
def items(draw: DrawFn) -> Item:
    """Any item with a field, the common kinds more often."""
    return draw(pick(draw, _KINDS))


_COMMON = (_text_items(), _text_items(), _text_items(), _regex_items(), _number_items(), _order_items(), _presence_items())
_OTHERS = (_address_items(), _encoded_items(), _windash_items(), _listed_items(), _flag_items())
_KINDS = (*_COMMON * 4, *_OTHERS * 3, _reference_items(), _reference_items(), _time_items())


@st.composite
def _keyword_patterns(draw: DrawFn) -> tuple[str, str]:
    """Mostly with a letter that no number, date or address has: others are refused where one is stored as such."""
    written, hit = draw(patterns())
    mark = pick(draw, ("view", "kx", "Q", "ü", "view", "kx", "Q", "ü", ""))
    return (mark + written, mark + hit) if draw(st.booleans()) else (written + mark, hit + mark)


@st.composite
def keywords(draw: DrawFn) -> tuple[Any, tuple[Item, ...]]:
    """A selection of keywords as written, and its items."""
    kind = pick(draw, ("list", "list", "all", "re", "cased"))
    if kind == "re":
        written, hit = draw(regexes())
        return {"|re": written}, (Item("|re", written, "", (hit,)),)
    found = draw(st.lists(_keyword_patterns(), min_size=1, max_size=3))
    values = [written for written, _ in found]
    made = tuple(Item("", written, "", (hit, f"x {hit}")) for written, hit in found)
    return (values if kind == "list" else {f"|{kind}": values}), made
