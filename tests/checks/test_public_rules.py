"""On the public rules, which are clean by their own CI, Sigma's own checks hardly ever fire."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from insigma.checks.runner import check_modules
from insigma.content.yaml_reader import read_file
from tests.checks.harness import make_context


@pytest.mark.corpus
def test_hardly_a_finding(corpus: Path) -> None:
    paths = {str(Path("rules") / path.relative_to(corpus)): path for path in sorted(corpus.rglob("*.yml"))}
    documents = tuple(document for shown, path in paths.items() for document in read_file(path, shown).documents)
    empty = make_context({}, in_pack=False)
    context = type(empty)(empty.pack, documents, empty.attack, empty.f3, in_pack=False)
    found: Counter[str] = Counter()
    for module in check_modules():
        if not module.CODE.startswith("INS2"):
            continue
        for document in documents if hasattr(module, "check_document") else ():
            found.update(one.code for one in module.check_document(document, context))
        if hasattr(module, "check_pack"):
            found.update(one.code for one in module.check_pack(context))
    assert len(documents) > 3_000
    # Looked at one by one: two descriptions that repeat the title, idle wildcards, names that end in an underscore.
    assert found == {"INS211": 2, "INS215": 14, "INS219": 3}
