# Every target sets up what it needs: a virtual environment, locked packages, Java for Spark.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
JARS := $(VENV)/.jars
AUDIT := .venv-audit
FEAST := .venv-feast
ADVISORIES := pypi

DEMO := --spec examples/paloalto.yaml --input examples/minibatch --mini-batch-id demo \
	--slice-start 2025-03-01T10:00:00Z --slice-end 2025-03-01T10:15:00Z
ARGS ?=

.PHONY: demo help unit coverage test soak check docs aws-local bench audit lock wheels clean

demo: demo-notice $(READY) ## Set up .venv, run both engines over examples/ into demo-output/
	$(BIN)/ndr run $(DEMO) --engine polars --output demo-output/polars
	$(BIN)/ndr run $(DEMO) --engine spark --output demo-output/spark

.PHONY: demo-notice
demo-notice:
	@test -e $(READY) || echo "Sets up $(VENV) first: $$(grep -c '^[a-z].*==' requirements.lock) locked packages" \
		"from PyPI, 1.5 GB on disk (a Java and Spark among them); it takes some minutes, once."
	@echo "Runs Polars (2 s), then Spark (half a minute, most of it to start) into demo-output/."

help: ## Show these targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1|\2/' | \
		while IFS='|' read -r name about; do printf '  make %-10s %s\n' "$$name" "$$about"; done

unit: $(READY) ## Run the unit tests, which need no Java and no AWS; ARGS="-k name" for some
	$(BIN)/python -m pytest tests/unit $(ARGS)

coverage: $(READY) ## Run the unit tests, and print what of the core they cover, branch by branch
	$(BIN)/python -m pytest tests/unit --cov

# Two workers, each with a Spark session of its own: a file's tests stay together, as they share it.
test: $(JARS) $(FEAST)/.ready ## Run all tests, or ARGS="tests/e2e -k name" for some
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile $(ARGS)

# All that the tests can try: every kill, and so many times the random examples that a test names.
SOAK ?= 4
soak: $(JARS) ## Run every kill and many random examples
	NDR_SOAK=$(SOAK) $(BIN)/python -m pytest --numprocesses 2 --dist loadfile tests/property tests/engines tests/storages tests/unit \
		$(addprefix tests/e2e/test_,real_hours.py production_path.py command_line.py input_files.py bad_input.py hostile_input.py signals.py full_disk.py job_on_a_cluster.py \
		wheels_on_a_cluster.py features.py features_on_a_cluster.py deployed_features.py deployed_baselines.py baselines.py planted_anomalies.py real_anomalies.py real_attacks.py planted_attacks.py watch.py watch_features.py watch_process.py report_size.py) tests/scenario

check: $(READY) ## Run the linters, the type checker and the import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint deploy/Dockerfile
	$(BIN)/cfn-lint deploy/template.yaml
	$(BIN)/typos

aws-local: $(JARS) ## Start stand-ins for S3 and DynamoDB
	$(BIN)/ndr aws up

docs: $(READY) ## Write the generated pages of docs
	$(BIN)/ndr schema --markdown > docs/tables.md
	$(BIN)/ndr catalog --markdown > docs/FEATURES.md
	$(BIN)/ndr spec presets --markdown > docs/sources/mappings.md

bench: $(READY) ## Measure the engines side by side
	$(BIN)/python -m tests.bench.compare

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=/path/to/python3")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# What Spark needs to reach S3, which pyspark does not bring.
$(JARS): $(READY)
	$(BIN)/ndr aws jars
	touch $@

# Feast wants an older pandas than the project is tested with, so it has an environment of its own.
$(FEAST)/.ready: examples/feast/requirements.lock
	$(PYTHON) -m venv --clear $(FEAST)
	$(FEAST)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r examples/feast/requirements.lock
	touch $@

LOOK_UP := $(AUDIT)/bin/pip-audit --strict --progress-spinner off --vulnerability-service $(ADVISORIES) \
	--disable-pip --require-hashes --requirement

# Known vulnerabilities of the locked packages, asked of pypi.org or, with ADVISORIES=osv, of osv.dev. A package that these
# do not know fails it as well: what was not asked is not known to be good. See docs/supply-chain.md.
audit: $(AUDIT)/.ready ## Look the locked packages up among known faults
	$(LOOK_UP) requirements.lock
	$(LOOK_UP) examples/feast/requirements.lock

$(AUDIT)/.ready: Makefile
	$(PYTHON) -m venv --clear $(AUDIT)
	$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	touch $@

# Needs `uv`; run after a change of the dependencies in pyproject.toml. With their extras, as pip takes `coverage[toml]`
# for another package than `coverage`: it would choose the newest, which has no hash here.
OF_THE_IMAGE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-strip-extras --no-emit-index-url --constraints requirements.lock

lock: ## Lock the packages anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-strip-extras --no-emit-index-url --all-extras pyproject.toml --output-file requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url examples/feast/requirements.in --output-file examples/feast/requirements.lock
	$(OF_THE_IMAGE) --extra aws pyproject.toml --output-file deploy/image/run.lock
	echo hatchling | $(OF_THE_IMAGE) - --output-file deploy/image/build.lock
	$(MAKE) wheels

# Which files of the locked versions a cluster gets. Its own target, as it needs the packages, but not `uv`.
wheels: $(READY) ## Pin the wheels of a deployed job as requirements.lock says
	$(BIN)/python -m tests.lock_wheels

clean: ## Remove the environments and demo-output
	rm -rf $(VENV) $(AUDIT) $(FEAST) demo-output
