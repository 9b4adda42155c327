"""A small pack, and Splunk with something wrong in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from insigma.content.model import AnyRule, Pack
from insigma.content.pack import load_pack
from insigma_prove import prove, schedules
from insigma_prove.plans import Plan
from insigma_prove.stands import Compiled, SplunkStand
from tests.cli.harness import small_pack

CASES = 6
"""Of each fixture's cases: enough to have some that match and some that do not."""


def first_cases(folder: Path, cases: int = CASES) -> Pack:
    """An event rule, a base rule and a correlation on it, with the first cases of their fixtures."""
    pack = load_pack(small_pack(folder)).pack
    return replace(pack, fixtures=tuple(replace(fixture, cases=fixture.cases[:cases]) for fixture in pack.fixtures))


def everything(rule: AnyRule) -> bool:
    return True


def only(name: str) -> Callable[[AnyRule], bool]:
    return lambda rule: rule.header.label == name


def silent(target: str, rule: str) -> None: ...


class Broken(SplunkStand):
    """Splunk with one thing wrong in its queries, or in their schedules."""

    def __init__(self, pack: Pack, old: str = "", new: str = "", plan: Callable[[Plan], Plan] = lambda plan: plan) -> None:
        super().__init__(pack)
        self._old, self._new, self._plan = old, new, plan

    def compile(self, rule: AnyRule, language: str | None) -> Compiled:
        compiled = super().compile(rule, language)
        query = re.sub(self._old, self._new, compiled.detection.query) if self._old else compiled.detection.query
        assert not self._old or query != compiled.detection.query, "nothing is broken"
        return replace(compiled, detection=replace(compiled.detection, query=query))

    def plan(self, compiled: Compiled) -> Plan:
        return self._plan(super().plan(compiled))


def with_stand(monkeypatch: pytest.MonkeyPatch, *broken: Any) -> None:
    for module in (prove, schedules):
        monkeypatch.setattr(module, "open_stand", lambda target, pack: Broken(pack, *broken))
