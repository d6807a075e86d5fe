.DEFAULT_GOAL = help
.PHONY: help setup demo hub quick test modules book book-serve book-test compat lint bench lock

help:                        ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.ready          ## bubblewrap, a virtual environment, pinned dependencies

.venv/.ready: requirements/lock.txt requirements/uv.txt pyproject.toml setup.py tito/bridge/jupyter_config.py scripts/setup
	scripts/setup

.venv/.compiled: .venv/.ready  # what else is imported by services and tests, which keep no compiled modules
	.venv/bin/python scripts/compile_modules.py hub s3 dev
	@touch $@

MODULE = 16
demo: setup                  ## the whole flow on a simulated cohort of a module, in demo/ (or MODULE=15)
	.venv/bin/tito demo $(MODULE)

PORT = 8000
hub: setup .venv/.compiled docker/node_modules/.ready ## a real JupyterHub on loopback, with the course of demo/ (or PORT=9000)
	@.venv/bin/python -m tito.hub.config.laptop --port $(PORT)

docker/node_modules/.ready: docker/package-lock.json scripts/proxy
	scripts/proxy

quick: lint                  ## lint, types, and the tests that need no sandbox, kernel or server; under a minute
	OPENBLAS_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= .venv/bin/python -m pytest -q -n 2 -m "unit and not slow" tests/unit tests/cluster

PYTEST = OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= .venv/bin/python -m pytest
test: setup                  ## our tests of the platform; CI runs them
	@$(MAKE) --no-print-directory -j 2 lint .venv/.compiled
	$(PYTEST) -n 3 --dist loadfile --no-loadscope-reorder -m "not module and not nbgrader and not timed and not busy and not book"
	$(PYTEST) -n 2 --dist loadfile --no-loadscope-reorder -m timed tests/sandbox tests/exchange
	$(PYTEST) -m busy tests/sandbox

MODULES = $(patsubst source/%.py,%,$(wildcard source/*.py))
modules: setup               ## the course's modules: their gates, exports and proofs
	for module in $(MODULES); do .venv/bin/tito check $$module && .venv/bin/tito export --check $$module || exit; done
	$(PYTEST) -n 2 --dist load tests/modules

book: setup                  ## the book, in book/_build/html; a warning fails it
	.venv/bin/python -m tito.docs --check
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 .venv/bin/jupyter-book build -W -n --keep-going book/
	.venv/bin/python scripts/check_book.py book

book/_build/html/index.html:
	$(MAKE) book

BOOK_PORT = 8010
book-serve: book/_build/html/index.html ## the built book on http://127.0.0.1:8010 (or BOOK_PORT=9010), built if it is not yet
	.venv/bin/python -m http.server $(BOOK_PORT) --bind 127.0.0.1 --directory book/_build/html

book-test: book              ## every page of the book in a browser: whole, legible, usable by all; print, search, practice
	$(PYTEST) -n 2 --dist loadfile tests/book

compat: .venv/.compiled      ## our tests beside nbgrader and Otter; nbgrader's own on our engine (book/reference/nbgrader-differences.md)
	$(PYTEST) -n 3 --dist loadfile --no-loadscope-reorder tests/ecosystem tests/foreign
	cd tests/compat && ../../.venv/bin/python -m pytest

lint: setup                  ## format, lint, types
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/python scripts/names.py

bench: setup .venv/.compiled ## speed, side by side with nbgrader, Otter and PyTorch; an hour or two
	.venv/bin/python benchmarks/reference.py
	.venv/bin/python benchmarks/stages.py
	.venv/bin/python benchmarks/grading.py
	.venv/bin/python benchmarks/foreign.py
	.venv/bin/python benchmarks/feedback.py

PIN = .venv/bin/python scripts/with_pip_settings.py .venv/bin/uv pip compile --no-strip-extras --generate-hashes --python-version 3.11 --no-header --no-annotate --no-emit-index-url --no-emit-find-links

lock: setup                  ## pin the dependencies anew, by name, version and hash (needs uv)
	$(PIN) pyproject.toml --extra dev --extra hub --extra s3 --extra author --extra book -o requirements/lock.txt
	for image in build hub student node uv; do \
	  $(PIN) --universal -c requirements/lock.txt requirements/$$image.in -o requirements/$$image.txt || exit; done
	$(PIN) --universal -c requirements/lock.txt pyproject.toml requirements/grader.in -o requirements/grader.txt
