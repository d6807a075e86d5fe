"""A course in the browser, from the instructor's release to the students' feedback: each stage is done once, by clicks
and keys on a real hub, and tests look at what came of it.

Pictures of every step are in the run's temporary folder, or in the folder that TITO_BROWSER_SHOTS names.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest
from course_hub import INSTRUCTOR, MODULE, NOTEBOOK, RIGHT, WRONG, CourseHub, course_hub, proxy_command
from pages import Formgrader, Lab, Shots
from playwright.sync_api import Browser, Page, sync_playwright

from tito.author.script import source_notebooks
from tito.author.variants import read_variant, submission

CHROMIUM_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
WINDOW = {"width": 1200, "height": 760}
VARIANTS = {RIGHT: "correct_own_helpers", WRONG: "bias_forgotten"}
TASKS = ("task_calibration", "task_deployment")
SCRIPT_IN_AN_ANSWER = '<script>window.owned = 1</script><img src="x" onerror="window.owned = 1">'
HAND_SCORES = {RIGHT: {TASKS[0]: "8", TASKS[1]: "9.5"}, WRONG: {TASKS[0]: "2", TASKS[1]: "0"}}
COMMENT = "Which figure of your notebook shows it?"
ANSWERS = {
    RIGHT: "Too narrow: values beyond the range **saturate** at the end codes. One outlier: the scale grows.",
    WRONG: f"Both are bad. {SCRIPT_IN_AN_ANSWER}",
}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: chromium, on a real hub with its proxy")


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Shots:
    wanted = os.environ.get("TITO_BROWSER_SHOTS")
    folder = Path(wanted).absolute() if wanted else tmp_path_factory.mktemp("shots")
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    return Shots(folder)


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CourseHub]:
    proxy = proxy_command()
    if proxy is None:
        pytest.skip("there is no configurable-http-proxy on this machine (scripts/proxy installs it)")
    if shutil.which("chromium") is None:
        pytest.skip("there is no chromium on this machine (Debian: chromium)")
    with course_hub(tmp_path_factory.mktemp("browser"), proxy) as running:
        yield running


@pytest.fixture(scope="session")
def browser(hub: CourseHub) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(CHROMIUM_FLAGS))
        yield running
        running.close()


@dataclass
class Class:
    """Who is at work, each in a browser of their own, and what their screens said."""

    hub: CourseHub
    shots: Shots
    browser: Browser
    instructor: Formgrader
    students: dict[str, Lab]
    said: dict[str, str] = field(default_factory=dict)

    @property
    def pages(self) -> dict[str, Page]:
        return {INSTRUCTOR: self.instructor.page} | {name: lab.page for name, lab in self.students.items()}


def new_page(browser: Browser) -> Page:
    page = browser.new_context(viewport=WINDOW).new_page()  # type: ignore[arg-type]
    page.set_default_timeout(30_000)
    return page


@pytest.fixture(scope="session")
def everybody(hub: CourseHub, browser: Browser, shots: Shots) -> Class:
    instructor = Formgrader(new_page(browser), hub, INSTRUCTOR, shots)
    students = {name: Lab(new_page(browser), hub, name, shots) for name in VARIANTS}
    return Class(hub, shots, browser, instructor, students)


@pytest.fixture(scope="session")
def released(everybody: Class) -> Class:
    """The instructor generates and releases the module."""
    instructor = everybody.instructor
    instructor.log_in()
    instructor.shot("formgrader")
    instructor.act("education")
    instructor.shot("generated")
    instructor.close_dialog()
    instructor.act("cloud-upload")
    instructor.shot("released")
    instructor.close_dialog()
    return everybody


@pytest.fixture(scope="session")
def handed_in(released: Class) -> Class:
    """Two students fetch, open the notebook, run the warm-up, write, validate and submit."""
    for name, lab in released.students.items():
        lab.log_in()
        lab.shot("lab")
        released.said[f"{name} menu"] = "\n".join(lab.menu("Nbgrader"))
        lab.assignment_list()
        lab.fetch()
        lab.shot("fetched")
        lab.open_notebook()
        lab.shot("notebook")
        lab.run_to(warm_up_end(released.hub))
        lab.shot("warm-up")
        lab.write(work(released.hub, name))
        lab.shot("solution")
        lab.assignment_list()
        released.said[f"{name} validated"] = lab.validate()
        lab.shot("validated")
        lab.close_dialog()
        released.said[f"{name} submitted"] = lab.submit()
        lab.shot("submitted")
    return released


@pytest.fixture(scope="session")
def graded(handed_in: Class) -> Class:
    """The instructor collects, autogrades all with one click, and scores the written answers by hand."""
    instructor = handed_in.instructor
    instructor.open("manage_assignments")
    instructor.act("cloud-download")
    instructor.shot("collected")
    instructor.close_dialog()
    instructor.open(f"manage_submissions/{MODULE}")
    instructor.row(WRONG)
    instructor.shot("submissions")
    instructor.page.get_by_role("button", name="Autograde all").click()
    handed_in.said["autograded"] = instructor.outcome()
    instructor.shot("autograded")
    instructor.close_dialog()
    for name in VARIANTS:
        handed_in.said[f"{name} score"] = instructor.row(name).locator(".score").inner_text()
    instructor.shot("scores")
    for name in VARIANTS:
        score_by_hand(handed_in, name)
    return handed_in


@pytest.fixture(scope="session")
def returned(graded: Class) -> Class:
    """The instructor generates and releases feedback; a student fetches and reads it."""
    instructor = graded.instructor
    instructor.open("manage_assignments")
    instructor.act("comment")
    instructor.close_dialog()
    instructor.act("envelope")
    instructor.shot("feedback-released")
    instructor.close_dialog()
    for name, lab in graded.students.items():
        lab.assignment_list()
        lab.refresh()
        graded.said[f"{name} feedback offered"] = lab.submitted()
        lab.fetch_feedback()
        lab.shot("feedback-fetched")
        graded.said[f"{name} feedback"] = lab.read_feedback()
        lab.shot("feedback")
    return graded


def released_notebook(hub: CourseHub) -> nbformat.NotebookNode:
    return nbformat.read(hub.course.step("release", MODULE) / f"{NOTEBOOK}.ipynb", as_version=4)


def warm_up_end(hub: CourseHub) -> int:
    """The place of the last warm-up cell before the first exercise."""
    cells = released_notebook(hub).cells
    first = next(index for index, cell in enumerate(cells) if cell.metadata.get("nbgrader", {}).get("solution"))
    return max(index for index in range(first) if "warmup" in cells[index].metadata.get("tags", []))


def work(hub: CourseHub, student: str) -> dict[int, str]:
    """What a student writes: cells by their place, those of a simulated student, and an answer to each question."""
    given = released_notebook(hub)
    variant = read_variant(hub.course.step("variants", MODULE) / f"{VARIANTS[student]}.py")
    source = source_notebooks(hub.course, hub.course.assignment(MODULE))[NOTEBOOK]
    wanted = submission(variant, source, given)
    pairs = enumerate(zip(given.cells, wanted.cells, strict=True))
    sources = {index: new.source for index, (old, new) in pairs if new.source != old.source}
    grade_ids = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in given.cells]
    return sources | {grade_ids.index(task) + 1: ANSWERS[student] for task in TASKS}


def score_by_hand(everybody: Class, student: str) -> None:
    """On the page of the student's submission, reached as one would from the list of submissions."""
    instructor = everybody.instructor
    instructor.open(f"manage_submissions/{MODULE}")
    instructor.row(student).locator(".student-name a").click()
    instructor.row(NOTEBOOK).locator("a").first.click()
    for task, points in HAND_SCORES[student].items():
        instructor.score(task, points, COMMENT if task == TASKS[0] else "")
    instructor.shot(f"scored-{student}")
    everybody.said[f"{student} owned"] = str(instructor.page.evaluate("window.owned"))
    everybody.said[f"{student} page"] = instructor.page.locator("#notebook-container").first.inner_text()
