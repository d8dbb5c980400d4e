# make nightly [BOARDS=file]   the scenario suite on the boards of boards.yaml (or of BOARDS)
#   MUTANTS=20 [SEED=n]        and then the derived policy trials on so many clouds with mutated policies (0: all of them)
#   JOBS=n                     so many boards at a time (otherwise all at once)
# make check                   lint, types, import contracts, every test of the project
# make test                    its quick part: the unit tests
#   WORKERS=n                  so many processes in place of one for each core
#   EXAMPLES=new               hypothesis draws new examples; otherwise they change with the code only
#   WIDE=n                     so many for the tests that mostly wait (integration, interop, browser)
# make test-all                these and the unit tests
# make docs                    the pages of docs/ as a site
# make mutants [NAMES=...]     small changes to the code, and how many of them the tests notice (docs/mutants.md)
# make fuzz [SECONDS=30]       the parsers on bytes that are guided by coverage, so many seconds each (fuzz/)
#   TARGETS="tokens ..."       only these
# make soak [MINUTES=60]       a board at work while things go wrong: memory, descriptors and threads must stay flat
# make labgrid-env             labgrid in an environment of its own, .labgrid, for boards on other computers
# All make the environment first.

VENV := .venv
PY := $(VENV)/bin/python
BOARDS ?= boards.yaml
WORKERS ?= auto
EXAMPLES ?= same
WIDE ?= $(shell expr 4 \* $$(getconf _NPROCESSORS_ONLN))

# Every process that a test starts would otherwise compile anew what has changed since `make env`.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: nightly check check-beside test-all env lint types imports test test-wide test-scenarios bench docs mutants fuzz soak labgrid-env clean

# hypothesis, which the unit tests need, would be imported whole at the end of each run.
nightly: env
ifdef MUTANTS
	@case "$(MUTANTS)$(SEED)" in *[!0-9]*) echo "MUTANTS=$(MUTANTS) SEED=$(SEED): whole numbers are wanted" >&2; exit 2;; esac
endif
	@exec $(PY) -m pytest tests/scenarios -q -p no:hypothesispytest --boards "$(BOARDS)" $(if $(JOBS),--jobs $(JOBS))
ifdef MUTANTS
	@$(PY) -m tests.mutation_run --boards "$(BOARDS)" --mutants $(MUTANTS) $(if $(SEED),--seed $(SEED))
endif

# What takes one process goes on beside the tests, most of which wait; its output comes in whole parts between theirs.
check: env lint
	@$(MAKE) --no-print-directory -j 2 test-all check-beside

test-all:
	@$(MAKE) --no-print-directory test && $(MAKE) --no-print-directory test-wide

check-beside:
	@for part in types imports test-scenarios "soak MINUTES=2 SEED=5"; do \
		said=$$(mktemp); $(MAKE) --no-print-directory $$part >$$said 2>&1; code=$$?; \
		echo; cat $$said; rm $$said; [ $$code = 0 ] || exit $$code; \
	done

lint: env
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .

types: env
	@$(VENV)/bin/mypy

imports: env
	@said=$$($(VENV)/bin/lint-imports --no-cache 2>&1) || { echo "$$said"; exit 1; }; echo "$$said" | tail -n 12

test: env
	@EXAMPLES=$(EXAMPLES) $(PY) -m pytest -q -n $(WORKERS) --dist worksteal tests/unit

# These are whole processes that share the computer. A test that fails is run once more, and named as RERUN at the end:
# one that passes then is weak, and is to be mended, but it does not cost the others their run. Unit tests are not: some
# look for what must never happen, and a second try would hide every other time that it did.
test-wide: env
	@$(PY) -m pytest -q -n $(WIDE) --dist loadfile --no-loadscope-reorder -p rerunfailures --reruns 1 -raR tests/integration tests/interop tests/browser

# In folders of its own: neither the reports of another run nor its lab CA come in between. They stay if it fails.
test-scenarios: env
	@folder=$$(mktemp -d) && echo "scenarios on boards.yaml, reported in $$folder" && \
	$(PY) -m pytest -q -n 0 tests/scenarios --boards boards.yaml --reports $$folder/reports --lab-ca $$folder/ca && \
	rm -r $$folder

mutants: env
	@$(PY) -c "import mutmut" 2>/dev/null || $(PY) -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[mutants]"
	@$(PY) -m tests.code_mutants $(NAMES)

# atheris does not install everywhere; without it the corpus is changed at random.
fuzz: env
	@$(PY) -c "import atheris" 2>/dev/null || $(PY) -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[fuzz]" || true
	@$(PY) -m fuzz --seconds $(or $(SECONDS),30) $(TARGETS)

soak: env
	@$(PY) -m tests.soak --minutes $(or $(MINUTES),60) $(if $(SEED),--seed $(SEED))

# The pages as a site, build/docs/index.html; a link that leads nowhere ends it.
docs: env
	@$(PY) -c "import mkdocs" 2>/dev/null || $(PY) -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[docs]"
	@$(PY) -m mkdocs build --strict && echo "the pages: build/docs/index.html"

bench: env
	@$(PY) -m benchmarks

env: $(VENV)/.made

$(VENV)/.made: pyproject.toml constraints.txt scripts/make-env.sh
	@sh scripts/make-env.sh $(VENV)

labgrid-env: .labgrid/.made

.labgrid/.made: scripts/labgrid-constraints.txt scripts/make-labgrid-env.sh
	@sh scripts/make-labgrid-env.sh .labgrid

clean:
	rm -rf $(VENV) .labgrid mutants .fuzz .mypy_cache .ruff_cache .pytest_cache .hypothesis
