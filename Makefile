# The README's two commands are `make demo` and `make test`. Each first creates or
# updates .venv: `make demo` installs the runtime dependencies, `make test` also the development ones.

PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
NO_PYTHON = $(error no Python 3.11 or later is found; install one, or name it: make PYTHON=/path/to/python)
BIN := .venv/bin
INSTALLED := .venv/installed
DEVELOPING := .venv/developing
PUBLISHING := .venv/publishing

.PHONY: demo test check docs bench dist

demo: $(INSTALLED)
	$(BIN)/sparring demo

test: $(DEVELOPING)
	$(BIN)/pytest -n 2

check: $(DEVELOPING)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/pytest tests/test_architecture.py tests/test_budgets.py

docs: $(DEVELOPING)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build

bench: $(DEVELOPING)
	$(BIN)/python -m benchmarks

dist: $(PUBLISHING)
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/twine check --strict dist/*

$(INSTALLED): pyproject.toml constraints.txt
	$(or $(PYTHON),$(NO_PYTHON)) -m venv .venv
	$(BIN)/pip install --constraint constraints.txt --editable .
	touch $@

$(DEVELOPING): $(INSTALLED)
	$(BIN)/pip install --constraint constraints.txt --editable ".[dev]"
	touch $@

$(PUBLISHING): $(DEVELOPING)
	$(BIN)/pip install --constraint constraints.txt build twine
	touch $@
