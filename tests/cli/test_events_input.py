"""Reading events: the same events in every form, a position for each, and no input that stops the program."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insigma.cli.errors import UsageError
from insigma.cli.events_input import EventSource

texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
events = st.lists(st.dictionaries(texts, values, max_size=4), max_size=5)


def read(text: bytes) -> tuple[list[dict[str, Any] | None], EventSource]:
    """What is read from standard input."""
    source = EventSource("-")
    with mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(text))):
        return list(source.events()), source


@settings(derandomize=True, deadline=None, max_examples=200)
@given(events, st.booleans(), st.sampled_from([None, 1]), st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_every_form_gives_the_same_events(given_events: list[dict[str, Any]], ascii_only: bool, indent: int | None, ending: str) -> None:
    array = json.dumps(given_events, ensure_ascii=ascii_only, indent=indent)
    lines = ending.join(json.dumps(event, ensure_ascii=ascii_only) for event in given_events)
    for text in (array, lines, f"\ufeff{array}", f"\n\n{lines}\n"):
        found, source = read(text.encode("utf-8"))
        assert (found, source.faulty) == (given_events, 0)


@settings(derandomize=True, deadline=None, max_examples=400)
@given(
    st.lists(
        st.binary(max_size=12).map(lambda line: line.replace(b"\n", b" "))
        | st.sampled_from([b"{}", b'{"a":1}', b"null", b"[]", b'{"a"', b'"x"'])
    )
)
def test_every_line_takes_one_position_whatever_is_in_it(lines: list[bytes]) -> None:
    written = [b'{"first": true}', *lines]
    found, source = read(b"\n".join(written))
    assert len(found) == sum(bool(line.strip()) for line in written)
    assert sum(event is None for event in found) == source.faulty
    assert len(source.faults) == min(source.faulty, 5)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.binary(max_size=80), st.booleans())
def test_any_bytes_are_read_or_refused_in_words(content: bytes, packed: bool) -> None:
    folder = Path(tempfile.mkdtemp())
    path = folder / ("events.gz" if packed else "events.json")
    path.write_bytes(content)
    source = EventSource(str(path))
    found: list[Any] = []
    refused = None
    try:
        found.extend(source.events())
    except UsageError as error:
        refused = error
    finally:
        shutil.rmtree(folder)
    assert all(event is None or isinstance(event, dict) for event in found)
    assert refused is None or (str(path) in refused.message and refused.exit_code == 3)


def test_gzip_is_unpacked_by_suffix(tmp_path: Path) -> None:
    (tmp_path / "events.json.gz").write_bytes(gzip.compress(b'[{"a": 1}]'))
    assert list(EventSource(str(tmp_path / "events.json.gz")).events()) == [{"a": 1}]


@pytest.mark.parametrize(
    ("text", "event"), [(b'{"a": "\\ud83d"}', {"a": "\ufffd"}), (b'{"\\udc00": [{"b": "\\ud800x"}], "n": 1e400}', None)]
)
def test_half_a_surrogate_pair_becomes_the_replacement_character(text: bytes, event: dict[str, Any] | None) -> None:
    (found,), _ = read(text)
    assert found == (event if event is not None else {"\ufffd": [{"b": "\ufffdx"}], "n": float("inf")})
