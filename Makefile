# make run    creates the environment, installs, runs the worker (Ctrl-C stops it)
# make test   creates the environment, installs, runs the tests
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
# Two at a core: a quarter of the suite's time is waiting for a process, a server or a clock.
ATONCE ?= $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))

.PHONY: run test demo lint coverage audit clean

run: $(VENV)/.runtime
	$(BIN)/monitor run

demo: $(VENV)/.runtime
	$(BIN)/monitor demo

test: $(VENV)/.test
	$(BIN)/python -m pytest -n $(ATONCE)

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/deptry .

# The whole suite again, a little slower, with the share of lines and branches it runs.
coverage: $(VENV)/.test
	$(BIN)/python -m pytest -n $(ATONCE) --cov --cov-report=term

# Known holes in the pinned versions, by osv.dev; without a network it fails, and does not say that all is well.
audit: $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check pip-audit
	$(BIN)/pip-audit --strict --vulnerability-service osv --no-deps --disable-pip --requirement constraints.txt

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@ $(VENV)/.runtime

clean:
	rm -rf $(VENV) build *.egg-info
