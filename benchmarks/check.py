"""`insigma check` beside `sigma check` on one folder of rules, in the same run, as a ratio.

    python benchmarks/check.py FOLDER [ROUNDS]

`sigma` (sigma-cli) is taken from PATH or from $SIGMA; without it only our time is told. Its validators that fetch data
from the network are left out, as they are in every isolated place. Both run as whole processes; the best round counts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NETWORK_FREE = "validators:\n  - all\n  - -attacktag\n  - -d3_fendtag\n"


def best(command: list[str], rounds: int) -> float:
    """Wall seconds of the fastest of some runs."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return min(times)


def main(argv: list[str]) -> int:
    """Measure and print; the exit code."""
    if not argv or not Path(argv[0]).is_dir():
        print(__doc__, file=sys.stderr)
        return 3
    folder, rounds = argv[0], int(argv[1]) if len(argv) > 1 else 3
    rules = sum(1 for _ in Path(folder).rglob("*.yml"))
    ours = best([sys.executable, "-m", "insigma", "check", folder], rounds)
    print(f"insigma check  {ours:6.2f} s  {rules:,} rules")
    sigma = os.environ.get("SIGMA") or shutil.which("sigma")
    if sigma is None:
        print("sigma check    not measured: sigma-cli is not on PATH (set $SIGMA)")
        return 0
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as config:
        config.write(NETWORK_FREE)
        config.flush()
        theirs = best([sigma, "check", "--validation-config", config.name, folder], rounds)
    print(f"sigma check    {theirs:6.2f} s  {theirs / ours:.1f} times as long")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
