"""Files that are no rules: bytes, and the faults that must be found in them: line, column, code, a part of the message."""

from __future__ import annotations

from dataclasses import dataclass

from insigma.content.yaml_reader import MAX_ALIAS_NODES, MAX_DEPTH


@dataclass(frozen=True, slots=True)
class Hostile:
    name: str
    raw: bytes
    expect: tuple[str, ...]


def _bomb() -> bytes:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    return "\n".join(lines).encode()


def _tower() -> bytes:
    """Aliases that pile up: no collection is written deep, the value is."""
    lines = [f"a0: &a0 {'[' * 30}{']' * 30}"]
    lines += [f"a{n}: &a{n} {'[' * 30}*a{n - 1}{']' * 30}" for n in range(1, 3)]
    return "\n".join(lines).encode()


TABLE = (
    Hostile("nothing", b"", ("1:1 INS012 the file holds no document",)),
    Hostile("only a comment", b"# nothing here\n", ("1:1 INS012 the file holds no document",)),
    Hostile("only empty documents", b"---\n---\nnull\n", ("1:1 INS012 the file holds no document",)),
    Hostile("only a byte order mark", b"\xef\xbb\xbf", ("1:1 INS012 the file holds no document",)),
    Hostile("a byte that is not UTF-8", b"a: b\nc: \xff\n", ("2:4 INS003 byte 0xff is not UTF-8",)),
    Hostile("a byte that is not UTF-8 after letters of several bytes", "é: ü".encode() + b"\xfe", ("1:5 INS003 byte 0xfe is not UTF-8",)),
    Hostile("a byte that is not UTF-8 after a byte order mark", b"\xef\xbb\xbfab\xfd", ("1:3 INS003 byte 0xfd is not UTF-8",)),
    Hostile("UTF-16", "a: b".encode("utf-16"), ("1:1 INS003 byte 0xff is not UTF-8",)),
    Hostile("a surrogate", b"a: \xed\xa0\x80", ("1:4 INS003 byte 0xed is not UTF-8",)),
    Hostile("a NUL", "a: b\né: x\0".encode(), ("2:5 INS005 control characters are not allowed",)),
    Hostile("an escape sequence", b"a: b\n\x1b[2J: c", ("2:1 INS005 control characters are not allowed",)),
    Hostile("a tab in the indentation", b"a:\n  b: c\n\td: e\n", ("3:1 INS004 a tab in the indentation",)),
    Hostile("a tab after spaces", b"a:\n  b:\n  \tc: d\n", ("3:3 INS004 a tab in the indentation",)),
    Hostile("a quote that does not close", b'a: "b\nc: d\n', ("1:4 INS005 found unexpected end of stream",)),
    Hostile("a bracket that does not close", b"a: [b\nc: d\n", ("2:2 INS005 did not find expected",)),
    Hostile("a colon too many", b"a: b: c\n", ("1:5 INS005 mapping values are not allowed",)),
    Hostile("an unknown escape", b'a: "\\q"\n', ("1:5 INS005 found unknown escape character",)),
    Hostile("a list", b"- a\n- b\n", ("1:1 INS009 the document is a list",)),
    Hostile("a word", b"# comment\nhello\n", ("2:1 INS009 the document is a single value",)),
    Hostile("a number and a list, then a rule", b"0\n---\n[a]\n---\na: b\n", ("1:1 INS009 a single value", "3:1 INS009 a list")),
    Hostile("a key that stands twice", b"a: b\nc: d\na: e\n", ("3:1 INS006 key 'a' stands here and on line 1",)),
    Hostile(
        "keys that stand twice on every level",
        b"a: {b: 1, b: 2}\na: [{c: 1, c: 2}]\n",
        (
            "1:11 INS006 key 'b' stands here and on line 1",
            "2:1 INS006 key 'a' stands here and on line 1",
            "2:12 INS006 key 'c' stands here and on line 2",
        ),
    ),
    Hostile("aliases that multiply", _bomb(), (f"4:10 INS007 aliases expand to more than {MAX_ALIAS_NODES:,} nodes",)),
    Hostile("many aliases of one list", b"a: &a [x, x, x]\nb: [" + b"*a, " * 260 + b"]", ("2:1005 INS007 aliases expand",)),
    Hostile("brackets without end", b"a: " + b"[" * 100_000, (f"1:{3 + MAX_DEPTH} INS008 nested more than {MAX_DEPTH} deep",)),
    Hostile("mappings without end", b"? " * 100_000, ("1:3 INS005 a collection stands where a key is meant",)),
    Hostile("indentation without end", "\n".join(" " * n + "a:" for n in range(500)).encode(), ("65:65 INS008 nested more than 64 deep",)),
    Hostile("aliases that pile up", _tower(), ("3:39 INS008 nested more than 64 deep",)),
    Hostile("an alias without an anchor", b"a: *b\n", ("1:4 INS005 alias *b has no anchor before it",)),
    Hostile("a list inside itself", b"a: &a [*a]\n", ("1:8 INS005 alias *a has no anchor before it",)),
    Hostile("an anchor of another document", b"a: &a b\n---\nc: *a\n", ("3:4 INS005 alias *a has no anchor before it",)),
    Hostile("an alias as a key", b"a: &a b\n*a : c\n", ("2:1 INS005 an alias stands where a key is meant",)),
    Hostile("a list as a key", b"[a, b]: c\n", ("1:1 INS005 a collection stands where a key is meant",)),
    Hostile("a tag on a scalar", b"a: !!int '5'\n", ("1:4 INS005 tag tag:yaml.org,2002:int is not read",)),
    Hostile(
        "a tag on a mapping", b"a: !!python/object/apply:os.system {b: c}\n", ("1:4 INS005 python/object/apply:os.system is not read",)
    ),
    Hostile("a tag on a list", b"a: !own [b]\n", ("1:4 INS005 tag !own is not read",)),
    Hostile("a merge key", b"a: &a {b: c}\nd:\n  <<: *a\n", ("3:3 INS005 merge keys are not read",)),
)
