# Kanoscope: `make run` serves it, `make test` runs every test, `make check` is the fast gate.
# `make test CHECKED=1` leaves out what a `make check` just before it has run.

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
PAGE := $(shell find frontend -type f -not -path '*/node_modules/*' 2>/dev/null)
NODE = $(BIN)/python frontend/node.py
# two at a time, each test handed out when a process is free
PYTEST = $(BIN)/python -m pytest -n 2 --dist loadgroup

# small tensors: more threads only make the machine slower
export OMP_NUM_THREADS = 1
# modules are compiled once, not by each of the many processes that tests start
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test check lint unit format types clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: $(VENV)/.run ## install and serve, with a live demo (HOST=…, PORT=…)
	$(BIN)/kanoscope serve --host $(HOST) --port $(PORT)

test: $(VENV)/.dev $(VENV)/.browser ## install what tests need and run all of them
	$(if $(CHECKED),,$(NODE) vitest run)
	$(PYTEST) $(if $(CHECKED),-m "slow or e2e")

check: lint unit ## the fast gate: format, lint, types, import direction, schema, unit tests

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(NODE) types --check
	$(NODE) prettier --check .
	$(NODE) eslint .
	$(NODE) svelte-check --tsconfig ./tsconfig.json --fail-on-warnings

unit: $(VENV)/.dev
	$(NODE) vitest run
	$(PYTEST) -m "not slow and not e2e"

types: $(VENV)/.dev ## generate the page's message types from the server's schema
	$(NODE) types

format: $(VENV)/.dev ## put all files into the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(NODE) prettier --write .

clean: ## remove everything that was built
	rm -rf $(VENV) dist build server/static frontend/node_modules

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Kanoscope needs Python 3.11 or newer, found " + sys.version.split()[0] + ": call make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

# an editable install serves from this folder; building it builds the page
$(VENV)/.run: pyproject.toml hatch_build.py $(PAGE) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[onnx]'
	@touch $@

# with all that running needs
$(VENV)/.dev: pyproject.toml hatch_build.py $(PAGE) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	$(NODE) install
	@touch $(VENV)/.run $@

$(VENV)/.browser: | $(VENV)/.dev
	$(BIN)/python tests/install_browser.py
	@touch $@
