"""The class of the browser tests: who is in it, what each student hands in, and how the answers are scored."""

from __future__ import annotations

from dataclasses import dataclass, field

import nbformat
from at_work import Formgrader, Lab, Shots
from course_hub import MODULE, NOTEBOOK, RIGHT, WRONG, CourseHub
from playwright.sync_api import Browser, Page

from tito.author.variants import read_variant, submission
from tito.course.script import source_notebooks
from tito.gradebook.store import gradebook

WINDOW = {"width": 1200, "height": 760}
VARIANTS = {RIGHT: "correct_own_helpers", WRONG: "bias_forgotten"}
NAMES = {RIGHT: ("Ada", "Lovelace"), WRONG: ("Bob", "Kahn")}
TASKS = ("task_calibration", "task_deployment")
SCRIPT_IN_AN_ANSWER = '<script>window.owned = 1</script><img src="x" onerror="window.owned = 1">'
HAND_SCORES = {RIGHT: {TASKS[0]: "8", TASKS[1]: "9.5"}, WRONG: {TASKS[0]: "2", TASKS[1]: "0"}}
COMMENT = "Which figure of your notebook shows it?"
ANSWERS = {
    RIGHT: "Too narrow: values beyond the range **saturate** at the end codes. One outlier: the scale grows.",
    WRONG: f"Both are bad. {SCRIPT_IN_AN_ANSWER}",
}


@dataclass
class Class:
    """Who is at work, each in a browser of their own, and what their screens said."""

    hub: CourseHub
    shots: Shots
    browser: Browser
    instructor: Formgrader
    students: dict[str, Lab]
    shown: dict[str, str] = field(default_factory=dict)


def new_page(browser: Browser) -> Page:
    page = browser.new_context(viewport=WINDOW).new_page()
    page.set_default_timeout(30_000)
    return page


def enrol(everybody: Class) -> None:
    """Names in the gradebook, as `nbgrader db student import` puts them there."""
    with gradebook(everybody.hub.course) as opened:
        for student, (first, last) in NAMES.items():
            opened.update_or_create_student(student, first_name=first, last_name=last)


def released_notebook(hub: CourseHub) -> nbformat.NotebookNode:
    return nbformat.read(hub.course.step("release", MODULE) / f"{NOTEBOOK}.ipynb", as_version=4)


def warm_up_end(hub: CourseHub) -> int:
    """The place of the last warm-up cell before the first exercise, of those whose code is not folded away."""
    cells = released_notebook(hub).cells
    first = next(index for index, cell in enumerate(cells) if cell.metadata.get("nbgrader", {}).get("solution"))
    shown = [index for index in range(first) if not cells[index].metadata.get("jupyter", {}).get("source_hidden")]
    return max(index for index in shown if "warmup" in cells[index].metadata.get("tags", []))


def work(hub: CourseHub, student: str) -> dict[int, str]:
    """What a student writes: cells by their place, those of a simulated student, and an answer to each question."""
    release = released_notebook(hub)
    variant = read_variant(hub.course.step("variants", MODULE) / f"{VARIANTS[student]}.py")
    source = source_notebooks(hub.course, hub.course.assignment(MODULE))[NOTEBOOK]
    wanted = submission(variant, source, release)
    pairs = enumerate(zip(release.cells, wanted.cells, strict=True))
    sources = {index: new.source for index, (old, new) in pairs if new.source != old.source}
    grade_ids = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in release.cells]
    return sources | {grade_ids.index(task) + 1: ANSWERS[student] for task in TASKS}


def score_by_hand(everybody: Class, student: str) -> None:
    """On the page of the student's submission."""
    instructor = everybody.instructor
    instructor.open_submission(student, NOTEBOOK)
    for task, points in HAND_SCORES[student].items():
        instructor.score(task, points, COMMENT if task == TASKS[0] else "")
    instructor.shot(f"scored-{student}")
    everybody.shown[f"{student} owned"] = str(instructor.page.evaluate("window.owned"))
    texts = (frame.locator("body").inner_text() for frame in instructor.page.frames)  # what students wrote is in frames
    everybody.shown[f"{student} page"] = "\n".join(texts)
