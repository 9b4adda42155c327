"""Stock backends before engines: what they write is judged like ours, where somebody asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from insigma.content.pack import load_pack
from insigma.release.workshops import UnknownTarget
from insigma_prove.prove import Bench
from insigma_prove.stock import STOCK, prove_stock
from tests.engines import seat

ROOT = Path(__file__).resolve().parent.parent.parent


def test_sqlite_executes_what_its_backend_writes(bench: Bench) -> None:
    seat(bench, "pysigma:sqlite", "sqlite")
    pack = load_pack(ROOT).pack
    names = {"ins-clm-001", "ins-clm-005", "ins-clm-c01"}
    proofs = {
        proof.rule.header.label: proof
        for proof in prove_stock(pack, ["pysigma:sqlite"], bench, lambda rule: rule.header.label in names, lambda target, rule: None)
    }
    assert {name: (proof.grade, proof.faults) for name, proof in proofs.items() if not proof.refused} == {
        "ins-clm-001": ("executed", ()),
        "ins-clm-005": ("executed", ()),
    }
    assert proofs["ins-clm-c01"].refused
    assert proofs["ins-clm-001"].cases >= 5


def test_a_backend_that_is_not_installed_is_unknown(bench: Bench) -> None:
    assert set(STOCK) == {"pysigma:sqlite", "pysigma:loki"}
    with pytest.raises(UnknownTarget):
        list(prove_stock(load_pack(ROOT).pack, ["pysigma:nothing"], bench, lambda rule: True, lambda target, rule: None))
