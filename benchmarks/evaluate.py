"""How fast the evaluator is beside other engines: 100 public process_creation rules over generated events.

    python benchmarks/evaluate.py [--events N] [--rules N] [--seed N] [--rounds N] [--slow]

Every engine runs the same rules on the same JSON lines in a process of its own, on one core, the best of a few rounds.
Time is CPU time from the first line to the last verdict, without reading the rules. Memory is the process's peak, with
the interpreter, the rules and the lines. `--slow` adds the stock SQLite backend (one query a rule over one table). The
matches differ a little where the engines do (tests/evaluate/second_opinions.yml).
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from insigma.content.model import AnyRule

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT.parent / "shared" / "corpora" / "sigmahq" / "rules" / "windows" / "process_creation"
LONG_S = 5.0  # an engine that takes longer runs one round
PROGRAMS = ("cmd", "powershell", "svchost", "rundll32", "regsvr32", "wmic", "notepad", "explorer", "msedge", "chrome", "net", "whoami")
ARGUMENTS = [
    "-enc",
    "/c",
    "http://a.b/c",
    "foo",
    "-nop",
    "echo",
    "C:\\Users\\x\\AppData\\Local\\Temp\\a.txt",
    "query",
    "/all",
]


def rule_files(count: int, seed: int) -> list[Path]:
    return random.Random(seed).sample(sorted(CORPUS.glob("*.yml")), count)


def event_lines(count: int, seed: int) -> Iterator[bytes]:
    """JSON lines like those of a busy Windows host: few programs, command lines that hardly repeat."""
    chance = random.Random(seed)
    for _ in range(count):
        image, parent = (f"C:\\Windows\\System32\\{chance.choice(PROGRAMS)}.exe" for _ in range(2))
        event = {
            "@timestamp": "2026-01-01T00:00:00Z",
            "EventID": 1,
            "Image": image,
            "ParentImage": parent,
            "CommandLine": " ".join([image, *chance.choices(ARGUMENTS, k=chance.randint(1, 8))]),
            "ParentCommandLine": parent,
            "User": f"CORP\\u{chance.randint(1, 99)}",
            "OriginalFileName": "Cmd.Exe",
            "CurrentDirectory": "C:\\",
            "Hashes": "SHA1=AA,MD5=BB",
            "IntegrityLevel": "High",
            "Company": "Microsoft",
            "Product": "Windows",
            "Computer": "h",
        }
        yield json.dumps(event).encode()


Run = Callable[[Sequence[bytes]], int]


def read_rules(files: Sequence[Path]) -> tuple[AnyRule, ...]:
    from insigma.content.assemble import assemble
    from insigma.content.yaml_reader import read_file

    return assemble([document for path in files for document in read_file(path, path.name).documents]).rules


def insigma_engine(files: Sequence[Path]) -> Run:
    import orjson

    from insigma.evaluate.engine import Engine

    rules = read_rules(files)

    def run(lines: Sequence[bytes]) -> int:
        engine = Engine(rules, None)
        for line in lines:
            engine.feed(orjson.loads(line))
        return sum(len(verdict.indexes) for verdict in engine.verdicts())

    return run


def azuma_engine(files: Sequence[Path]) -> Run:
    import azuma  # type: ignore[import-untyped]
    import orjson
    import yaml

    rules = [azuma.Rule.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))) for path in files]
    return lambda lines: sum(rule.match(event) for event in map(orjson.loads, lines) for rule in rules)


def sqlite_engine(files: Sequence[Path]) -> Run:
    import orjson
    from sigma.backends.sqlite.sqlite import sqliteBackend
    from sigma.collection import SigmaCollection

    from insigma.content.model import Rule
    from insigma.content.predicate import fields_of

    wanted = {field for rule in read_rules(files) if isinstance(rule, Rule) for field in fields_of(rule.predicate)}
    backend = sqliteBackend()  # type: ignore[no-untyped-call]
    queries: list[str] = []
    for path in files:
        try:
            queries += backend.convert(SigmaCollection.from_yaml(path.read_text(encoding="utf-8")))
        except Exception as error:  # noqa: BLE001 - a backend that fails on a rule is measured on the others
            print(f"no query for {path.name}: {error}", file=sys.stderr)
    counts = [query.replace("SELECT *", "SELECT count(*)", 1).replace("<TABLE_NAME>", "logs") for query in queries]

    def run(lines: Sequence[bytes]) -> int:
        events = [orjson.loads(line) for line in lines]
        fields = sorted(wanted.union(*events))
        database = sqlite3.connect(":memory:")
        database.create_function("regexp", 2, lambda pattern, value: value is not None and re.search(pattern, value) is not None)
        database.execute(f"CREATE TABLE logs ({', '.join(f'`{field}` COLLATE NOCASE' for field in fields)})")
        rows = ([event.get(field) for field in fields] for event in events)
        database.executemany(f"INSERT INTO logs VALUES ({', '.join('?' * len(fields))})", rows)
        return sum(database.execute(query).fetchone()[0] for query in counts)

    return run


ENGINES: dict[str, Callable[[Sequence[Path]], Run]] = {"insigma": insigma_engine, "azuma": azuma_engine, "sqlite": sqlite_engine}


def measure(engine: str, options: argparse.Namespace) -> dict[str, float]:
    """Runs in the child: events a second, peak memory in MB, matches."""
    run = ENGINES[engine](rule_files(options.rules, options.seed))
    lines = list(event_lines(options.events, options.seed))
    best = float("inf")
    for _ in range(options.rounds):
        begin = time.process_time()
        matches = run(lines)
        best = min(best, time.process_time() - begin)
        if best > LONG_S:
            break
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)
    return {"rate": len(lines) / best, "peak": peak, "matches": matches}


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    for name, default in (("events", 20_000), ("rules", 100), ("seed", 1), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--slow", action="store_true", help="the SQLite backend, too")
    parser.add_argument("--engine", choices=ENGINES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.engine:
        print(json.dumps(measure(options.engine, options)))
        return 0
    if not CORPUS.is_dir():
        print(f"the public rules are not at {CORPUS}", file=sys.stderr)
        return 3
    print(f"{options.rules} rules, {options.events:,} events, seed {options.seed}")
    ours: dict[str, float] | None = None
    for engine in ("insigma", "azuma", *(("sqlite",) if options.slow else ())):
        child = subprocess.run([sys.executable, __file__, *sys.argv[1:], "--engine", engine], capture_output=True, text=True, check=False)
        if child.returncode:
            print(f"{engine:8} does not run: {child.stderr.strip().splitlines()[-1]}")
            continue
        sys.stderr.write(child.stderr)
        found = json.loads(child.stdout)
        ours = ours or found
        ratios = f"{found['rate'] / ours['rate']:6.3f} of Insigma's speed, {found['peak'] / ours['peak']:5.2f} of its memory"
        told = f"{engine:8} {found['rate']:9,.0f} events/s {found['peak']:6.0f} MB peak {found['matches']:7,} matches"
        print(told if found is ours else f"{told}  {ratios}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
