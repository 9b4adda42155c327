"""Each step of an adapter, and raw events that nobody vouches for."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import pytest

from insigma.adapt.engine import HIDDEN, Adapter, Given, NotGiven
from insigma.adapt.reading import MAX_LINE, Raw, read
from insigma.adapt.summary import MAX_CODES, MAX_REJECTED
from insigma.adapt.values import Unusable, double, hashed, long, moment, number, text
from insigma.content.products import HashForm, ProductMapping, read_product
from insigma.content.raw_paths import BadPath, follow, plain_text, read_path
from insigma.content.yaml_reader import read_bytes
from tests.adapt.test_samples import pack

HEAD = """
product: test
title: Test
documented: false
unverified: [all]
input: {format: ndjson}
settings: {organization: {description: tenant, default: acme}, zone: {description: zone, default: UTC}}
tables: {users: {description: users, values: {u1: a.weber}}}
code: type
ignored: {PING: alive}
bindings:
  - name: one
    logsource: insurance_claims
    when: {type: [A, B]}
    fields:
      '@timestamp': t
      organization.id: {setting: organization}
      event.action: {from: type, values: {A: claim-view}}
      event.outcome: {constant: SUCCESS}
"""


def mapping(more: str = "", head: str = HEAD) -> ProductMapping:
    (document,) = read_bytes((head + more).encode(), "mappings/products/test.yml").documents
    found, faults = read_product(document)
    assert found is not None
    assert faults == ()
    return found


def run(raw: bytes, more: str = "", head: str = HEAD, key: bytes = b"k" * 16) -> tuple[list[dict[str, Any]], Adapter]:
    found = mapping(more, head)
    adapter = Adapter(found, pack().taxonomy, Given(key=key))
    return list(adapter.feed(read(io.BytesIO(raw), found.input))), adapter


def one(record: Mapping[str, Any], more: str) -> dict[str, Any]:
    """The event of one record of type A at a fixed time."""
    events, _ = run(json.dumps({"type": "A", "t": "2026-02-14T10:40:00Z", **record}).encode(), more)
    assert len(events) == 1
    return events[0]


@pytest.mark.parametrize(
    ("binding", "record", "expected"),
    [
        ("user.name: u.name", {"u": {"name": "J.Kowalska"}}, "j.kowalska"),
        ("user.name: {from: [x, u]}", {"u": "Anna"}, "anna"),
        ("user.name: {from: [x, u]}", {"x": None, "u": "Anna"}, "anna"),
        ("user.name: {from: [x, y], join: '-'}", {"x": "a", "y": "b"}, "a-b"),
        ("user.name: {from: [x, y], join: '-'}", {"x": "a"}, None),
        ("user.name: {from: u, extract: '^([^@]+)'}", {"u": "anna@x"}, "anna"),
        ("user.name: {from: u, extract: '^[^@]+'}", {"u": "anna@x"}, "anna"),
        ("user.name: {from: u, extract: '^x(.*)'}", {"u": "anna"}, None),
        ("user.name: {from: u, table: users}", {"u": "u1"}, "a.weber"),
        ("user.name: {from: u, table: users}", {"u": "u2"}, "u2"),
        ("user.name: {from: u, table: users, unmapped: absent}", {"u": "u2"}, None),
        ("user.name: {from: u, default: nobody}", {}, "nobody"),
        ("user.name: u", {"u": 17}, "17"),
        ("user.name: u", {"u": True}, "true"),
        ("user.name: u", {"u": ["a"]}, None),
        ("user.name: u", {"u": {"a": 1}}, None),
        ("user.roles: {from: r, split: ';'}", {"r": "Adjuster; siu"}, ["adjuster", "siu"]),
        ("user.roles: 'r[*].name'", {"r": [{"name": "A"}, {"x": 1}, {"name": "B"}]}, ["a", "b"]),
        ("user.roles: r", {"r": []}, None),
        ("insurance.record_count: n", {"n": "4200"}, 4200),
        ("insurance.record_count: n", {"n": 4200.0}, 4200),
        ("insurance.record_count: n", {"n": 1.5}, None),
        ("insurance.record_count: n", {"n": 2**63}, None),
        ("insurance.record_count: n", {"n": 2**63 - 1}, 2**63 - 1),
        ("insurance.record_count: {from: n, multiply: 1000}", {"n": "1.5"}, 1500),
        ("insurance.record_count: n", {"n": False}, None),
        ("insurance.claim.amount: n", {"n": "18250.50"}, 18250.5),
        ("insurance.claim.amount: n", {"n": "1e999"}, None),
        ("insurance.claim.amount: n", {"n": "NaN"}, None),
        ("source.ip: ip", {"ip": "203.0.113.24"}, "203.0.113.24"),
        ("source.ip: ip", {"ip": "2001:DB8::1"}, "2001:db8::1"),
        ("source.ip: ip", {"ip": "Salesforce.com IP"}, None),
        ("insurance.claim.status: s", {"s": "OPEN"}, "open"),
        ("insurance.claim.status: s", {"s": "pending"}, None),
        ("insurance.claim.status: {from: s, values: {'1': open, '2': null}}", {"s": 1}, "open"),
        ("insurance.claim.status: {from: s, values: {'1': open, '2': null}}", {"s": 2}, None),
        ("insurance.claim.status: {from: s, values: {'1': open}, otherwise: closed}", {"s": 9}, "closed"),
        ("event.reason: {from: s, values: {'1': one}, unmapped: keep}", {"s": "9"}, "9"),
        ("insurance.context.entitled: {from: s, values: {y: 'yes'}}", {"s": "y"}, "yes"),
        ("insurance.context.entitled: {from: s, values: {y: 'yes'}}", {"s": "?"}, "unknown"),
    ],
)
def test_step(binding: str, record: Mapping[str, Any], expected: Any) -> None:
    assert one(record, f"      {binding}\n").get(binding.split(":")[0]) == expected


@pytest.mark.parametrize(
    ("value", "form", "zone", "expected"),
    [
        ("2026-02-14T10:40:00.0729893Z", "iso8601", None, "2026-02-14T10:40:00.072Z"),
        ("2026-02-14T12:40:00+02:00", "iso8601", None, "2026-02-14T10:40:00.000Z"),
        ("2026-07-14T12:40:00", "iso8601", "Europe/Warsaw", "2026-07-14T10:40:00.000Z"),
        ("2026-02-14T12:40:00", "iso8601", None, None),
        (1771065600123, "epoch_ms", None, "2026-02-14T10:40:00.123Z"),
        ("1771065600.123", "epoch_s", None, "2026-02-14T10:40:00.123Z"),
        (1771065600123456, "epoch_us", None, "2026-02-14T10:40:00.123Z"),
        (10**30, "epoch_ms", None, None),
        (-1, "epoch_s", None, "1969-12-31T23:59:59.000Z"),
        ("20260214104000", "%Y%m%d%H%M%S", "UTC", "2026-02-14T10:40:00.000Z"),
        ("0001-01-01T00:00:00+14:00", "iso8601", None, None),
        ("yesterday", "iso8601", None, None),
        (None, "iso8601", None, None),
        (True, "epoch_s", None, None),
    ],
)
def test_times(value: Any, form: str, zone: str | None, expected: str | None) -> None:
    zoned = f"{{from: t, time: '{form}'" + (f", zone: {zone}}}" if zone else "}")
    head = HEAD.replace("'@timestamp': t", f"'@timestamp': {zoned}")
    events, adapter = run(json.dumps({"type": "A", "t": value}).encode(), head=head)
    assert [event["@timestamp"] for event in events] == ([expected] if expected else [])
    assert adapter.summary.rejected == ([] if expected else [(1, "no time that could be read (binding one)")])


def test_account_numbers_are_hashed_alike_however_they_are_written() -> None:
    more = "      insurance.payment.payee.account_hash: {from: a, hash: account}\n"
    spelt = {one({"a": written}, more)["insurance.payment.payee.account_hash"] for written in ("DE89 3704", "de893704", "DE-89-3704")}
    assert len(spelt) == 1
    assert next(iter(spelt)).startswith("hmac:")
    assert len(next(iter(spelt))) == 5 + 64
    assert hashed("DE893704", HashForm.TEXT, b"k" * 16) in spelt
    assert hashed("DE893704", HashForm.TEXT, b"j" * 16) not in spelt


def test_without_a_key_nothing_is_hashed() -> None:
    with pytest.raises(NotGiven, match="no key"):
        run(b"", "      insurance.payment.payee.account_hash: {from: a, hash: account}\n", key=b"")


def test_what_a_run_must_give() -> None:
    head = HEAD.replace("default: acme", "").replace("tenant, ", "tenant")
    with pytest.raises(NotGiven, match="needs organization"):
        run(b"", head=head)
    zoned = HEAD.replace("'@timestamp': t", "'@timestamp': {from: t, time: '%Y%m%d', zone_setting: zone}")
    with pytest.raises(NotGiven, match="no time zone"):
        Adapter(mapping(head=zoned), pack().taxonomy, Given({"zone": "Mars/Olympus"}))


def test_codes_are_counted_and_their_events_given() -> None:
    raw = b'{"type":"A","t":"2026-02-14T10:40:00Z"}\n{"type":"B","t":"2026-02-14T10:40:00Z"}\n{"type":"C"}\n{"type":"PING"}\n{}\n'
    events, adapter = run(raw)
    summary = adapter.summary
    assert [event.get("event.action") for event in events] == ["claim-view", None]
    assert summary.tallies[0].unmapped["event.action"].sorted() == {"B": 1}
    assert summary.untaken.sorted() == {"(none)": 1, "C": 1}
    assert summary.ignored.sorted() == {"PING": 1}
    assert summary.tallies[0].rate("event.action") == 50
    assert "event.action" in summary.tallies[0].low()
    assert not summary.passes(strict=False)


def test_reports_hold_no_personal_values() -> None:
    more = "      user.name: {from: u, table: users}\n      insurance.lob: l\n"
    _, adapter = run(b'{"type":"A","t":"2026-02-14T10:40:00Z","u":"secret person","l":"odd"}', more)
    told = json.dumps(adapter.summary.as_object())
    assert "secret person" not in told
    assert adapter.summary.tallies[0].unknown["user.name"].sorted() == {HIDDEN: 1}
    assert adapter.summary.tallies[0].unmapped["insurance.lob"].sorted() == {"odd": 1}


HOSTILE = [
    b"\xff\xfe broken",
    b"{",
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"17",
    b'"text"',
    b"null",
    b'{"type":"A","t":NaN}',
    b'{"type":"A","t":1e999}',
    b'{"type":"A","t":' + b"9" * 5_000 + b"}",
    b'{"type":"\\ud800","t":"2026-02-14T10:40:00Z"}',
    b'{"type":["A"],"t":{}}',
    b'{"type":{"A":1},"t":[]}',
    b'{"type":"A","t":"\\u0000\\u001b[31m"}',
]


def test_hostile_lines_do_not_hide_the_next() -> None:
    good = b'{"type":"A","t":"2026-02-14T10:40:00Z"}'
    for line in HOSTILE:
        events, adapter = run(b"\n".join([good, line, good]))
        assert [event["event.action"] for event in events] == ["claim-view"] * 2, line
        assert adapter.summary.read >= 2
        assert adapter.summary.rejections + adapter.summary.untaken.total == 1, line


def test_odd_values_in_every_field_are_no_traceback() -> None:
    odd: list[Any] = [None, True, -1, 1.5, 10**400, "", "\x00", "x" * 100_000, [], [[1]], {}, {"a": [{"b": None}]}, ["a", 1, None]]
    deep: Any = "x"
    for _ in range(500):
        deep = [deep]
    fields = (
        "user.name: v",
        "user.roles: 'v[*]'",
        "insurance.record_count: v",
        "insurance.claim.amount: v",
        "source.ip: v",
        "user.id: 'v[0].b'",
    )
    for value in [*odd, deep]:
        for bound in fields:
            assert one({"v": value}, f"      {bound}\n")["insurance.logsource"]


def test_counts_are_bounded() -> None:
    raw = b"\n".join(json.dumps({"type": f"code {number}"}).encode() for number in range(MAX_CODES + 50))
    _, adapter = run(raw + b"\n" + b"{\n" * (MAX_REJECTED + 50))
    assert len(adapter.summary.untaken.sorted()) == MAX_CODES + 1
    assert adapter.summary.untaken.sorted()["(others)"] == 50
    assert len(adapter.summary.rejected) == MAX_REJECTED
    assert adapter.summary.rejections == MAX_REJECTED + 50


def test_a_line_without_end_is_skipped() -> None:
    good = b'{"type":"A","t":"2026-02-14T10:40:00Z"}\n'
    events, adapter = run(good + b"x" * (MAX_LINE + 10) + b"\n" + good)
    assert len(events) == 2
    assert adapter.summary.rejected == [(2, "longer than 16 MiB")]


def test_arrays_and_bundles() -> None:
    good = b'{"type":"A","t":"2026-02-14T10:40:00Z"}'
    assert len(run(b"[" + good + b",\n" + good + b",7]")[0]) == 2
    head = HEAD.replace("{format: ndjson}", "{format: ndjson, each: data}")
    events, adapter = run(b'{"data":[' + good + b",5]}\n" + good, head=head)
    assert len(events) == 2
    assert adapter.summary.rejected == [(1, "not a JSON object")]


CSV = HEAD.replace("{format: ndjson}", "{format: csv, columns: [type, t, note]}")


def test_csv() -> None:
    raw = b'\xef\xbb\xbfA,2026-02-14T10:40:00Z,"two\nlines"\nA,2026-02-14T10:41:00Z\n\xff\nA,2026-02-14T10:42:00Z,,,\n\nA,,\n'
    events, adapter = run(raw, "      event.reason: note\n", CSV)
    assert [event.get("event.reason") for event in events] == ["two\nlines", None]
    assert adapter.summary.rejected == [(4, "not UTF-8"), (5, "5 values, but 3 columns"), (7, "no time that could be read (binding one)")]


def test_csv_with_a_header_and_another_delimiter() -> None:
    head = HEAD.replace("{format: ndjson}", "{format: csv, header: true, delimiter: ';'}")
    events, _ = run(b"t;type\n2026-02-14T10:40:00Z;A\n", head=head)
    assert len(events) == 1


def test_derived_parts() -> None:
    head = HEAD.replace("code: type", "code: type\nderive: {d: {from: j}, c: {from: m, extract: '(?s)^X (.*)', csv: [a, b]}}")
    more = "      event.reason: d.k\n      user.name: c.b\n"
    raw = {"type": "A", "t": "2026-02-14T10:40:00Z"}
    events, _ = run(json.dumps({**raw, "j": '{"k":"v"}', "m": 'X 1,"an\nna"'}).encode(), more, head)
    assert (events[0]["event.reason"], events[0]["user.name"]) == ("v", "an na")
    for odd in ({"j": "{", "m": "X"}, {"j": 5, "m": []}, {"j": '"\\ud800"', "m": 'X "'}):
        assert len(run(json.dumps({**raw, **odd}).encode(), more, head)[0]) == 1


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.b", 1),
        ('"x.y".z', 2),
        ("l[1]", "second"),
        ("l[9]", None),
        ("o[k=v].w", 3),
        ('o[k="two words"].w', 4),
        ("o[k=7].w", 5),
        ("o[k=true].w", 6),
        ("o[*].w", [3, 4, 5, 6]),
        ("a.b.c", None),
        ("l[k=v]", None),
        ("a[*]", None),
    ],
)
def test_paths(path: str, expected: Any) -> None:
    objects = [{"k": "v", "w": 3}, {"k": "two words", "w": 4}, {"k": 7, "w": 5}, {"k": True, "w": 6}, "none"]
    record = {"a": {"b": 1}, "x.y": {"z": 2}, "l": ["first", "second"], "o": objects}
    assert follow(read_path(path), record) == expected


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b", "[0]", "a[", "a[x]", "a[k=]", 'a"b"', "a b", "a[-1]", '"'])
def test_no_paths(path: str) -> None:
    with pytest.raises(BadPath):
        read_path(path)


def test_values_that_cannot_be() -> None:
    for convert, value in ((text, []), (number, "x"), (number, float("inf")), (long, "1e30"), (double, "9" * 350)):
        with pytest.raises(Unusable):
            convert(value)
    assert plain_text(float("nan")) is None
    with pytest.raises(Unusable):
        moment("x", "epoch_ms", None)


def test_reading_is_lazy() -> None:
    """One event comes out before the next is read, so memory does not grow with the feed."""
    asked = []

    def raws() -> Any:
        for line in range(3):
            asked.append(line)
            yield Raw(line, {"type": "A", "t": "2026-02-14T10:40:00Z"})

    adapter = Adapter(mapping(), pack().taxonomy, Given())
    next(adapter.feed(raws()))
    assert asked == [0]
