"""`### AUTOTEST` and `### HASHED AUTOTEST` lines made tests, as nbgrader's generate_assignment makes them: what the
reference solution gives for a snippet is what a test expects of it.

The one place in planning that runs anything: the reference, in a sandbox of its own. What comes of it is kept beside
the plans, for as long as all that it was made from is as it was.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import logging
import os
import stat
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tito.course.cells import is_graded, read_cell
from tito.course.course import Assignment, Course
from tito.course.script import build
from tito.course.settings import AUTOTESTS_FILE
from tito.errors import BadSource, TitoError
from tito.plan.sandbox_specs import notebook_spec
from tito.sandbox.backends import backend
from tito.sandbox.environment import environment
from tito.sandbox.inside.step_status import StepStatus
from tito.sandbox.spec import SandboxSpec
from tito.sandbox.zygote_client import Sandbox

DELIMITER = "AUTOTEST"
SHOWN = ("execute_result", "display_data", "update_display_data")
NO_LOG = logging.getLogger("tito.autotests")  # what nbgrader would say there, BadSource says
NO_LOG.addHandler(logging.NullHandler())
NO_LOG.propagate = False

Run = Callable[[str], str | None]  # runs Python; gives the text of what it shows last


def has_autotests(notebook: Any) -> bool:
    """Whether nbgrader would look for lines to make tests of."""
    return any(cell.cell_type == "code" and DELIMITER in cell.source for cell in notebook.cells)


def instantiated(
    course: Course, assignment: Assignment, notebooks: dict[str, Any], home: Course | None = None
) -> dict[str, Any]:
    """An assignment's notebooks with tests in the place of such lines; as they are, where they have none.

    Args:
        home: the course that templates and what is kept are looked for in, where `course` is a scratch copy.

    Raises:
        BadSource: they cannot be made tests of; says why.
        SandboxUnavailable: the reference cannot be run.
    """
    if not any(map(has_autotests, notebooks.values())):
        return notebooks
    build(course, assignment)
    home = home or course
    templates = _templates(course, home, assignment)
    spec = notebook_spec(course, assignment)
    cache = home.gradebook_dir / "plans" / f"{assignment.id}-autotests"
    key = _digest(notebooks, templates, spec, course.sandbox.backend)
    sources = _read(cache, key)
    if sources is None:
        changed = {
            name: _instantiated(f"{assignment.id}/{name}", notebook, templates, spec, course)
            for name, notebook in notebooks.items()
            if has_autotests(notebook)
        }
        sources = {name: [cell.source for cell in notebook.cells] for name, notebook in changed.items()}
        _write(cache, key, sources)
    return {name: _with_sources(notebook, sources.get(name)) for name, notebook in notebooks.items()}


def _templates(course: Course, home: Course, assignment: Assignment) -> Path:
    """The folder of the templates, as nbgrader looks for them."""
    for folder in (course.step("source", assignment.id), home.root):
        if (folder / AUTOTESTS_FILE).is_file():
            return folder
    raise BadSource(
        f"{assignment.id} has {DELIMITER} lines, and there is no {AUTOTESTS_FILE} to make tests of them.",
        hint=f"Put one into {home.root} or beside the notebook; nbgrader's documentation has one to begin with.",
    )


def _with_sources(notebook: Any, sources: list[str] | None) -> Any:
    if sources is None:
        return notebook
    fresh = copy.deepcopy(notebook)
    for cell, source in zip(fresh.cells, sources, strict=True):
        cell.source = source
    return fresh


# ---- running the reference -----------------------------------------------------------------------------


def _instantiated(where: str, notebook: Any, templates: Path, spec: SandboxSpec, course: Course) -> Any:
    """One notebook, its cells run in order in a session of a sandbox."""
    from nbgrader.preprocessors.instantiatetests import InstantiateTests

    class InSandbox(InstantiateTests):  # type: ignore[misc]
        """nbgrader's own, with our session in the place of its kernel."""

        run: Run

        def _execute_code_snippet(self, code: str) -> Any:
            text = self.run(code)
            return None if text is None else self.sanitizer(text)

    fresh, kernel = copy.deepcopy(notebook), notebook.metadata.get("kernelspec", {}).get("name", "")
    preprocessor = InSandbox(log=NO_LOG)
    if kernel not in preprocessor.comment_strs or kernel not in preprocessor.sanitizers:
        hint = "Choose Python 3 as its kernel, and save it."
        raise BadSource(f"{where}: {DELIMITER} lines cannot be run with the kernel '{kernel}'.", hint=hint)
    for node in fresh.cells:
        _require_test(where, node)
    resources = {"kernel_name": kernel, "metadata": {"path": str(templates)}}
    with _as_bad_source(f"{where}: {AUTOTESTS_FILE}"):
        preprocessor._load_test_template_file(resources)
    preprocessor.global_tests_loaded, preprocessor.sanitizer = True, preprocessor.sanitizers[kernel]
    with _session(course, spec) as run:
        for index, node in enumerate(fresh.cells):
            label = read_cell(node).label
            preprocessor.run = _named(f"{where}: {label}", run)
            with _as_bad_source(f"{where}: {label}"):
                preprocessor.preprocess_cell(node, resources, index)
    return fresh


