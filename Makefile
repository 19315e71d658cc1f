# Every target sets up what it needs: a virtual environment, locked packages, Java for Spark.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
JARS := $(VENV)/.jars
AUDIT := .venv-audit
ADVISORIES := pypi

.PHONY: demo test soak check aws-local bench audit lock clean

demo: $(READY)
	$(BIN)/ndr run --spec examples/paloalto.yaml --input examples/minibatch --output demo-output \
		--engine spark --mini-batch-id demo --slice-start 2025-03-01T10:00:00Z --slice-end 2025-03-01T10:15:00Z

# Two workers, each with a Spark session of its own: a file's tests stay together, as they share it.
test: $(JARS)
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

# All that the tests can try: every kill, and so many times as many random examples.
SOAK ?= 4
soak: $(JARS)
	NDR_SOAK=$(SOAK) $(BIN)/python -m pytest --numprocesses 2 --dist loadfile tests/property tests/integration tests/unit

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

aws-local: $(JARS)
	$(BIN)/ndr aws up

bench: $(READY)
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

# Known vulnerabilities of the locked packages, asked of pypi.org or, with ADVISORIES=osv, of osv.dev. A package that these
# do not know fails it as well: what was not asked is not known to be good. See docs/supply-chain.md.
audit: $(AUDIT)/.ready
	$(AUDIT)/bin/pip-audit --strict --progress-spinner off --vulnerability-service $(ADVISORIES) \
		--disable-pip --require-hashes --requirement requirements.lock

$(AUDIT)/.ready: Makefile
	$(PYTHON) -m venv --clear $(AUDIT)
	$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	touch $@

# Needs `uv`; run after a change of the dependencies in pyproject.toml.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --all-extras pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV) $(AUDIT) demo-output
