# Everything starts here and needs only Python 3.11-3.13 and make; the rest is installed into this folder.
PYTHON ?= python3
UV_VERSION := 0.13.9
UV := .tools/bin/uv
RUN := .venv/bin/
# More than the two cores: a test waits for services, queues and limits of rates a third of its time.
WORKERS ?= 4
# What failed beside three others, once more and alone, up to the first that fails again: four processes on two cores
# can make a test wait longer than any user would. What passes here is unstable, is named, and is mended like a failure.
ALONE = echo "== once more, alone: each test that passes now is UNSTABLE" && \
  $(RUN)pytest -v --lf --last-failed-no-failures none -x $(ARGS)
export UV_PYTHON_DOWNLOADS := never
export UV_HTTP_TIMEOUT := 300
export UV_LINK_MODE := copy
# Byte-code is kept whatever the caller's environment says: without it every process compiles Dagster anew, 5 s each.
unexport PYTHONDONTWRITEBYTECODE

# Node comes from PyPI with the other tools (docs/adr/0023): no machine needs one of its own.
NPM = $(RUN)python -m infra.packaging.npm
SCREENS := infra/local/screens_built/index.html
SCREENS_SOURCE := $(shell find web/src web/public -type f ! -name schema.d.ts) web/index.html web/vite.config.ts \
  web/tsconfig.json prism_api/openapi.json

.PHONY: up test check lint types screens-check architecture audit sbom wheel screens bench soak soak-fuzz soak-kills soak-year soak-lies soak-load soak-events soak-images soak-iam openapi clean help
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F':.*## ' '/^[a-z]+:.*## / {printf "  make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: .venv/.synced $(SCREENS) ## set everything up, start the platform and serve it until Ctrl-C
	$(RUN)prism up $(ARGS)

test: .venv/.synced $(SCREENS) ## set everything up and run all tests
	$(RUN)pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS) || { test $$? -eq 1 && $(ALONE); }

check: lint types screens-check architecture audit ## lock, lint, format, types, screens, architecture with the templates, Dagster definitions, audit

lint: .venv/.synced
	$(UV) lock --check --python .venv/bin/python
	$(RUN)ruff check .
	$(RUN)ruff format --check .

types: .venv/.synced
	$(RUN)pyright

screens-check: web/node_modules/.installed
	$(NPM) run check

# `dagster definitions validate` is one of these tests. They compute and wait for nothing: a process a core.
architecture: web/node_modules/.installed
	$(RUN)pytest -n 2 tests/architecture

audit: .venv/.synced ## known holes of what is locked; says when the lists of holes cannot be reached
	$(RUN)python -m infra.packaging.audit

wheel: .venv/.synced $(SCREENS) ## the wheel with the built screens, in dist
	$(UV) build --wheel --out-dir dist

DIST ?= dist
sbom: .venv/.synced ## what is handed on as CycloneDX documents, in dist
	mkdir -p $(DIST)
	$(UV) export --locked --quiet --no-default-groups --extra platform --preview-features sbom-export \
	  --format cyclonedx1.5 --output-file $(DIST)/prism-python.cdx.json
	$(NPM) sbom --silent --package-lock-only --omit=dev --sbom-format cyclonedx > $(DIST)/prism-screens.cdx.json

screens: $(SCREENS) ## build the screens that `prism up` serves; done only when their source changed

bench: .venv/.synced $(SCREENS) ## measure beside named peers and keep the results in benchmarks/results
	$(RUN)python -m benchmarks.throughput --save
	$(RUN)python -m benchmarks.history --save
	$(RUN)python -m benchmarks.views --save
	$(RUN)python -m benchmarks.export_client --save
	$(RUN)python -m benchmarks.export_memory --save
	$(RUN)python -m benchmarks.export_emulator --save
	$(RUN)python -m benchmarks.backfill --save
	$(RUN)python -m benchmarks.alerts --save
	$(RUN)python -m benchmarks.connectors --save
	$(RUN)python -m benchmarks.capacity --save
	$(RUN)python -m benchmarks.capacity --many-eligible --save
	$(RUN)python -m benchmarks.email --save
	$(RUN)python -m benchmarks.events_validate --save
	$(RUN)python -m benchmarks.events_flow --save
	$(RUN)python -m benchmarks.media --save
	$(RUN)python -m benchmarks.events_hour --save
	$(RUN)python -m benchmarks.api_init --save
	$(RUN)python -m benchmarks.api_warm --save
	$(RUN)python -m benchmarks.api_load --save
	$(RUN)python -m benchmarks.screens --save

