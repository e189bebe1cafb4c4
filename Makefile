# The few commands a person needs. Everything is installed into .venv, with pins and hashes from requirements.lock.

PYTHON ?= python3
UV := .venv/bin/uv
export UV_PYTHON_DOWNLOADS := never
export UV_PROJECT_ENVIRONMENT := .venv

MEMBERS := $(patsubst %/pyproject.toml,%,$(wildcard server/pyproject.toml hosts/*/pyproject.toml plugins/*/*/pyproject.toml))

MODULES := bitcart_core $(notdir $(patsubst %/,%,$(dir $(wildcard hosts/*/src/*/__init__.py plugins/*/*/src/*/__init__.py))))

.PHONY: help setup demo test lint types lock

help: ## list the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: .venv/.installed ## install everything into .venv; a second run costs nothing

.venv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one: make setup PYTHON=/path/to/python3.11"; exit 2; }
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement scripts/installer.lock

.venv/.installed: .venv/bin/uv requirements.lock pyproject.toml $(addsuffix /pyproject.toml,$(MEMBERS))
	$(UV) pip install --quiet --python .venv/bin/python --require-hashes --requirement requirements.lock
	$(UV) pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable . $(addprefix --editable ./,$(MEMBERS))
	@touch $@

demo: setup ## watch a real payment turn an invoice complete; stays up until Ctrl-C
	@.venv/bin/bitcart demo

lock: .venv/bin/uv ## renew requirements.lock after a change of dependencies
	$(UV) lock --quiet
	$(UV) export --quiet --frozen --all-packages --all-extras --all-groups --no-emit-workspace --no-header --output-file requirements.lock

test: setup lint types ## install what the tests need and run all of them
	scripts/test-requisites
	BITCART_DATA=$(CURDIR)/.bitcart/tests .venv/bin/bitcart setup
	.venv/bin/coverage run --branch --include=bitcart_core/settlement.py -m pytest --quiet tests/bitcart_core/test_settlement*.py
	.venv/bin/coverage report --fail-under=100 --show-missing
	.venv/bin/pytest --numprocesses 2 --dist worksteal $(PYTEST_ARGS)

lint: setup ## check style and who imports whom
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports --no-cache

types: setup ## check types, strictly
	.venv/bin/mypy $(addprefix --package ,$(MODULES))
