# `make help` lists the commands.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

PYTHON ?= python3
PIP_VERSION := 26.3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
CHANNEL ?= portal
ARGS ?=
PYTEST_ARGS ?=
RUNS ?= 50000
FUZZ_ARGS ?=
MUTANTS_ARGS ?=

# Every branch of these rooms (ranks 0-4) is tested; one gap fails `make test`.
comma := ,
empty :=
space := $(empty) $(empty)
GATED := errors.py remote_errors.py token_errors.py findings.py secret.py ports.py messages/* models/* catalogue/* trust/* rules/* xml/* signers/* transport/* workflow/*
GATE := $(subst $(space),$(comma),$(addprefix src/bhxh_sdk/,$(GATED)))

.PHONY: help setup demo test unit coverage system lint docs messages bench fuzz mutants clean

help: ## what each command does
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## the virtual environment .venv, with everything in it

$(STAMP): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --disable-pip-version-check "pip==$(PIP_VERSION)"
	$(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt \
		--editable '.[cli,keyring,pykcs11,sandbox,test,token]' --group dev --group docs
	touch $@

demo: setup ## one organisation registers on the embedded sandbox (CHANNEL=portal|ivan, ARGS="...")
	@$(BIN)/bhxh demo --channel $(CHANNEL) $(ARGS)

test: setup system lint unit coverage ## everything: system packages, lint, docs, tests, coverage gate

unit: setup ## the tests, measured (PYTEST_ARGS="..." passes through)
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n 2 $(PYTEST_ARGS)
	$(BIN)/coverage combine --quiet

coverage: setup ## the coverage gate over the last measured run of the tests
	$(BIN)/coverage report --skip-covered --show-missing --include='$(GATE)' --fail-under=100

system: ## Debian packages that tests use
	@tools/system_packages.sh

lint: setup ## style, types, message catalogues, documentation
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python tools/messages.py check
	$(MAKE) --no-print-directory docs

docs: setup ## the documentation, warnings are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

messages: setup ## compile the Vietnamese and English message catalogues
	$(BIN)/python tools/messages.py compile

bench: setup ## the benchmarks, one JSON line each
	@$(BIN)/python -m benchmarks

fuzz: setup ## mutated inputs through every reader, RUNS of them over 2 processes; findings in build/ (FUZZ_ARGS="...")
	PYTHONPATH=tests $(BIN)/python -m fuzz --runs $(RUNS) $(FUZZ_ARGS)

mutants: setup ## mutation testing of the signature modules, a quarter of an hour; survivors are printed (MUTANTS_ARGS="...")
	$(BIN)/python tools/mutate.py $(MUTANTS_ARGS)

clean: ## remove what the other commands made
	rm -rf $(VENV) build dist site htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src tests tools benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
