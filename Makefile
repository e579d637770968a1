# Bonewise. `make run` is all it takes to see it work; `make help` lists the rest.

.DEFAULT_GOAL := help
.PHONY: help run setup test lint format bench lock wheel pictures clean setup-test

PORT ?= 8000
PYTHON ?= python3
WORKERS ?= 4
BIN := .venv/bin
export PYTHON
# Bytecode is what makes the command start fast.
unexport PYTHONDONTWRITEBYTECODE

help: ## this list
	@echo "Bonewise: reminders and screening follow-up for people with MS at risk of osteoporosis"
	@echo
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: export PORT := $(PORT)
run: setup ## install, make the database and a sample clinic, serve on http://127.0.0.1:8000 (PORT=8000)
	@$(BIN)/bonewise init
	@$(BIN)/bonewise sample load
	@exec $(BIN)/bonewise serve

setup: ## only install: afterwards .venv/bin/bonewise is there (PYTHON=python3)
	@sh scripts/setup.sh run

setup-test:
	@sh scripts/setup.sh test

test: setup-test ## install what tests need and run them all (ARGS="tests/unit -k dexa", WORKERS=4)
	@sh scripts/test-tools.sh
	@sh scripts/test.sh $(WORKERS) $(ARGS)

lint: setup-test ## ruff, formatting, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: setup-test ## put code in the project's format, and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup-test ## measure the morning spike beside its peers, and growth (ARGS=--quick, growth, inbound, pages)
	@sh scripts/bench-tools.sh
	$(BIN)/python -m tests.bench $(ARGS)

lock: setup-test ## resolve pyproject.toml into requirements/*.txt (UPGRADE=1 for the newest of everything)
	sh scripts/lock.sh $(if $(UPGRADE),--upgrade)

wheel: setup-test ## build dist/bonewise-*.whl
	$(BIN)/python -m hatchling build -t wheel

pictures: setup-test ## take the pictures in docs/images anew, of the sample clinic at a fixed moment (ARGS="phones today")
	@sh scripts/test-tools.sh
	$(BIN)/python -m tests.support.screenshots $(ARGS)

clean: ## remove what was installed, built or cached; the database in var/ stays
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find scheduler tests -name __pycache__ -type d -prune -exec rm -rf {} +
