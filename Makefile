# The README's two commands are `make demo` and `make test`. Each first creates or updates .venv.

PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
NO_PYTHON = $(error no Python 3.11 or later is found; install one, or name it: make PYTHON=/path/to/python)
BIN := .venv/bin
INSTALLED := .venv/installed

.PHONY: demo test check docs bench

demo: $(INSTALLED)
	$(BIN)/sparring demo

test: $(INSTALLED)
	$(BIN)/pytest -n 2

check: $(INSTALLED)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/pytest tests/test_architecture.py tests/test_budgets.py

docs: $(INSTALLED)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks

$(INSTALLED): pyproject.toml constraints.txt
	$(or $(PYTHON),$(NO_PYTHON)) -m venv .venv
	$(BIN)/pip install --constraint constraints.txt --editable ".[dev]"
	touch $@
