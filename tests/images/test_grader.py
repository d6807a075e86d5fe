"""The grader's image: it grades in its sandbox, as a user without rights, and to the same verdicts as outside."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import containers
import nbformat
import pytest

from tito.author.variants import read_variants, submission
from tito.course.course import Course
from tito.course.script import source_notebooks

MODULE = "16_quantization"
COHORT = ("correct_loops", "hostile", "syntax_error", "wrong_zero_point_sign")


@pytest.fixture(scope="module")
def collected(course: Course, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course with some of the demo's submissions in it."""
    root = tmp_path_factory.mktemp("collected") / "course"
    shutil.copytree(course.root, root)
    (source,) = source_notebooks(course, course.assignment(MODULE)).values()
    released = nbformat.read(course.step("release", MODULE) / "quantization.ipynb", as_version=4)
    for variant in read_variants(course, course.assignment(MODULE)):
        if variant.name in COHORT:
            folder = root / "submitted" / variant.name / MODULE
            folder.mkdir(parents=True)
            nbformat.write(submission(variant, source, released), folder / "quantization.ipynb")
    settings = root / "course.toml"
    settings.write_text(settings.read_text().replace("cell_timeout_s = 30", "cell_timeout_s = 10"))
    return root


def test_it_gives_the_verdicts_that_are_given_outside(images: dict[str, str], collected: Path, tmp_path: Path) -> None:
    inside = tmp_path / "course"
    shutil.copytree(collected, inside)
    for path in (inside, *inside.rglob("*")):
        shutil.chown(path, 1000, 1000)
    argv = ("tito", "autograde", MODULE, "--json")
    records = json.loads(containers.once(images["grader"], *argv, options=("--volume", f"{inside}:/srv/course")))
    assert {record["sandbox"] for record in records} == {"bubblewrap"}
    outside = containers.command(Path(sys.executable).with_name("tito"), *argv[1:], cwd=collected)
    assert verdicts(records) == verdicts(json.loads(outside))
    assert {record["student"] for record in records} == set(COHORT)


def verdicts(records: list[dict[str, Any]]) -> dict[tuple[str, str], tuple[str, float | None]]:
    return {
        (record["student"], cell["grade_id"]): (cell["verdict"], cell["points"])
        for record in records
        for notebook in record["notebooks"]
        for cell in notebook["cells"]
    }


def test_the_landlock_sandbox_isolates_in_it_too(images: dict[str, str]) -> None:
    """Where the engine that runs containers allows no namespaces in them."""
    output = containers.once(images["grader"], "sh", "-c", "tito doctor 2>&1 || true")
    assert "landlock: landlock isolates" in output
