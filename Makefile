PYTHON ?= python3
BIN := .venv/bin
HOST ?= 127.0.0.1
PORT ?= 8000

KILLS ?= 150
SECONDS ?= 600
COUNT ?= 1000000
SCREENSHOTS ?= screenshots
TEST_OPTIONS ?=

.PHONY: run test interop lint types contracts format kills fuzz fuzz-readers postgres screenshots benchmarks clean

run: .venv/.app
	$(BIN)/bitlens serve --host $(HOST) --port $(PORT)

test: .venv/.test
	$(BIN)/python tests/find_browser.py --install
	$(BIN)/pytest $(TEST_OPTIONS)

# Files that we write, opened and run by their owners' own programs, which are heavier than what `make test` needs.
interop: .venv/.interop
	$(BIN)/pytest tests/interop $(TEST_OPTIONS)

lint: .venv/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.test
	$(BIN)/mypy

contracts: .venv/.test
	$(BIN)/lint-imports

format: .venv/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Two workers on a private PostgreSQL server in a temporary folder; skipped where PostgreSQL is not installed.
postgres: .venv/.test
	$(BIN)/python tests/campaigns/postgres.py

# Workers and jobs killed at random moments; every job must end with the bytes of an undisturbed run.
kills: .venv/.test
	$(BIN)/python tests/campaigns/kill_jobs.py --kills $(KILLS)

# Number text and format names, made up without end: no exception but our own, no answer slower than 50 ms.
fuzz: .venv/.test
	$(BIN)/python tests/campaigns/fuzz_numbers.py --seconds $(SECONDS)

# Damaged files through every reader of a container: no exception but our own, none slower than two seconds.
fuzz-readers: .venv/.test
	$(BIN)/python tests/campaigns/fuzz_readers.py --count $(COUNT)

# Every page and state, light and dark, in both languages, narrow and wide.
screenshots: .venv/.test
	$(BIN)/python tests/find_browser.py --install
	$(BIN)/python tests/campaigns/screenshots.py $(SCREENSHOTS)

benchmarks: .venv/.benchmarks
	$(BIN)/python benchmarks/inspect_page.py
	$(BIN)/python benchmarks/inspect_worst_case.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/streams.py
	$(BIN)/python benchmarks/codec.py
	$(BIN)/python benchmarks/quantize_error.py
	$(BIN)/python benchmarks/quantize_speed_peers.py
	$(BIN)/python benchmarks/compress_file.py
	$(BIN)/python -m benchmarks.decode_blocks

clean:
	rm -rf .venv dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Bitlens needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv

.venv/.app: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	touch $@

.venv/.test: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[test]'
	touch $@ .venv/.app

.venv/.interop: .venv/.test
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[test,interop]'
	touch $@

# What only benchmarks compare with; hqq would build its CUDA kernels.
.venv/.benchmarks: .venv/.test
	DISABLE_CUDA=1 $(BIN)/python -m pip install --quiet -c constraints.txt -e '.[test,benchmarks]'
	touch $@
