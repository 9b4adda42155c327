"""Scenario files: `tests/fixtures/scenarios/<name>.yml` with the story of that name in `tests/scenarios/stories/<name>.py`."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import yaml

from insigma.content.model import Pack
from tests.scenarios.day import Day
from tests.scenarios.insurer import Insurer

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "fixtures" / "scenarios"


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a file says: a date, a seed, what the ordinary day is like, what must alert and what must stay quiet."""

    name: str
    title: str
    date: str
    seed: int
    ordinary: Mapping[str, int]
    alerts: tuple[Mapping[str, Any], ...]
    quiet: tuple[Mapping[str, Any], ...]


def names() -> tuple[str, ...]:
    """Every scenario, by name."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yml")))


def read(name: str) -> Scenario:
    """The scenario of a name."""
    data = yaml.safe_load((FOLDER / f"{name}.yml").read_text(encoding="utf-8"))
    return Scenario(
        name, data["scenario"], str(data["date"]), data["seed"], data.get("ordinary") or {}, tuple(data["alerts"]), tuple(data["quiet"])
    )


def play(scenario: Scenario, pack: Pack) -> tuple[Mapping[str, Any], ...]:
    """The events of the scenario's day, by time: the ordinary day of the insurer, then the story. Same seed, same events."""
    random = Random(scenario.seed)
    day = Day(scenario.date, pack.taxonomy)
    insurer = Insurer(day, random)
    insurer.ordinary_day(**scenario.ordinary)
    importlib.import_module(f"tests.scenarios.stories.{scenario.name}").tell(insurer)
    return day.events
