"""The ledger: a row for each rule and target, counts that add up, a page that shows them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from insigma.content.assemble import assemble
from insigma.content.lists import DEFAULT_TENANT, default_lists
from insigma.content.model import AnyRule, Pack
from insigma.content.pack import load_pack
from insigma.content.yaml_reader import read_bytes
from insigma.packages.base import PackContext
from insigma.release.ledger import LedgerGap, markdown, rows
from insigma.release.outcomes import Outcome, compile_rules, refusal_findings
from insigma.release.proofs import Proofs
from insigma.release.tree import PathClash, tree
from insigma.release.workshops import UnknownTarget, Workshop, open_workshop
from insigma.specialise.lists import fill_lists
from insigma.targets.base import Detection, Refused
from tests.cli.harness import assert_valid, small_pack

TARGETS = ["elastic", "splunk"]
NONE = Proofs((), (), {})


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return load_pack(small_pack(tmp_path_factory.mktemp("pack"))).pack


def workshops(pack: Pack, *names: str) -> list[Workshop]:
    return [open_workshop(name, pack, default_lists(pack), PackContext("default", pack.name, pack.version)) for name in names or TARGETS]


def outcomes(pack: Pack, shops: list[Workshop], disabled: dict[str, str] | None = None) -> list[Outcome]:
    return list(compile_rules(fill_lists(pack.rules, default_lists(pack)).rules, shops, DEFAULT_TENANT, disabled or {}))


def test_every_rule_has_a_row_on_every_target(pack: Pack) -> None:
    found = rows(outcomes(pack, workshops(pack)), pack, TARGETS, NONE)
    assert [(row["rule"], row["target"]) for row in found] == [
        (name, target) for name in ("ins-clm-010", "ins-clm-012", "ins-clm-c04") for target in TARGETS
    ]
    assert {row["outcome"] for row in found} == {"compiled"}
    assert_valid({"rows": found}, "ledger")


def lost(found: list[Outcome]) -> Iterator[list[Outcome]]:
    yield []
    yield found[:-1]
    yield found[2:]  # one rule on both targets
    yield [outcome for outcome in found if outcome.target == "splunk"]
    yield [*found, found[0]]
    yield [*found[1:], found[1]]


def test_a_rule_that_is_lost_or_told_twice_is_a_gap(pack: Pack) -> None:
    shops = workshops(pack)
    for wrong in lost(outcomes(pack, shops)):
        with pytest.raises(LedgerGap, match="3 rules on 2 targets"):
            rows(wrong, pack, TARGETS, NONE)
        with pytest.raises(LedgerGap):
            tree(wrong, shops, pack, NONE)


@pytest.mark.parametrize("by", ["name", "id"])
def test_a_rule_that_the_tenant_disables_is_a_row_with_its_reason(by: str, pack: Pack) -> None:
    header = next(rule.header for rule in pack.rules if rule.header.name == "ins-clm-012")
    off = {str(getattr(header, by)): "no such system"}
    found = {(row["rule"], row["target"]): row for row in rows(outcomes(pack, workshops(pack), off), pack, TARGETS, NONE)}
    assert len(found) == 6
    for target in TARGETS:
        row = found["ins-clm-012", target]
        assert (row["outcome"], row["reason"], row["language"], row["window"], row["proof"]) == ("disabled", "no such system", "", "", "")


def test_a_disabled_rule_without_a_reason_still_has_one(pack: Pack) -> None:
    found = rows(outcomes(pack, workshops(pack), {"ins-clm-012": ""}), pack, TARGETS, NONE)
    assert_valid({"rows": found}, "ledger")


class Refusing:
    """A workshop that refuses one rule, at the line of its condition."""

    verified = True

    def __init__(self, inner: Workshop, name: str) -> None:
        self.name, self.packager, self._inner, self._refused = inner.name, inner.packager, inner, name

    def compile(self, rule: AnyRule) -> Detection:
        if rule.header.name == self._refused:
            raise Refused("it cannot be said | <b>here</b>\\\nat all", ("detection", "condition"))
        return self._inner.compile(rule)


def test_a_refusal_is_a_row_with_the_reason_and_the_rules_line(pack: Pack) -> None:
    shops: list[Workshop] = [Refusing(shop, "ins-clm-012") for shop in workshops(pack)]
    found = outcomes(pack, shops)
    refused = [row for row in rows(found, pack, TARGETS, NONE) if row["outcome"] == "refused"]
    rule = next(rule for rule in pack.rules if rule.header.name == "ins-clm-012")
    line = rule.header.document.place("detection", "condition").line
    path = "rules/claims/claims_system_access_denied.yml"
    assert [(row["rule"], row["target"]) for row in refused] == [("ins-clm-012", target) for target in TARGETS]
    assert all(row["reason"].endswith(f"({path}:{line})") for row in refused)
    assert [(each.code, each.place.line) for each in refusal_findings(found, pack)] == [("INS701", line)] * 2
    assert set(tree(found, shops, pack, NONE)) >= {"ledger/claims_system_access_denied.json", "ledger.json"}


def test_the_page_counts_and_keeps_its_cells_whatever_they_hold(pack: Pack) -> None:
    shops: list[Workshop] = [Refusing(shop, "ins-clm-012") for shop in workshops(pack)]
    found = rows(outcomes(pack, shops), pack, TARGETS, NONE)
    page = markdown(found).splitlines()
    assert page[2:6] == [
        "| target | compiled | refused | disabled |",
        "|---|---|---|---|",
        "| elastic | 2 | 1 | 0 |",
        "| splunk | 2 | 1 | 0 |",
    ]
    table = page[7:]
    assert len(table) == len(found) + 2
    for line in table[2:]:
        cells = line.replace("\\\\", "").replace("\\|", "").split("|")
        assert len(cells) == 12
        assert "<b" not in line


def test_two_rules_of_one_file_name_are_a_clash_not_an_overwritten_file(pack: Pack) -> None:
    first, second, *rest = pack.rules
    renamed = replace(
        second,
        header=replace(second.header, document=replace(second.header.document, path="rules/other/" + first.header.path.rsplit("/")[-1])),
    )
    twice = replace(pack, rules=(first, renamed, *rest))
    shops = workshops(twice)
    with pytest.raises(PathClash, match=first.header.slug):
        tree(outcomes(twice, shops), shops, twice, NONE)


def test_stock_backends_are_marked_unverified_and_named_in_the_manifest(pack: Pack) -> None:
    shops = workshops(pack, "splunk", "pysigma:splunk")
    found = outcomes(pack, shops)
    proofs = {(row["target"], row["proof"]) for row in rows(found, pack, ["splunk", "pysigma:splunk"], NONE)}
    assert proofs == {("splunk", "unchecked"), ("pysigma:splunk", "unverified")}
    assert '"pysigma-backend-splunk": "' in tree(found, shops, pack, NONE)["manifest.json"]
    ours = workshops(pack, "splunk")
    assert "pysigma-backend" not in tree(outcomes(pack, ours), ours, pack, NONE)["manifest.json"]


def test_an_unknown_target_names_those_there_are(pack: Pack) -> None:
    for name in ("nonsense", "pysigma:nonsense", "pysigma:", "Splunk", ""):
        with pytest.raises(UnknownTarget) as raised:
            workshops(pack, name)
        assert {"elastic", "splunk", "pysigma:splunk", "pysigma:lucene"} <= set(raised.value.known)


def test_a_target_without_a_mapping_is_unknown(pack: Pack) -> None:
    with pytest.raises(UnknownTarget):
        workshops(replace(pack, mappings={}), "splunk")


def test_sources_are_where_the_pack_says(pack: Pack) -> None:
    assert all((Path(pack.root) / pack.relative(rule.header.path)).is_file() for rule in pack.rules)
    assert {pack.relative(rule.header.path).split("/")[0] for rule in pack.rules} == {"rules"}


def test_a_product_that_the_query_does_not_ask_for_is_noted(pack: Pack) -> None:
    (shop,) = workshops(pack, "elastic")
    text = (
        b"title: t\ntaxonomy: insurance\nlogsource: {category: insurance_claims, product: macos}\n"
        b"detection: {a: {user.name: x}, condition: a}\n"
    )
    (rule,) = assemble(read_bytes(text, "rules/a.yml").documents).rules
    assert "the rule is about product 'macos', which the query does not ask for" in shop.compile(rule).notes
