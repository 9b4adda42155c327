"""`insigma adapt`: a product's raw events to canonical events."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

import click
import orjson

from insigma.adapt.engine import Adapter, Given, NotGiven
from insigma.adapt.reading import read
from insigma.adapt.summary import GATE, BindingTally, Codes, Summary
from insigma.checks.base import finding
from insigma.checks.ins509_schema import CODE as SCHEMA
from insigma.checks.runner import check_adapter
from insigma.checks.schema_faults import faults
from insigma.cli.errors import UsageError
from insigma.cli.output import counted, did_you_mean
from insigma.content.files import SUFFIXES, shown_path
from insigma.content.model import Taxonomy
from insigma.content.pack import bundled_root, find_root, load_products
from insigma.content.products import ProductMapping, is_product, read_product
from insigma.content.yaml_reader import Document, read_file
from insigma.diagnostics.model import Diagnostic, ExitCode, Severity
from insigma.diagnostics.render import Format, Report, render
from insigma.diagnostics.render.hostile import visible

KEY_VARIABLE = "INSIGMA_HMAC_KEY"
MIN_KEY = 16
PROGRESS_STEP = 5_000
SHOWN_CODES = 20
SHOWN_LINES = 10


@click.command("adapt")
@click.argument("product", required=False)
@click.option("--list", "listed", is_flag=True, help="The products that there are adapters for.")
@click.option("--input", "input_path", default="-", show_default=True, help="The raw feed; .gz is unpacked; - is standard input.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="A setting of the adapter, such as organization=acme-re.")
@click.option("--table", "tables", multiple=True, metavar="NAME=FILE", help="A look-up table: CSV, two columns, no header.")
@click.option("--key-file", type=click.Path(path_type=Path), help=f"File with the key of hashes; without it the variable {KEY_VARIABLE}.")
@click.option("--strict", is_flag=True, help="Unmapped codes, unusable values and declared gaps are findings too.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How the summary on standard error is written.",
)
def command(
    product: str | None,
    listed: bool,
    input_path: str,
    settings: tuple[str, ...],
    tables: tuple[str, ...],
    key_file: Path | None,
    strict: bool,
    form: str,
) -> int:
    """Turn the raw events of PRODUCT into canonical ones, one JSON object a line on standard output.

    PRODUCT is the name of an adapter of the pack (see --list), or a file. What was read, written, unmapped and left
    empty is told on standard error: nothing is dropped without a word. Exit code 1: a line gave no event, or a required
    field is filled in fewer than 95 % of the events.
    """
    if listed:
        return _list()
    if product is None:
        raise UsageError("no product is named", "insigma adapt --list shows them")
    document, taxonomy = _find(product)
    mapping, found = _checked(document, taxonomy)
    if found:
        click.echo(render(Report.of(found), Format.TEXT), nl=False, err=True)
    if mapping is None or any(one.severity is Severity.ERROR for one in found):
        click.echo(f"insigma: {document.path} has faults; nothing was adapted", err=True)
        return ExitCode.UNUSABLE
    given = Given(_settings(settings, mapping), _tables(tables, mapping), _key(key_file) if mapping.hashes else b"")
    try:
        adapter = Adapter(mapping, taxonomy, given)
    except NotGiven as error:
        raise UsageError(str(error), error.hint) from error
    _run(adapter, mapping, input_path)
    _tell(adapter.summary, form)
    return ExitCode.OK if adapter.summary.passes(strict=strict) else ExitCode.FINDINGS


def _list() -> int:
    width = 0
    rows: list[tuple[str, str]] = []
    for document in _documents(_root())[0]:
        mapping = read_product(document)[0]
        if mapping is not None and mapping.product not in [name for name, _ in rows]:
            rows.append((mapping.product, mapping.title))
            width = max(width, len(mapping.product))
    for name, title in sorted(rows):
        click.echo(visible(f"{name:<{width}}  {title}"))
    return ExitCode.OK


def _root() -> Path:
    return find_root(Path.cwd()) or bundled_root()


def _documents(root: Path) -> tuple[tuple[Document, ...], Taxonomy]:
    """The adapters of the pack and of the one that it extends, in this order, and the taxonomy."""
    pack = load_products(root).pack
    return pack.documents, pack.taxonomy


def _find(product: str) -> tuple[Document, Taxonomy]:
    """The adapter of that name, or in that file, and the taxonomy that it is written in. Raises `UsageError`."""
    if "/" in product or Path(product).suffix in SUFFIXES:
        path = Path(product)
        documents, taxonomy = _documents(find_root(path) or _root())
        result = read_file(path, shown_path(path))
        if not result.documents:
            said = "; ".join(one.message for one in result.diagnostics)
            raise UsageError(f"{product}: {said}")
        if not is_product(result.documents[0]):
            raise UsageError(f"{product} is no adapter", "an adapter has the keys product and bindings; see docs/adapters.md")
        return result.documents[0], taxonomy
    documents, taxonomy = _documents(_root())
    names = {Path(document.path).stem: document for document in reversed(documents)}
    if product not in names:
        raise UsageError(f"there is no adapter '{product}'", did_you_mean(product, names, f"one of {', '.join(sorted(names))}"))
    return names[product], taxonomy


def _checked(document: Document, taxonomy: Taxonomy) -> tuple[ProductMapping | None, tuple[Diagnostic, ...]]:
    """The adapter and everything that is wrong with it."""
    mapping, read_faults = read_product(document)
    places = {one.place for one in read_faults}
    schema = []
    for fault in faults("product-mapping", document.data):
        place = document.key_place(*fault.path) if fault.at_key else document.place(*fault.path)
        if place not in places:
            schema.append(finding(SCHEMA, place, fault.message, fault.hint))
    found = {*read_faults, *schema, *check_adapter(document, taxonomy)}
    return mapping, tuple(sorted(found, key=lambda one: (one.place, one.code, one.message)))


def _settings(written: tuple[str, ...], mapping: ProductMapping) -> Mapping[str, str]:
    return dict(_pair(text, "--set", mapping.settings) for text in written)


def _pair(text: str, option: str, known: Mapping[str, Any]) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not value:
        raise UsageError(f"{option} {text}: nothing is given", f"write {option} NAME=VALUE")
    if name not in known:
        raise UsageError(f"{option}: the adapter knows no '{name}'", did_you_mean(name, known, f"it knows {', '.join(known) or 'none'}"))
    return name, value


def _tables(written: tuple[str, ...], mapping: ProductMapping) -> Mapping[str, Mapping[str, str]]:
    found = {}
    for text in written:
        name, path = _pair(text, "--table", mapping.tables)
        try:
            with Path(path).open(encoding="utf-8-sig", newline="") as stream:
                rows = [row for row in csv.reader(stream) if row]
        except (UnicodeDecodeError, csv.Error) as error:
            raise UsageError(f"{path}: not CSV in UTF-8", "two columns: the value of the source, and the word for it") from error
        if any(len(row) != 2 for row in rows):
            raise UsageError(f"{path}: a line has not two columns", "the value of the source, and the word for it")
        found[name] = {key: word for key, word in rows}  # noqa: C416 - the rows are lists, which dict() does not take for the type checker
    return found


def _key(key_file: Path | None) -> bytes:
    """The key of hashes. It is never shown, whatever is wrong with it. Raises `UsageError`."""
    if key_file is not None:
        key = key_file.read_bytes().strip()
    else:
        key = os.environ.get(KEY_VARIABLE, "").encode("utf-8", "surrogateescape")
    if key and len(key) < MIN_KEY:
        raise UsageError("the key of hashes is too short", f"at least {MIN_KEY} bytes, made at random, such as openssl rand -hex 32")
    return key


def _run(adapter: Adapter, mapping: ProductMapping, path: str) -> None:
    try:
        with _opened(path) as stream, _progress() as advance:
            for event in adapter.feed(read(stream, mapping.input)):
                click.echo(orjson.dumps(event))
                if adapter.summary.written % PROGRESS_STEP == 0:
                    advance(adapter.summary.written)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise UsageError(f"{path}: not readable as gzip: {error}") from error


def _opened(path: str) -> IO[bytes]:
    if path == "-":
        return sys.stdin.buffer
    if path.endswith(".gz"):
        return cast(IO[bytes], io.BufferedReader(gzip.open(path, "rb")))
    return Path(path).open("rb")


@contextmanager
def _progress() -> Iterator[Any]:
    """A line on the terminal that counts events; nothing where standard error is no terminal, or events go there too."""
    if not sys.stderr.isatty() or sys.stdout.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("adapting") as status:
        yield lambda written: status.update(f"adapted {written:,} events")


def _tell(summary: Summary, form: str) -> None:
    if form == "json":
        click.echo(json.dumps(summary.as_object(), separators=(",", ":")), err=True)
        return
    for line in _lines(summary):
        click.echo(visible(line), err=True)


def _lines(summary: Summary) -> Iterator[str]:
    yield f"insigma: {counted(summary.read, 'raw event')}, {counted(summary.written, 'canonical event')} ({summary.mapping.product})"
    if summary.defaults:
        taken = ", ".join(f"{name} ({value})" for name, value in sorted(summary.defaults.items()))
        yield f"  not given, taken as: {taken}; say --set {next(iter(sorted(summary.defaults)))}=..."
    for tally in summary.tallies:
        yield f"  {tally.binding.name}: {counted(tally.events, 'event')} of {tally.binding.logsource}"
        yield from _tally_lines(tally)
    if summary.untaken.total:
        yield f"  taken by no binding: {_codes(summary.untaken)}"
    if summary.ignored.total:
        yield f"  left out on purpose: {_codes(summary.ignored)}"
    for line, reason in summary.rejected[:SHOWN_LINES]:
        yield f"  line {line:,} gave no event: {reason}"
    if summary.rejections > SHOWN_LINES:
        yield f"  and {summary.rejections - SHOWN_LINES:,} more lines gave no event"


def _tally_lines(tally: BindingTally) -> Iterator[str]:
    for name in tally.low():
        yield f"    {name} is filled in {tally.rate(name):.1f} % of the events; at least {GATE} % are needed"
    for name in tally.gaps():
        yield f"    {name} is never filled: {tally.binding.unfilled[name]}"
    for said, kind in (
        ("unmapped codes of", tally.unmapped),
        ("not in the table of", tally.unknown),
        ("unusable values of", tally.unusable),
    ):
        for name, codes in sorted(kind.items()):
            yield f"    {said} {name}: {_codes(codes)}"


def _codes(codes: Codes) -> str:
    entries = list(codes.sorted().items())
    shown = ", ".join(f"{code} ({number:,})" for code, number in entries[:SHOWN_CODES])
    return shown + (f" and {counted(len(entries) - SHOWN_CODES, 'further code')}" if len(entries) > SHOWN_CODES else "")
