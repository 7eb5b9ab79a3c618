# Everything runs in .venv, from hash-pinned requirements. Needs make and Python 3.11 or newer, nothing else.

VENV := .venv
BIN := $(VENV)/bin
E2E := .venv-e2e
MUTMUT := .venv-mutants
SITE := .venv-site
LOWEST := .venv-lowest
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
WORKERS ?= 2
# pip compiles what it installs, but not what it only points to: without this, and with PYTHONDONTWRITEBYTECODE, every start
# compiles our own modules anew.
COMPILED = $(BIN)/python -m compileall -q src

# The first Python that is new enough and can make a virtual environment; `make PYTHON=/path/to/python` names another.
CAN := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON = $(shell for p in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	"$$p" -c '$(CAN)' >/dev/null 2>&1 && { echo "$$p"; break; }; done)

.DEFAULT_GOAL := help
.PHONY: help demo test test-all e2e mutants lint lowest site lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'

demo: $(VENV)/demo.stamp ## the whole life cycle against an embedded AWS on this machine; no account, no credentials
	@$(BIN)/shnotify demo

test: lint ## lint, types, import rules, and the tests but for the full sweeps
	@echo "tested with $$($(BIN)/python --version) ($$($(BIN)/python -c 'import sys; print(sys.executable)'))"
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -m "not full"

test-all: lint ## all of it, the full sweeps too
	$(BIN)/pytest -n $(WORKERS) --dist worksteal

e2e: $(VENV)/dev.stamp $(E2E)/stamp ## rule, function, topic and queue in an emulator that really runs the function
	MINISTACK=$(E2E)/bin/ministack $(BIN)/pytest e2e

# Whole modules; of the kinds' modules the functions that decide what is deleted, given back or left.
MUTATED ?= $(addprefix shnotify.,engine.* resources.policies.* commands.destroy.* resources.keylookup.* notifier.leftovers.*) \
	$(foreach part,identify read release delete _live _is_ours _give_up _taken _tags _attributes _targets _split \
	_remove_target depths _names _without_id _failed_entry _subscriber_notes holds_messages tagged,*[ǁ_]$(part)__mutmut_*)

mutants: $(MUTMUT)/stamp ## mutation tests of ownership, policies, plans and destroy; takes half an hour or more
	$(MUTMUT)/bin/mutmut run --max-children 1 $(foreach name,$(MUTATED),'$(name)')
	@$(MUTMUT)/bin/mutmut results | sed '/: not checked/d'

lint: $(VENV)/dev.stamp ## ruff, mypy and the import rules
	@$(COMPILED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

site: $(SITE)/stamp ## the documentation as a site, in build/site; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(SITE)/bin/mkdocs build --strict
	@echo "build/site/index.html"

# The rooms that need no embedded AWS; whole `make test` is for the versions that are pinned.
LOWEST_TESTS ?= tests/aws tests/config tests/engine tests/findings tests/formatter tests/mail tests/notifier \
	tests/resources/test_policies.py tests/schema tests/terminal/test_language.py tests/commands/test_cli.py

lowest: $(LOWEST)/stamp ## the fast tests with the lowest version of each dependency that pyproject.toml allows
	$(LOWEST)/bin/pytest -n $(WORKERS) -m "not full" $(LOWEST_TESTS)

lock: | $(BIN)/python ## remake requirements/*.txt from pyproject.toml; `make lock UPGRADE=--upgrade` takes the newest
	$(PIP) uv
	$(COMPILE) pyproject.toml --extra sandbox --group dev -o requirements/dev.txt
	$(COMPILE) pyproject.toml --extra sandbox --group build -c requirements/dev.txt -o requirements/demo.txt
	$(COMPILE) requirements/e2e.in -o requirements/e2e.txt
	$(COMPILE) requirements/mutants.in -c requirements/dev.txt -o requirements/mutants.txt
	$(COMPILE) requirements/site.in -o requirements/site.txt
	$(COMPILE) pyproject.toml --extra sandbox --resolution lowest-direct -o requirements/lowest.txt

COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(UPGRADE)

clean: ## remove .venv, caches and build results
	rm -rf $(VENV) $(E2E) $(MUTMUT) $(SITE) $(LOWEST) mutants build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find src tests -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@test -n "$(PYTHON)" || { \
		echo "shnotify needs Python 3.11 or newer with its venv module, and found none." >&2; \
		echo "Install one (Debian: python3-venv), or name it: make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "setting up $(VENV), once, with $(PYTHON) ..."
	@"$(PYTHON)" -m venv $(VENV)

$(VENV)/dev.stamp: requirements/dev.txt pyproject.toml | $(BIN)/python
	$(PIP) --require-hashes --no-deps -r requirements/dev.txt
	$(PIP) --no-deps --no-build-isolation -e .
	@$(COMPILED)
	@touch $(VENV)/dev.stamp $(VENV)/demo.stamp

$(VENV)/demo.stamp: requirements/demo.txt pyproject.toml | $(BIN)/python
	$(PIP) --require-hashes --no-deps -r requirements/demo.txt
	$(PIP) --no-deps --no-build-isolation -e .
	@$(COMPILED)
	@touch $(VENV)/demo.stamp

$(E2E)/stamp: requirements/e2e.txt | $(BIN)/python
	@$(BIN)/python -m venv $(E2E)
	$(E2E)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/e2e.txt
	@touch $@

$(MUTMUT)/stamp: requirements/dev.txt requirements/mutants.txt pyproject.toml | $(BIN)/python
	@$(BIN)/python -m venv $(MUTMUT)
	$(MUTMUT)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/dev.txt
	$(MUTMUT)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/mutants.txt
	$(MUTMUT)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(SITE)/stamp: requirements/site.txt | $(BIN)/python
	@$(BIN)/python -m venv $(SITE)
	$(SITE)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/site.txt
	@touch $@

# What tests the lowest versions is of the pinned ones, but for what the two have in common.
$(LOWEST)/stamp: requirements/dev.txt requirements/lowest.txt pyproject.toml | $(BIN)/python
	@$(BIN)/python -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/dev.txt
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/lowest.txt
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
