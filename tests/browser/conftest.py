"""A course in the browser, from the instructor's release to the students' feedback: each stage is done once, by clicks
and keys on a real hub, and tests look at what came of it. All of it ends with the one test file that uses it:
Playwright keeps an event loop running, in which no other test could run its own.

Pictures of every step are in the run's temporary folder, or in the folder that TITO_BROWSER_SHOTS names.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from at_work import Formgrader, Lab, Shots
from chromium import chromium, require_chromium
from course_hub import INSTRUCTOR, MODULE, WRONG, CourseHub, closed_to_students, course_hub, proxy_command
from playwright.sync_api import Browser
from school import VARIANTS, Class, enrol, new_page, score_by_hand, warm_up_end, work

FOLDER = pytest.StashKey[Path]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    if exitstatus and (folder := config.stash.get(FOLDER, None)):
        terminalreporter.write_line(f"Pictures of every step in the browser: {folder}")


@pytest.fixture(scope="module")
def shots(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shots:
    wanted = os.environ.get("TITO_BROWSER_SHOTS")
    folder = Path(wanted).absolute() if wanted else tmp_path_factory.mktemp("shots")
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    request.config.stash[FOLDER] = folder
    return Shots(folder)


@pytest.fixture(scope="session")
def proxy() -> str:
    """The hub's proxy, where there is what these tests need."""
    command = proxy_command()
    if command is None:
        pytest.skip("there is no configurable-http-proxy on this machine (scripts/proxy installs it)")
    require_chromium()
    return command


@pytest.fixture(scope="module")
def hub(proxy: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CourseHub]:
    with course_hub(tmp_path_factory.mktemp("browser"), proxy) as running:
        yield running


@pytest.fixture(scope="module")
def browser(hub: CourseHub) -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def everybody(request: pytest.FixtureRequest, hub: CourseHub, browser: Browser, shots: Shots) -> Iterator[Class]:
    instructor = Formgrader(new_page(browser), hub, INSTRUCTOR, shots)
    students = {name: Lab(new_page(browser), hub, name, shots) for name in VARIANTS}
    yield Class(hub, shots, browser, instructor, students)
    if request.session.testsfailed:
        for person in (instructor, *students.values()):
            person.shot("as-it-failed")


@pytest.fixture(scope="module")
def released(everybody: Class) -> Class:
    """The instructor generates and releases the module."""
    instructor = everybody.instructor
    instructor.log_in()
    enrol(everybody)
    instructor.shot("formgrader")
    instructor.act("education")
    instructor.shot("generated")
    instructor.close_dialog()
    instructor.act("cloud-upload")
    instructor.shot("released")
    instructor.close_dialog()
    return everybody


@pytest.fixture(scope="module")
def handed_in(released: Class) -> Class:
    """Two students fetch, open the notebook, run the warm-up, write, validate and submit."""
    for lab in released.students.values():
        lab.log_in()  # all servers start while others wait for theirs
    for name, lab in released.students.items():
        lab.started()
        lab.shot("lab")
        released.shown[f"{name} menu"] = lab.menu("Nbgrader")
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
        lab.validate()
    for name, lab in released.students.items():
        released.shown[f"{name} validated"] = lab.validated()
        lab.shot("validated")
        lab.close_dialog()
        if name == WRONG:
            with closed_to_students(released.hub):
                released.shown[f"{name} refused"] = lab.submit_in_vain()
            lab.shot("refused")
            lab.close_dialog()
        released.shown[f"{name} submitted"] = lab.submit()
        lab.shot("submitted")
    return released


@pytest.fixture(scope="module")
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
    handed_in.shown["autograded"] = instructor.outcome()
    instructor.shot("autograded")
    instructor.close_dialog()
    for name in VARIANTS:
        handed_in.shown[f"{name} score"] = instructor.row(name).locator(".score").inner_text()
    instructor.shot("scores")
    for name in VARIANTS:
        score_by_hand(handed_in, name)
    return handed_in


@pytest.fixture(scope="module")
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
        graded.shown[f"{name} feedback offered"] = lab.submitted()
        lab.fetch_feedback()
        lab.shot("feedback-fetched")
        graded.shown[f"{name} feedback"] = lab.read_feedback()
        lab.shot("feedback")
    return graded
