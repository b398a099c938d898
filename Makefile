# The same commands for a person and for .ci/run. Works with the make of macOS (3.81).

PYTHON ?=
PHOTOS ?=
ARGS ?=
JOBS ?= 2

BIN := .venv/bin
READY := .venv/.installed

.PHONY: help install demo stop test lint types bench clean

help:
	@echo 'make demo                    draw a demo library, find its faces, group them, serve the pages'
	@echo 'make demo PHOTOS=~/Pictures  the same with your own photos (they are only read)'
	@echo 'make stop                    stop the service that make demo has started'
	@echo 'make test                    run all tests, on two processors; ARGS="-k name" for some'
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
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

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
