# The two commands of a newcomer: `make demo` and `make test`. Both set up .venv first.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
JOBS ?= 2

.PHONY: help venv dev demo test chaos lint bench clean

help:
	@echo "make demo    swap the demo clips (sets up $(VENV) first); ARGS='--minutes 10' and others"
	@echo "make test    lint and the test suite; JOBS=4 for that many processes"
	@echo "make chaos   the slowest tests, and kills of 200 trainings and 100 merges at random moments"
	@echo "             with a look at what is left; twenty minutes"
	@echo "make bench   all benchmarks; rewrites the tables of docs/benchmarks.md"

$(VENV)/.run: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11))' \
		|| { echo "FaceLab needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.txt requirements-cluster.txt requirements-editor.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

venv: $(VENV)/.run

dev: $(VENV)/.dev

demo: $(VENV)/.run
	$(BIN)/python main.py demo $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/python -m flake8
	$(BIN)/python -m isort --check-only --quiet .

test: lint
	$(BIN)/python -m pytest -q --numprocesses $(JOBS) --dist loadfile -m "not slow" $(ARGS)

chaos: $(VENV)/.dev
	$(BIN)/python -m pytest -q -m slow
	$(BIN)/python -W ignore -m tests.chaos.kill_training $(ARGS)
	$(BIN)/python -W ignore -m tests.chaos.kill_merging

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks --write docs/benchmarks.md

clean:
	rm -rf .pytest_cache build
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
