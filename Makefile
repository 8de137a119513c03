# `make` alone lists the targets. The work is done in scripts/; nothing here needs more than bash, make and Python 3.11.
# PYTHON=… names the Python to use; ARGS=… is passed on to pytest by `test` and `test-fast`, to tests/torture by `torture`.

MAKEFLAGS += --no-print-directory
export PYTHON UPGRADE
# Tests start hundreds of processes: without bytecode each of them compiles all that it imports, which doubles its start.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
# `make test ARGS='-n 0'` runs one after the other.
SIDE_BY_SIDE := -n auto --dist loadgroup

.PHONY: help setup demo site serve test test-fast test-clients check stubs assets reference storybook baseline lock bench torture format clean python

help: ## Lists the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s  %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Prepares everything: .venv from the locks, LibreOffice, the servers that tests start
	@scripts/setup.sh all
	@echo 'Set up. Next: make demo'

demo: ## Uploads a docx, a photo and a text, converts and merges them to one PDF, and checks it
	@scripts/setup.sh demo
	@$(BIN)/python examples/demo

site: ## Runs a Django site that keeps its documents in the service, with something to look at, until Ctrl-C
	@scripts/setup.sh demo
	@$(BIN)/python examples/demo_site $(ARGS)

serve: python ## Runs the service on its embedded default, in the foreground
	@$(BIN)/osis-document-server serve

test: ## Runs all tests
	@scripts/setup.sh all
	@scripts/frontend.sh test
	@scripts/test-clients.sh build
	@$(BIN)/pytest $(SIDE_BY_SIDE) $(ARGS)

test-fast: python ## Runs the tests that take no time
	@scripts/frontend.sh test
	@$(BIN)/pytest $(SIDE_BY_SIDE) -m 'not slow' $(ARGS)

test-clients: ## Builds the clients in all languages and has each do what tests/conformance says
	@scripts/setup.sh all
	@scripts/test-clients.sh

check: python ## Looks at everything that can be wrong without running it
	@scripts/check.sh

stubs: python ## Generates the stubs that are committed, for Python and Go, from protos/
	@scripts/stubs.sh

assets: python ## Builds the scripts and styles that browsers load from django_client/frontend
	@scripts/frontend.sh build

reference: python ## Writes the reference of the Python app and client from their docstrings
	@$(BIN)/python scripts/reference.py

storybook: python ## Shows every state of the widgets, on port 6006
	@scripts/frontend.sh storybook

baseline: python ## Takes the contract of now as the one that must not be broken
	@scripts/baseline.sh

lock: ## Compiles requirements/*.txt; UPGRADE=1 takes the newest versions
	@scripts/python-environment.sh --only-uv
	@scripts/lock.sh

bench: ## Measures, and says what falls short
	@scripts/setup.sh all
	@$(BIN)/python tests/benchmarks

torture: ## Kills, damages, races and soaks the service for an hour or more, and says what it did not survive
	@scripts/setup.sh all
	@$(BIN)/python tests/torture $(ARGS)

format: python ## Formats Python and protos
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .
	@$(BIN)/buf format --write
	@scripts/frontend.sh format

clean: ## Removes .venv, caches, logs and the demo's files; keeps the documents of `make serve`
	@rm -rf .venv dist var/venvs var/log var/demo var/storybook django_client/frontend/node_modules
	@rm -rf var/clients var/plugins stubs/typescript/node_modules stubs/typescript/dist stubs/typescript/src/gen stubs/java/target
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -not -path './var/*' -type d -prune -exec rm -rf {} +

python:
	@scripts/setup.sh python
