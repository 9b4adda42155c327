"""The pack's proofs are those of the queries and fixtures that it has now."""

from __future__ import annotations

from pathlib import Path

import pytest

from insigma.content.lists import default_lists
from insigma.content.pack import load_pack
from insigma.release.proofs import GRADES, Proofs, read_proofs
from insigma.specialise.lists import fill_lists
from insigma.targets.base import Refused
from insigma_prove.stands import STANDS, open_stand

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.parametrize("target", STANDS)
def test_every_detection_of_the_pack_has_been_executed(target: str) -> None:
    """After a change of a query or a fixture: `insigma prove --write`, then commit proofs/."""
    pack = load_pack(ROOT).pack
    rules = fill_lists(pack.rules, default_lists(pack)).rules
    labels = {name: rule.header.label for rule in rules for name in (rule.header.id, rule.header.name) if name is not None}
    proofs = Proofs(read_proofs(ROOT), pack.fixtures, labels)
    stand = open_stand(target, pack)
    checked = 0
    for rule in rules:
        for language in (None, *stand.languages):
            try:
                detection = stand.compile(rule, language).detection
            except Refused:
                continue
            grade, engine = proofs.of(rule.header.label, detection)
            assert grade == GRADES[0], f"{rule.header.label} on {target} {language}: {grade} ({engine})"
            checked += 1
    assert checked >= 2 * len(rules)
