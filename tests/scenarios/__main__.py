"""Write a scenario's events as NDJSON, or with `--alerts` what the pack says of them."""

from __future__ import annotations

import json
import sys

from insigma.content.pack import load_pack
from tests.scenarios.scenario import ROOT, names, play, read
from tests.scenarios.verdicts import judge


def main() -> int:
    """Exit code 0, or 3 for a wrong name."""
    wanted = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    if len(wanted) != 1 or wanted[0] not in names():
        sys.stderr.write(f"usage: python -m tests.scenarios NAME [--alerts]\nscenarios: {', '.join(names())}\n")
        return 3
    pack = load_pack(ROOT).pack
    scenario = read(wanted[0])
    sys.stderr.write(f"{scenario.title}, seed {scenario.seed}\n")
    events = play(scenario, pack)
    if "--alerts" in sys.argv[1:]:
        for alert in judge(pack, events):
            told = dict(alert.fields) if alert.count is None else {**alert.fields, "value": alert.value, "count": alert.count}
            sys.stdout.write(json.dumps({"rule": alert.rule, **told}) + "\n")
    else:
        sys.stdout.writelines(json.dumps(event) + "\n" for event in events)
    return 0


if __name__ == "__main__":
    sys.exit(main())
