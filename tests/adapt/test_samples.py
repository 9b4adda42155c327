"""Raw events of each product become the canonical events that are written down, and rules of the pack make of them what they must."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from insigma.adapt.engine import Adapter, Given
from insigma.adapt.reading import read
from insigma.adapt.summary import BindingTally
from insigma.assure.fixtures import Reference, reference_rules
from insigma.content.lists import default_lists
from insigma.content.model import Correlation, Pack
from insigma.content.pack import load_pack, load_products
from insigma.content.products import ProductMapping, read_product
from insigma.content.yaml_reader import read_file
from insigma.evaluate.engine import Engine

SAMPLES = Path(__file__).parent / "samples"
ROOT = Path(__file__).resolve().parents[2]
KEY = b"a key for tests, not for use"
PRODUCTS = sorted(path.stem for path in SAMPLES.glob("*.yml"))


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of an adapter on one sample file."""

    events: list[dict[str, Any]]
    adapter: Adapter


@cache
def pack() -> Pack:
    return load_pack(ROOT).pack


@cache
def reference() -> Reference:
    return reference_rules(pack(), default_lists(pack()))


@cache
def mappings() -> Mapping[str, ProductMapping]:
    found = (read_product(document)[0] for document in load_products(ROOT).pack.documents)
    return {mapping.product: mapping for mapping in found if mapping is not None}


def expectation(product: str) -> dict[str, Any]:
    data: dict[str, Any] = read_file(SAMPLES / f"{product}.yml", product).documents[0].data
    return data


def adapted(product: str, run: Mapping[str, Any]) -> Ran:
    mapping = mappings()[product]
    adapter = Adapter(mapping, pack().taxonomy, Given(run["settings"], run.get("tables", {}), KEY))
    with (SAMPLES / run["input"]).open("rb") as stream:
        return Ran(list(adapter.feed(read(stream, mapping.input))), adapter)


def without_defaults(event: Mapping[str, Any]) -> dict[str, Any]:
    fields = pack().taxonomy.fields
    return {name: value for name, value in event.items() if value != fields[name].null_default}


def counts(tallies: tuple[BindingTally, ...], kind: str) -> dict[str, Any]:
    found = {tally.binding.name: {name: codes.sorted() for name, codes in getattr(tally, kind).items()} for tally in tallies}
    return {name: codes for name, codes in found.items() if codes}


def test_every_adapter_has_samples() -> None:
    assert set(PRODUCTS) == set(mappings())


@pytest.mark.parametrize("product", PRODUCTS)
def test_raw_events_become_these(product: str) -> None:
    for run in expectation(product)["runs"]:
        ran = adapted(product, run)
        summary = ran.adapter.summary
        assert [without_defaults(event) for event in ran.events] == run["events"]
        assert (summary.read, summary.written) == (run["read"], len(run["events"]))
        assert [list(entry) for entry in summary.rejected] == run["rejected"]
        assert (summary.untaken.sorted(), summary.ignored.sorted()) == (run["not_taken"], run["ignored"])
        assert counts(summary.tallies, "unmapped") == run["unmapped"]
        assert counts(summary.tallies, "unknown") == run["not_in_table"]
        assert counts(summary.tallies, "unusable") == run["unusable"]
        assert {tally.binding.name: list(tally.low()) for tally in summary.tallies if tally.low()} == run["below_gate"]


@pytest.mark.parametrize("product", PRODUCTS)
def test_events_keep_the_contract(product: str) -> None:
    taxonomy = pack().taxonomy
    for run in expectation(product)["runs"]:
        for event in adapted(product, run).events:
            source = taxonomy.logsources[event["insurance.logsource"]]
            assert set(event) <= set(source.fields)
            assert "@timestamp" in event
            assert {name for name in source.fields if taxonomy.fields[name].null_default is not None} <= set(event)
            assert all(value == value.lower() for name, value in event.items() if taxonomy.fields[name].case.value == "lower")


@pytest.mark.parametrize("product", PRODUCTS)
def test_rules_make_this_of_them(product: str) -> None:
    data = expectation(product)
    events = [event for run in data["runs"] for event in adapted(product, run).events]
    for verdict in data["verdicts"]:
        rule = reference().rules[verdict["rule"]]
        engine = Engine((rule,), pack().taxonomy)
        for event in events:
            engine.feed(event)
        (found,) = engine.verdicts()
        if isinstance(rule, Correlation):
            wanted = [] if verdict["expect"] == "none" else verdict["expect"]["alerts"]
            assert [dict(entry.group) for entry in found.alerts] == wanted, verdict
        else:
            wanted = [] if verdict["expect"] == "none" else verdict["expect"]["events"]
            assert list(found.indexes) == wanted, verdict
