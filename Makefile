# The two commands: `make dev` and `make test`. Both make what they need first, and neither needs an
# activated environment. `make help` lists the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
KAGARI := $(BIN)/kagari
# npm, npx and wrangler start subprocesses, which must find this Node, this uv and this Python.
WITH_TOOLS := PATH="$(CURDIR)/$(BIN):$$PATH"
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# What the first [[d1_databases]] of wrangler.toml says: its binding, its database_name.
D1 = $(shell awk -F'"' '/^\[/ { d1 = /d1_databases/ } d1 && /^ *$(1) *=/ { print $$2; exit }' wrangler.toml)

# A new app may have no test yet: mypy and pytest end with an error where there is none.
HAS_TESTS = $(shell find -L tests -name "*.py" 2>/dev/null | head -n 1)
CHECKED = $(if $(HAS_TESTS),,$(wildcard framework app.py routes))
# Kagari's own suite takes ten minutes one by one. tests/conftest.py says what has to stay together.
IN_PARALLEL := $(if $(wildcard tests/wasm),-n auto --maxprocesses 4 --dist loadgroup --no-loadscope-reorder)
NO_TESTS := there is no test yet: put the first one into tests/, in a file called test_something.py

# Chromium is the one thing that pip and npm cannot install. In CI its tests must run.
HAS_BROWSER := $(shell command -v chromium >/dev/null && command -v chromedriver >/dev/null && echo yes)
WITHOUT_BROWSER := $(if $(HAS_BROWSER)$(CI),,$(addprefix --ignore=,$(wildcard tests/browser)))
NO_BROWSER := left out: tests/browser, for want of Chromium: apt-get install chromium chromium-driver

.DEFAULT_GOAL := help
.PHONY: help dev test format routes worker deploy database schema schema-production wrangler clean
.DELETE_ON_ERROR:

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "make %-18s %s\n", $$1, $$2 }'

dev: $(VENV)/local.stamp ## serve the app at http://localhost:8787 (PORT=, KAGARI_DATABASE=), with reload
	@$(KAGARI) dev

test: $(VENV)/dev.stamp node_modules/.package-lock.json ## run every check and every test
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy $(CHECKED)
	@test ! -d tests/wasm || $(WITH_TOOLS) $(BIN)/python -m tests.wasm.prepare
	@$(if $(HAS_TESTS),$(WITH_TOOLS) $(BIN)/pytest $(IN_PARALLEL) $(WITHOUT_BROWSER),echo "$(NO_TESTS)")
	@test -z "$(WITHOUT_BROWSER)" || echo "$(NO_BROWSER)"

format: $(VENV)/dev.stamp ## format, and apply the lint fixes
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

routes: $(VENV)/local.stamp ## list the routes: guard, the D1 statements it runs, handler
	@$(KAGARI) routes

worker: tools ## serve the Worker itself: workerd, with a local D1
	@$(WITH_TOOLS) $(BIN)/pywrangler dev $(ARGS)

deploy: tools ## deploy the Worker (ARGS="--env staging" for that environment, as in all from here on)
	@$(WITH_TOOLS) $(BIN)/pywrangler deploy $(ARGS)

database: tools ## create the D1 database, once; put the id that it prints into wrangler.toml
	@$(WITH_TOOLS) $(BIN)/npx wrangler d1 create $(call D1,database_name) $(ARGS)

schema: tools ## make the tables in the Worker's local D1
	@$(WITH_TOOLS) $(BIN)/npx wrangler d1 execute $(call D1,binding) --local --file=schema.sql $(ARGS)

schema-production: tools ## make the tables in the deployed D1
	@$(WITH_TOOLS) $(BIN)/npx wrangler d1 execute $(call D1,binding) --remote --file=schema.sql $(ARGS)

wrangler: tools ## any other command of wrangler's: make wrangler ARGS="secret put CODE_SECRET"
	@$(WITH_TOOLS) $(BIN)/npx wrangler $(ARGS)

.PHONY: tools
tools: $(VENV)/dev.stamp node_modules/.package-lock.json
	@$(WITH_TOOLS) $(KAGARI) doctor

clean: ## remove everything that make made, except the databases
	rm -rf $(VENV) .venv-workers node_modules python_modules build .cache *.egg-info
	rm -rf .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- What the above need --------------------------------------------------------------------------

# Each stamp lies inside the folder it vouches for, so that removing the folder removes the stamp.
# A virtual environment is bound to where it was made: one that was moved, or came with a copy of the
# project and would run the original's framework, loses its stamps, and is made anew.
$(shell test -f $(VENV)/made.stamp && test ! -L $(VENV) && \
	! grep -qsF " $$(pwd -P)/$(VENV)" $(VENV)/pyvenv.cfg && rm -f $(VENV)/*.stamp)
$(VENV)/made.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is not Python 3.11 or newer: name another, as in make dev PYTHON=python3.13"; exit 1; }
	@echo "making $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/local.stamp: pyproject.toml | $(VENV)/made.stamp
	@echo "installing what serving needs ..."
	@$(PIP) --editable '.[local]'
	@touch $@

$(VENV)/dev.stamp: pyproject.toml | $(VENV)/made.stamp
	@echo "installing what testing and deploying need ..."
	@$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/local.stamp

node_modules/.package-lock.json: package-lock.json $(VENV)/dev.stamp
	@echo "installing wrangler ..."
	@$(WITH_TOOLS) $(BIN)/npm ci --silent
	@touch $@
