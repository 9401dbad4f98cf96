# `make demo` tells the whole story on this machine; `make test` proves it. Both set up what is missing.
PYTHON_HERE := .venv/bin/python
export PYTHON

.PHONY: help setup demo demo-all sandbox test soak lint bench docs classes reference lock clean
.DEFAULT_GOAL := help

help: ## what there is to make
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1|\2/p' Makefile | awk -F '|' '{printf "%-18s%s\n", $$1, $$2}'

setup: ## .venv, from requirements.lock
	@./setup.sh

demo: setup site/index.html ## a live site leaves its vendor, flips, publishes, loses AWS and a lease, on this machine
	@$(PYTHON_HERE) -m sandbox.demo

demo-all: setup site/index.html ## every chapter; `python -m sandbox.demo --list` names them, --chapter NAME plays one
	@$(PYTHON_HERE) -m sandbox.demo --all

sandbox: setup site/index.html ## the same clouds, left running for you; Ctrl-C ends them
	@$(PYTHON_HERE) -m sandbox up --stack sandbox

test: setup site/index.html ## every tier of tests that this machine can run
	@$(PYTHON_HERE) -m tests

soak: setup ## a hundred histories of two real PostgreSQLs, some hours; SEED=N for others
	@$(PYTHON_HERE) -m tests.histories postgres --count 100 --seed $(or $(SEED),1)

lint: setup ## style, types and the direction of imports
	@$(PYTHON_HERE) -m tests --gates-only

bench: setup site/index.html ## one JSON object a line for each figure
	@$(PYTHON_HERE) -m benchmarks

docs: setup site/index.html ## the manual, into site/
	@:

site/index.html: mkdocs.yml requirements.lock $(shell find docs -type f) | setup
	@echo "docs: building site/" >&2
	@rm -rf site.new
	@NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --quiet --strict --site-dir site.new
	@rm -rf site && mv site.new site

classes: setup ## the Python classes and the page of the provider's schema
	@$(PYTHON_HERE) -m components.provider.classes

write = @$(2) > $(1).new && mv $(1).new $(1)

reference: classes ## schemas and pages of the manual that are made from the code
	$(call write,stacks/schema.json,./unmoor schema)
	$(call write,stacks/inventory.schema.json,./unmoor schema --inventory)
	$(call write,docs/stack-file.md,./unmoor schema --markdown)
	$(call write,docs/inventory.md,./unmoor inventory reference)
	$(call write,docs/limits.md,$(PYTHON_HERE) -m components.limits)

lock: setup ## requirements.lock, from pyproject.toml
	@.venv/bin/uv pip compile --system-certs --quiet --universal --python-version 3.11 --all-extras --group dev \
		--generate-hashes --no-header pyproject.toml --output-file requirements.lock

clean: ## all that was made, but .venv
	@$(PYTHON_HERE) -m sandbox stop 2>/dev/null || true
	@rm -rf .sandbox site site.new dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
