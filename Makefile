# The two commands are `make demo` and `make test`; `make help` lists the rest.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help install demo test lint lock page test-integration test-others bench bench-check fuzz chaos backtest privacy sbom up clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

install: .venv/.installed page  ## .venv with the locked versions, the page, and the command line at .venv/bin/ent

.venv/.installed: requirements-dev.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

page: grafana/viewer/web/index.html  ## build the page that draws the dashboards

PAGE := $(addprefix grafana/viewer/,package.json package-lock.json .npmrc absent/package.json build.mjs patches.mjs bundle.py) $(shell find grafana/viewer/src -type f)
grafana/viewer/web/index.html: $(PAGE) | .venv/.installed
	$(BIN)/python -m grafana.viewer.bundle

fuzz: .venv/.installed  ## a million mutated records against the law
	$(BIN)/python -m tests.fuzz.run --records 1000000

sbom:  ## what the image installs, as CycloneDX in sbom.json
	$(PYTHON) deploy/make_sbom.py > sbom.json

privacy: .venv/.installed  ## the attack on the published figures, at full length
	$(BIN)/python -m tests.privacy.run

bench: .venv/.installed  ## the full path, decoding, page and alerts; then what people would use instead (JDK and Maven)
	$(BIN)/python bench/decode.py
	$(BIN)/python bench/backlog.py --report bench/results.json
	$(BIN)/python bench/page.py --report bench/page.json
	$(BIN)/python bench/alerts.py
	$(BIN)/python -m bench.compare --write

bench-check: .venv/.installed  ## whether an event became dearer than the committed ratios say (JDK and Maven)
	$(BIN)/python -m bench.check

backtest: .venv/.installed  ## how good the alerts are: twelve simulated years, the alternatives, the committed goals
	$(BIN)/ent alerts backtest --check

chaos: .venv/.installed  ## more than 200 kills of real processes, then every figure against the truth
	$(BIN)/ent chaos --runs 14 --seed 1 --report chaos.json

demo: install  ## a simulated Mulhouse, live, on this machine alone
	$(BIN)/ent demo $(ARGS)

up: .venv/.installed  ## with containers: draw the secrets, start everything, wait until healthy, look at Grafana
	$(PYTHON) deploy/make_env.py
	docker compose up --detach --build --wait
	port=$$(docker compose port grafana 3000 | sed 's/.*://') && docker compose logs --no-color grafana \
	  | $(BIN)/ent smoke --url "http://127.0.0.1:$$port" --password-file deploy/secrets/grafana_admin_password

lint: .venv/.installed  ## ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: install lint  ## everything that must hold, in fifteen minutes at most
	$(MAKE) --no-print-directory --jobs 2 test-integration test-others

test-integration: .venv/.installed  # these wait for brokers and databases most of the time, the others compute
	$(BIN)/pytest tests/integration

test-others: .venv/.installed
	$(BIN)/pytest tests/unit tests/contract tests/fuzz tests/privacy tests/e2e

UV_LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock:  ## resolve the versions again
	$(UV_LOCK) --extra dev pyproject.toml -o requirements-dev.lock
	$(UV_LOCK) -c requirements-dev.lock pyproject.toml -o requirements.lock
	echo "hatchling>=1.27" | $(UV_LOCK) --no-annotate -c requirements-dev.lock - -o deploy/requirements-build.lock

clean:  ## forget what was installed, built and kept
	rm -rf .venv .ent-demo grafana/viewer/node_modules grafana/viewer/web
