# Kanoscope: `make run` serves it, `make test` runs every test, `make check` is the fast gate.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(shell find kan_core server -name '*.py' 2>/dev/null)

# small tensors: more threads only make the machine slower
export OMP_NUM_THREADS = 1

.DEFAULT_GOAL := help
.PHONY: help run test check format clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

test: $(VENV)/.dev ## install what tests need and run all of them
	$(BIN)/python -m pytest

check: $(VENV)/.dev ## the fast gate: format, lint, types, import direction, unit tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -m "not slow and not e2e"

format: $(VENV)/.dev ## put all files into the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove everything that was built
	rm -rf $(VENV) dist build

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("Kanoscope needs Python 3.11 or newer, found " + sys.version.split()[0] + ": call make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@
