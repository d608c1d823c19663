# make demo, make test: everything they need is set up in .venv first.
PYTHON ?= python3.11
ifeq (, $(shell command -v $(PYTHON)))
PYTHON = python3
endif
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: demo test lint setup lock models bench chaos clean

demo: setup ## run the whole line on the sample articles (or on ARTICLES="a.txt b.html c.jsonl")
	@exec $(BIN)/newsflow demo $(ARTICLES)

test: setup lint ## every check and every test, those on a real Kafka included
	@$(BIN)/pytest $(PYTEST_ARGS)

bench: setup ## what the line costs on this machine
	@$(BIN)/newsflow bench samples/*.txt samples/*.html samples/*.json samples/wire.jsonl --articles 330

chaos: setup ## the fault ledger, docs/fault-ledger.md (one row: make chaos ROW=worker-kill)
	@$(BIN)/python -m tests.chaos $(ROW)

models: setup ## rebuild every committed model, table and schema, to the same bytes
	@$(BIN)/python -m streams.entities.build_countries
	@$(BIN)/python -m streams.entities.build_places
	@$(BIN)/python -m streams.entities.build_common_words
	@$(BIN)/python -m streams.entities.train
	@$(BIN)/newsflow topics-model train
	@$(BIN)/python -m schemas.generate

lint: setup
	@echo "lint: ruff, mypy"
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

setup: $(READY)

$(READY): requirements/dev.txt pyproject.toml
	@echo "set-up 1/3: a virtual environment in $(VENV) ($$($(PYTHON) --version))"
	@$(PYTHON) -m venv $(VENV)
	@echo "set-up 2/3: $$(grep -c '==' requirements/dev.txt) packages, hash-checked (about 500 MB, once)"
	@$(BIN)/pip install --quiet --progress-bar on --require-hashes --no-deps -r requirements/dev.txt
	@echo "set-up 3/3: newsflow itself"
	@$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

lock: ## renew the lock files (needs uv)
	uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements/runtime.txt
	uv pip compile pyproject.toml requirements/build.in --extra broker --extra models --extra encoder --extra dev --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -o requirements/dev.txt

clean:
	rm -rf $(VENV) .newsflow .mypy_cache .ruff_cache .pytest_cache build *.egg-info