def _require_test(where: str, node: Any) -> None:
    """Raise where such a line stands in a cell that gives no points."""
    lines = node.source.split("\n") if node.cell_type == "code" else []
    if any(DELIMITER in line and line.strip().startswith("#") for line in lines) and not is_graded(node):
        label = read_cell(node).label
        raise BadSource(
            f"{where}: {label} has an {DELIMITER} line and is no test.", hint="Make it one, or move the line."
        )


@contextlib.contextmanager
def _as_bad_source(where: str) -> Iterator[None]:
    """What nbgrader raises, which may be anything, told as what it is: a source that it can make no tests of."""
    try:
        yield
    except TitoError:
        raise
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1].rstrip(".")
        raise BadSource(
            f"{where}: no tests can be made of its {DELIMITER} lines: {type(error).__name__}: {reason}.",
            hint=f"See nbgrader's documentation of {AUTOTESTS_FILE}.",
        ) from error


@contextlib.contextmanager
def _session(course: Course, spec: SandboxSpec) -> Iterator[Callable[[str], Any]]:
    """Something that runs Python in a session of its own, and says what became of it."""
    limit_s = spec.limits.cell_timeout_s
    with Sandbox(backend(course.sandbox.backend), spec) as sandbox, sandbox.session() as session:
        yield lambda code: session.notebook.run(code, limit_s)


def _named(where: str, run: Callable[[str], Any]) -> Run:
    def shown(code: str) -> str | None:
        ran = run(code)
        if ran.status is not StepStatus.OK:
            became = f"raised {ran.ename}: {ran.evalue}" if ran.ename else f"was stopped ({ran.status})"
            raise BadSource(
                f"{where}: the reference {became}, in `{code.strip()[:80]}`.",
                hint=f"{DELIMITER} lines are made tests by running the source, in order: mend what it raises.",
            )
        texts = [output["data"].get("text/plain", "") for output in ran.outputs if output["output_type"] in SHOWN]
        return str(texts[-1]) if texts else None

    return shown


# ---- what is kept ----------------------------------------------------------------------------------------


def _digest(notebooks: dict[str, Any], templates: Path, spec: SandboxSpec, isolation: str) -> str:
    """Of all that the tests are made from."""
    packages = [version("nbgrader"), version("ipython"), environment(spec.packages).hash, isolation]
    digest = hashlib.sha256(json.dumps([packages, notebooks], sort_keys=True).encode())
    digest.update((templates / AUTOTESTS_FILE).read_bytes())
    for path, name in spec.files:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and file.suffix != ".pyc":
                digest.update(f"{name}/{file.relative_to(path)}".encode() + file.read_bytes())
    return digest.hexdigest()


def _read(cache: Path, key: str) -> dict[str, list[str]] | None:
    """Sources of the cells by notebook; None where there are none, or others could have written them."""
    try:
        facts = cache.stat()
        if facts.st_uid != os.geteuid() or facts.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return None
        cached = json.loads(cache.read_text(encoding="utf-8"))
        return dict(cached["sources"]) if cached["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(cache: Path, key: str, sources: dict[str, list[str]]) -> None:
    """For its owner alone: it holds what the reference gives. Where it cannot be kept, it is made again."""
    with contextlib.suppress(OSError):
        cache.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = cache.with_name(f".{cache.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        with open(fresh, "x", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            json.dump({"key": key, "sources": sources}, file)
        fresh.replace(cache)
