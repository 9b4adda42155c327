# `make build` and `make test` set everything up in .venv and run; a second run installs nothing.
# PYTHON=/path/to/python3 chooses the Python (3.11 or later). ARGS="..." goes to insigma or pytest as it is.
# JOBS=N runs tests in so many processes: as many as there are cores, but four, as each starts engines of its own.

PYTHON ?=
ARGS ?=
JOBS ?= auto
RULES ?= ../shared/corpora/sigmahq/rules
SETS ?= 2000
SEED ?= 1
export PYTHON

BIN = .venv/bin

.PHONY: help build test mutate engines prove parity lint format bench lock clean setup

help:
	@echo 'make build   set up, then check, test and compile the pack into dist/'
	@echo 'make test    set up, then run all tests         (ARGS="-k render -x"; JOBS=0: in one process)'
	@echo 'make mutate  change one thing at a time in every rule, and see whether its fixture notices'
	@echo 'make engines set up the engines that judge compiled queries (ALL=1: also the slower ones)'
	@echo 'make prove   set up all engines, prove every detection and schedule, and SETS=2000 made-up rules a target (SEED=1)'
	@echo 'make parity  compare with the stock pySigma backends, on the pack or on RULES=folder of Sigma rules'
	@echo 'make lint    set up, then ruff, mypy and the import contracts'
	@echo 'make format  set up, then format the sources'
	@echo 'make bench   set up, then measure beside other tools (RULES=folder of public Sigma rules, SIGMA=path of sigma-cli)'
	@echo 'make lock    pin the packages anew in requirements.lock (needs uv)'
	@echo 'make clean   remove .venv, caches and what was built but is not committed'

build: setup
	@$(BIN)/insigma build $(ARGS)

test: setup engines
	@$(BIN)/python -m pytest -n $(JOBS) --maxprocesses 4 --dist loadfile $(ARGS)

mutate: setup
	@$(BIN)/insigma mutate $(ARGS)

engines: setup
	@$(BIN)/insigma prove --install $(if $(ALL),--all)

prove: setup
	@$(BIN)/insigma prove --install --all
	@$(BIN)/insigma prove --all $(ARGS)
	@$(BIN)/insigma prove --schedules
	@$(BIN)/insigma prove --generated $(SETS) --seed $(SEED)

parity: setup engines
	@$(BIN)/python -m insigma_prove.parity_command $(if $(filter command,$(firstword $(origin RULES))),"$(RULES)") $(ARGS)

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy --strict src
	@$(BIN)/lint-imports

format: setup
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup
	@$(BIN)/python benchmarks/evaluate.py $(ARGS)
	@$(BIN)/python benchmarks/check.py "$(RULES)"
	@$(BIN)/python benchmarks/tenants.py

setup:
	@sh scripts/setup_venv.sh

lock:
	@command -v uv >/dev/null 2>&1 || { echo 'insigma: make lock needs uv (pip install uv)' >&2; exit 3; }
	@uv pip compile --universal --python-version 3.11 --generate-hashes --extra dev --no-header --quiet --upgrade \
		--output-file requirements.lock pyproject.toml
	@echo 'requirements.lock is written; run make test, then commit it'

clean:
	rm -rf .venv .insigma-cache .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage htmlcov build
	rm -rf dist/elastic/insigma.ndjson dist/splunk/savedsearches.conf dist/ledger.json dist/ledger.md dist/manifest.json
	find src tests -type d -name __pycache__ -prune -exec rm -rf {} +
