"""Whole days at an insurer: many systems, honest work and a story, judged by every rule of the pack.

`day.py` collects events and holds them to the taxonomy; `insurer.py` is the company and its ordinary day, from a seed;
`stories/` tell one thing each that happens on top; `tests/fixtures/scenarios/*.yml` state every alert that must fire, and
what must stay quiet. `python -m tests.scenarios NAME` writes a day's events as NDJSON, `--alerts` what the pack says of them.
"""
