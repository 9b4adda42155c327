"""Building for many tenants: what one more costs, beside what a tenant costs that is built alone.

Makes up profiles from a seed, each with its own places, field names, thresholds, lists, exceptions and context, in a pack that
extends the insurance pack; builds 50, 100 and 200 of them in one run, and one alone, each in a process of its own. Prints
seconds, peak memory (of the process and its children together) and the ratio of a tenant's marginal cost to a lone build.

usage: python benchmarks/tenants.py [SIZE...] [--seed N]
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from insigma.content.model import Pack
from insigma.content.pack import load_pack
from insigma.specialise.thresholds import thresholds_of

ROOT = Path(__file__).resolve().parent.parent
SIZES = (50, 100, 200)
DESKS = ("audit", "review", "litigation", "complaints")
ZONES = (("Europe/Berlin", "DE-BE"), ("Europe/Warsaw", "PL"), ("America/Chicago", "US-IL"), ("Europe/Paris", "FR"))
RENAMED = ("user.name", "insurance.claim.id", "source.ip", "insurance.party.id", "event.outcome", "insurance.payment.id")
FLAGS = {
    "insurance.context.assigned_to_actor": "claim_assignment",
    "insurance.context.on_cat_duty": "cat_roster",
    "insurance.context.ticket_valid": "change_access_tickets",
    "insurance.context.off_hours": "work_calendar",
}


def profile(number: int, pack: Pack, rng: random.Random) -> dict[str, object]:
    """One customer, unlike any other."""
    zone, region = rng.choice(ZONES)
    tag = f"t{number:03d}"
    known = [threshold for rule in pack.rules for threshold in thresholds_of(rule)]
    thresholds = {each.name: _between(each.least, each.most, each.default, rng) for each in rng.sample(known, 12) if each.least < each.most}
    sources = sorted(pack.taxonomy.logsources)
    lists = {name: {"mode": "inline", "values": [*values, f"{tag}_{name}"]} for name, values in pack.tenants["default"].lists.items()}
    renamed = {name: f"{tag}_{re.sub('[^a-z]', '_', name)}" for name in rng.sample(RENAMED, 3)}
    return {
        "tenant": {"id": tag, "legal_entity": f"Insurer {number}"},
        "calendar": {
            "default": {
                "timezone": zone,
                "weekdays": ["mon", "tue", "wed", "thu", "fri"],
                "hours": f"0{rng.randint(6, 9)}:00-1{rng.randint(6, 9)}:30",
                "holidays": region,
            },
            "years": [2026, 2027],
        },
        "thresholds": thresholds,
        "lists": lists,
        "context": {
            flag: {"mode": mode, **({"table": table} if mode == "lookup" else {})}
            for flag, table in FLAGS.items()
            for mode in [rng.choice(("ingest", "lookup", "absent"))]
        },
        "targets": {
            "elastic": {"index": {name: f"logs-{tag}.{name.replace('_', '')}-*" for name in sources}, "field_overrides": renamed},
            "splunk": {"index": {name: f"{tag}_{name}" for name in sources}, "field_overrides": renamed},
            "sentinel": {
                "workspace": f"law-{tag}",
                "table": {name: f"{tag.title()}{name.title().replace('_', '')}_CL" for name in rng.sample(sources, 10)},
            },
        },
        "exceptions": [
            {
                "id": f"EXC-{tag}-{place}",
                "rules": [rule],
                "where": {"user.name": [f"{tag}.{rng.choice(DESKS)}", "svc.review"]},
                "reason": "audit",
                "owner": "soc lead",
                "approved_by": "dpo",
                "granted": "2026-11-01",
                "expires": "2027-04-30",
                "max_days": 180,
            }
            for place, rule in enumerate(rng.sample(("ins-clm-c01", "ins-med-004", "ins-clm-001", "ins-clm-005", "ins-pol-001"), 3))
        ],
    }


def _between(least: float, most: float, default: float, rng: random.Random) -> float:
    value = rng.uniform(least, most)
    return round(value) if isinstance(default, int) else value


def pack_of(count: int, seed: int, folder: Path, pack: Pack) -> Path:
    """A pack with so many tenants. The first ones are the same whatever the number."""
    rng = random.Random(seed)
    (folder / "mappings/tenants").mkdir(parents=True)
    (folder / "insigma.yml").write_text("name: mssp\nversion: 1.0.0\nextends: [insurance]\n", encoding="utf-8")
    for number in range(count):
        text = yaml.safe_dump(profile(number, pack, rng), sort_keys=False, width=200)
        (folder / f"mappings/tenants/t{number:03d}.yml").write_text(text, encoding="utf-8")
    return folder


def measured(folder: Path, *args: str) -> tuple[float, float]:
    """Seconds and peak MiB of `insigma build` in a folder, children included."""
    shutil.rmtree(folder / "dist-tenants", ignore_errors=True)
    command = [sys.executable, "-m", "insigma", "build", "--at", "2026-11-22", *args]
    start = time.perf_counter()
    running = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    peak = 0.0
    while running.poll() is None:
        peak = max(peak, _memory(running.pid))
        time.sleep(0.5)
    seconds = time.perf_counter() - start
    out, err = running.communicate()
    if running.returncode:
        sys.exit(f"the build failed:\n{out[:3000]}\n{err[-2000:]}")
    return seconds, peak


def _memory(pid: int) -> float:
    """Proportional memory of a process and its children in MiB: what they share is counted once."""
    total = 0
    for each in (pid, *_children(pid)):
        try:
            text = Path(f"/proc/{each}/smaps_rollup").read_text(encoding="ascii")
        except OSError:
            continue
        total += sum(int(size) for size in re.findall(r"^Pss:\s+(\d+) kB", text, re.MULTILINE))
    return total / 1024


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", type=int, default=list(SIZES))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(f"seed {options.seed}; {len(os.sched_getaffinity(0))} cores; 130 rules x 3 targets for every tenant")
    pack = load_pack(ROOT).pack
    with tempfile.TemporaryDirectory() as scratch:
        lone_pack = pack_of(1, options.seed, Path(scratch) / "lone", pack)
        alone = [measured(lone_pack, "--tenant", "t000") for _ in range(3)]
        lone, lone_memory = sorted(alone)[1]
        print(f"{'tenants':>8} {'seconds':>8} {'peak MiB':>9} {'s/tenant':>9} {'of a lone build':>16}")
        print(f"{1:>8} {lone:>8.1f} {lone_memory:>9.0f} {'':>9} {'1.00':>16}")
        before, cost = 1, lone
        for size in options.sizes:
            folder = pack_of(size, options.seed, Path(scratch) / f"of{size}", pack)
            seconds, memory = measured(folder, "--all-tenants")
            marginal = (seconds - cost) / (size - before)
            print(f"{size:>8} {seconds:>8.1f} {memory:>9.0f} {marginal:>9.3f} {marginal / lone:>16.2f}")
            before, cost = size, seconds
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
