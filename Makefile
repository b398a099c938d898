# The same commands for a person and for .ci/run. Works with the make of macOS (3.81).

PYTHON ?=
PHOTOS ?=
ARGS ?=
BASE ?=
JOBS ?= 2

BIN := .venv/bin
# What .venv holds: the program alone, or its tests and checks as well.
USER := .venv/.user
DEV := .venv/.dev
PINS := pyproject.toml constraints.txt scripts/install.sh
PYTEST := $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder --max-worker-restart=0

.PHONY: help install offline dev demo stop test test-all lint types bench screenshots wheel container try-container clean

help:
	@echo 'make demo                    draw a demo library, find its faces, group them, serve the pages'
	@echo 'make demo PHOTOS=~/Pictures  the same with your own photos (they are only read)'
	@echo 'make stop                    stop the service that make demo has started'
	@echo 'make test                    run the tests, on two processors; ARGS="-k name" for some'
	@echo 'make test-all                run those that are slow for their depth, which make test leaves out'
	@echo 'make lint                    check style and formatting'
	@echo 'make types                   check types'
	@echo 'make bench                   measure; prints tables'
	@echo 'make screenshots         picture every screen of a drawn library; needs Chromium'
	@echo 'make wheel                   build the wheel, and try it in a new environment'
	@echo 'make container               build the image of a container: docker, podman or buildah; BASE=debootstrap'
	@echo 'make try-container           start it, index in it, end it'
	@echo 'make install                 make .venv with the program in it; the others do it when needed'
	@echo 'make offline                 add the engine dlib, for a machine that can download no model files'
	@echo 'make dev                     add what tests and checks need; test, lint, types and bench do it'
	@echo 'make clean                   remove .venv and everything that was built'

install: $(USER)

dev: $(DEV)

offline: $(USER)
	@sh scripts/install.sh offline $(PYTHON)

$(USER): $(PINS)
	@sh scripts/install.sh user $(PYTHON)
	@touch $(USER)

$(DEV): $(PINS)
	@sh scripts/install.sh dev $(PYTHON)
	@touch $(USER) $(DEV)

demo: $(USER)
	@sh scripts/demo.sh "$(PHOTOS)"

stop:
	@sh scripts/stop.sh

test: $(DEV)
	$(PYTEST) $(ARGS)

test-all: $(DEV)
	$(PYTEST) -m depth $(ARGS)

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(DEV)
	$(BIN)/mypy

bench: $(DEV)
	@sh scripts/bench.sh $(ARGS)

screenshots: $(DEV)
	$(BIN)/python -m scripts.screenshots

wheel: $(DEV)
	@sh scripts/check_wheel.sh

container:
	@BASE="$(BASE)" sh scripts/container.sh $(ARGS)

try-container:
	@python3 -m scripts.try_container $(ARGS)

clean: stop
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
