# make demo: set up what the demo needs; caption, score and compare on the embedded data.
# make test: set up everything; run all tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# constraints.txt pins torch; its CPU build is installed where the index offers one. Python compiles the modules that
# it imports, so that pip need not compile all 22,000.
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt --editable

.PHONY: demo test test-torchvision lint bench clean

demo: $(VENV)/.installed-demo
	$(BIN)/evaluator run experiment=demo -m

# Modules are compiled once and kept, also where the environment says otherwise: the tests start many processes.
test: $(VENV)/.installed-all
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# Chat models whose processors need torchvision, with the newest torch and the torchvision that belongs to it.
test-torchvision: build/torchvision/.installed
	build/torchvision/bin/pytest tests/models/local/test_chat_families.py tests/models/local/test_families.py

lint: $(VENV)/.installed-all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.installed-all
	for benchmark in benchmarks/[a-z]*.py; do $(BIN)/python $$benchmark || exit 1; done

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed-demo: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) '.[local,coco]'
	touch $@

$(VENV)/.installed-all: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) '.[all,dev]'
	touch $@ $(VENV)/.installed-demo

build/torchvision/.installed: pyproject.toml
	$(PYTHON) -m venv build/torchvision
	build/torchvision/bin/pip install --quiet --disable-pip-version-check --editable '.[local,chat]' \
	    torch==2.14.1 torchvision==0.29.1 transformers==5.23.0 hypothesis pytest
	touch $@

clean:
	rm -rf $(VENV) build dist
