# make nightly [BOARDS=file]   the scenario suite on the boards of boards.yaml (or of BOARDS)
#   MUTANTS=20 [SEED=n]        and then the derived policy trials on so many clouds with mutated policies (0: all of them)
# make check                   lint, types, import contracts, every test of the project
# Both make the environment first; both are quick once it is there.

VENV := .venv
PY := $(VENV)/bin/python
BOARDS ?= boards.yaml

.PHONY: nightly check env lint types imports test test-integration test-unit-and-long bench clean

nightly: env
	@$(PY) -m pytest tests/scenarios -q --boards $(BOARDS)
ifdef MUTANTS
	@$(PY) -m tests.mutation_run --boards $(BOARDS) --mutants $(MUTANTS) $(if $(SEED),--seed $(SEED))
endif

check: env lint types imports test

lint: env
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .

types: env
	@$(VENV)/bin/mypy

imports: env
	@$(VENV)/bin/lint-imports --no-cache | tail -n 12

# Two at once, of about the same length: integration tests mostly wait, unit tests mostly compute.
LONG := $(addprefix tests/integration/,test_plugin.py test_trust.py test_verdicts.py)

test: env
	@$(MAKE) --no-print-directory -j2 --output-sync=target test-integration test-unit-and-long

test-integration: env
	@$(PY) -m pytest -q tests/integration tests/interop $(LONG:%=--ignore=%)

test-unit-and-long: env
	@$(PY) -m pytest -q tests/unit tests/scenarios $(LONG)

bench: env
	@$(PY) -m benchmarks

env: $(VENV)/.made

$(VENV)/.made: pyproject.toml constraints.txt scripts/make-env.sh
	@sh scripts/make-env.sh $(VENV)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
