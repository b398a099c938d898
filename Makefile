# The same commands for a person and for .ci/run. Works with the make of macOS (3.81).

PYTHON ?=
PHOTOS ?=
ARGS ?=
JOBS ?= 2

BIN := .venv/bin
READY := .venv/.installed
PYTEST := $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

.PHONY: help install demo stop test test-all lint types bench clean

help:
	@echo 'make demo                    draw a demo library, find its faces, group them, serve the pages'
	@echo 'make demo PHOTOS=~/Pictures  the same with your own photos (they are only read)'
	@echo 'make stop                    stop the service that make demo has started'
	@echo 'make test                    run the tests, on two processors; ARGS="-k name" for some'
	@echo 'make test-all                run those that are slow for their depth, which make test leaves out'
	@echo 'make lint                    check style and formatting'
	@echo 'make types                   check types'
	@echo 'make bench                   measure; prints tables'
	@echo 'make install                 make .venv with everything in it; the others do it when needed'
	@echo 'make clean                   remove .venv and everything that was built'

install: $(READY)

$(READY): pyproject.toml constraints.txt scripts/install.sh
	@sh scripts/install.sh $(PYTHON)
	@touch $(READY)

demo: $(READY)
	@sh scripts/demo.sh "$(PHOTOS)"

stop:
	@sh scripts/stop.sh

test: $(READY)
	$(PYTEST) $(ARGS)

test-all: $(READY)
	$(PYTEST) -m depth $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

bench: $(READY)
	@sh scripts/bench.sh $(ARGS)

clean: stop
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
