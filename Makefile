.DEFAULT_GOAL := help
.PHONY: help up preview down status credentials logs doctor env images measure soak test lint format

PYTHON ?= python3
STACK ?= dev
SERVICE ?=
ARGS ?=
TOOLCHAIN = $(PYTHON) -m toolchain

help: ## Show this list
	@echo "make <target> [STACK=dev]"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: ## Bring the stack up; makes everything that is missing first
	@$(TOOLCHAIN) up --stack $(STACK)

preview: ## Show what `make up` would change
	@$(TOOLCHAIN) preview --stack $(STACK)

down: ## Destroy the stack (protect_data keeps data volumes)
	@$(TOOLCHAIN) down --stack $(STACK)

status: ## List the stack's containers: state, health, memory, ports
	@$(TOOLCHAIN) status --stack $(STACK)

credentials: ## Show how to log in
	@$(TOOLCHAIN) credentials --stack $(STACK)

logs: ## Follow a service's log: make logs SERVICE=prometheus
	@$(TOOLCHAIN) logs --stack $(STACK) $(SERVICE)

doctor: ## Say what this machine has and lacks
	@$(TOOLCHAIN) doctor --stack $(STACK)

env: ## Print exports for plain pulumi commands: eval "$(make env)"
	@$(TOOLCHAIN) env

images: ## Pull the official images, or build the set made from packages
	@$(TOOLCHAIN) images --stack $(STACK)

measure: ## Measure how long signals take; DEFAULTS=1 compares with upstream's timings
	@bin="$$($(TOOLCHAIN) python)" && "$$bin/python" -m measure --stack $(STACK) $(ARGS)

soak: ## Let the example pipeline run for half an hour, in which no alert may fire
	@bin="$$($(TOOLCHAIN) python)" && "$$bin/python" -m measure.soak --stack $(STACK)

test: ## Run every test: unit, configs, end to end (ARGS go to pytest)
	@$(TOOLCHAIN) test $(ARGS)

lint: ## Check style and the rules of what may import what
	@bin="$$($(TOOLCHAIN) python)" && "$$bin/ruff" check . && "$$bin/ruff" format --check . && "$$bin/lint-imports"

format: ## Format the Python files
	@bin="$$($(TOOLCHAIN) python)" && "$$bin/ruff" check --fix . && "$$bin/ruff" format .