soak: soak-fuzz soak-kills soak-year soak-lies soak-load soak-events soak-images soak-iam ## the load and fault tests at full figures, output in benchmarks/results

# $(call soaked,PART,COMMANDS): their output with date and commit, without the logs of runs, kept, and their verdict.
soak-fuzz soak-kills soak-year soak-lies soak-load soak-events soak-images soak-iam: SHELL := /bin/bash
soaked = set -o pipefail; export PYTHONWARNINGS=ignore; { date -u +%FT%TZ; git rev-parse HEAD; $(2); } 2>&1 | grep -vE --line-buffered '^[{]|^[0-9-]{10} [0-9:]{8} [+-][0-9]{4} - dagster|^$$' | tee benchmarks/results/soak-$(1).txt

soak-fuzz: .venv/.synced ## every role against the API's whole contract, 300 s each
	$(call soaked,fuzz,FUZZ_SECONDS=300 $(RUN)pytest tests/integration/test_api_fuzz.py --timeout 900 -q)

soak-kills: .venv/.synced ## fifty kills of each thing that can be killed
	$(call soaked,kills,SOAK_KILLS=50 $(RUN)pytest tests/integration -k kill --timeout 3600 -q -s)

soak-year: .venv/.synced ## a year in one backfill
	$(call soaked,year,SAMPLE_WEEKS=52 START_SECONDS=4000 BACKFILL_SECONDS=4000 \
	  $(RUN)pytest tests/integration/test_whole_backfill.py -q -s)

soak-lies: .venv/.synced ## two hundred weeks told by a model that lies
	$(call soaked,lies,LIES=200 $(RUN)pytest tests/integration/test_lying_model.py --timeout 900 -q -s)

soak-load: .venv/.synced ## eight clients of the API for a minute
	$(call soaked,load,$(RUN)python -m benchmarks.api_load)

soak-events: .venv/.synced ## every webhook of GitHub, and a hundred thousand events through faults and ten kills
	$(call soaked,events,GITHUB_EXAMPLES=all $(RUN)pytest tests/integration/test_events_replay.py --timeout 1200 -q -s && EVENTS=100000 $(RUN)pytest tests/integration/test_events_faults.py -k kills_lose --timeout 0 -q -s)

soak-images: .venv/.synced ## five hundred uploads with events twice and out of order, and kills
	$(call soaked,images,IMAGES=500 $(RUN)pytest tests/integration/test_media_faults.py -k analysed_once --timeout 0 -q -s)

soak-iam: .venv/.synced ## the integration tests with functions that may do what their roles may
	$(call soaked,iam,ENFORCE_RIGHTS=1 $(RUN)pytest -n $(WORKERS) --dist loadfile tests/integration -q)

openapi: .venv/.synced ## write prism_api/openapi.json anew
	$(RUN)python -m prism_api.api.openapi

clean: ## remove what was installed; data in .prism stays
	rm -rf .venv .tools .pytest_cache .ruff_cache .hypothesis web/node_modules infra/local/screens_built
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(SCREENS): web/node_modules/.installed $(SCREENS_SOURCE)
	$(NPM) run --silent build
	@touch $@

web/node_modules/.installed: .venv/.synced web/package.json web/package-lock.json
	$(NPM) ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(UV):
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"PRISM needs Python 3.11, 3.12 or 3.13, this is {v[0]}.{v[1]}; try make PYTHON=python3.12 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/.synced: $(UV) pyproject.toml uv.lock
	$(UV) sync --locked --quiet --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')"
	@touch $@
