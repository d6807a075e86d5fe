.PHONY: setup demo test lint bench lock

setup: .venv/.ready          ## bubblewrap, a virtual environment, pinned dependencies

.venv/.ready: requirements/lock.txt pyproject.toml scripts/setup
	scripts/setup

demo: setup                  ## the whole flow on a simulated cohort, in demo/
	.venv/bin/tito demo

test: lint                   ## everything that CI runs
	.venv/bin/python -m pytest

lint: setup                  ## format, lint, types
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy

bench: setup                 ## speed, side by side with nbgrader, Otter and PyTorch; an hour or so
	.venv/bin/python benchmarks/reference.py
	.venv/bin/python benchmarks/stages.py
	.venv/bin/python benchmarks/grading.py

lock:                        ## pin the dependencies anew, by name, version and hash (needs uv)
	uv pip compile pyproject.toml --extra dev --extra hub --extra s3 --generate-hashes --python-version 3.11 \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links -o requirements/lock.txt
