# Every target sets up what it needs, from nothing but Python 3.11, make and git. Repeating is instant.

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name))))
BIN := .venv/bin
READY := .venv/.ready
ASSETS := frontend/node_modules/.ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test bench lint drill assets clean

help:
	@echo "make demo    the portal with a year of deliveries and its sign-ins, at http://127.0.0.1:8000"
	@echo "make test    all tests                      make lint    ruff, mypy, import-linter"
	@echo "make bench   measure; CASES=a,b for some    make drill   long crash and load drills"
	@echo "make assets  rebuild the browser's files    make setup   only install"

setup: $(READY)

# The lock holds the hash of every package, uv's own too; nothing is built outside of it. Compiled once here, because
# an environment that forbids Python to write bytecode would compile everything again at each start: 3.5 s, not 1.5.
$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 is needed; set PYTHON=/path/to/python3.11."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || \
		{ rm -rf .venv; echo "Python's venv module is missing; on Debian: apt install python3.11-venv."; exit 1; }
	@awk '/^[^ #]/ { keep = /^uv==/ } keep' requirements.lock > .venv/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.lock
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q portal jobs bot
	@touch $@

demo: setup
	@$(BIN)/portal demo

test: setup
	$(BIN)/pytest -n 3 --dist worksteal -m "not drill" $(ARGS)

drill: setup
	$(BIN)/pytest -m drill $(ARGS)

# Compiled as an installed portal is: what was changed since the set-up would else be compiled at every start.
bench: setup
	@$(BIN)/python -m compileall -q portal jobs bot bench
	$(BIN)/python -m bench $(if $(CASES),--cases $(CASES)) $(ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# The built files are committed, so only who changes the sources needs Node.
assets: $(ASSETS)
	cd frontend && npm run build

$(ASSETS): frontend/package-lock.json
	@command -v npm > /dev/null || { echo "Node.js with npm is needed to build the browser's files."; exit 1; }
	cd frontend && npm ci --no-audit --no-fund
	@touch $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache frontend/node_modules
