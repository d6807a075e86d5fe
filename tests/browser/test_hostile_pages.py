"""Pages that are made of what students handed in, opened in a real browser by whom they were made to attack: formgrader
behind a real hub, and feedback pages as files. And honest outputs look as they should."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest
from at_work import Formgrader, Shots, with_cookies_of
from course_hub import INSTRUCTOR, CourseHub, course_hub
from hostile_course import ASSIGNMENT, BREAKING, HONEST, HOSTILE, NOTEBOOK, SECRET, graded_course
from playwright.sync_api import Browser, Page, expect
from school import new_page

from tito.feedback.pages import write_pages
from tito.gradebook.store import gradebook

EVERYBODY = (HONEST, HOSTILE, BREAKING)
# What would be in a page if all cleaning of it had failed: it has to be the policy then that stops it.
SMUGGLED = """() => {
    const smuggle = (page) => {
        const script = page.createElement("script");
        script.textContent = "window.top.owned = 'a script'";
        page.body.append(script);
        const holder = page.createElement("div");
        holder.innerHTML = "<img src=x onerror=\\"window.top.owned = 'an attribute'\\">"
            + "<a href=\\"javascript:window.top.owned = 'a link'\\">x</a>"
            + "<iframe srcdoc=\\"<script>window.top.owned = 'a frame'</script>\\"></iframe>";
        page.body.append(holder);
        const other = page.createElement("script");
        other.src = "/services/cases/formgrader/static/js/utils.js";
        other.onload = () => { window.top.owned = "a script from this site"; };
        page.body.append(other);
        holder.querySelector("a").click();
    };
    smuggle(document);
    const frame = document.querySelector("iframe.student");
    if (frame) { smuggle(frame.contentDocument); }
}"""


@dataclass
class Opened:
    """An instructor's browser, and what it was made to do."""

    hub: CourseHub
    instructor: Formgrader
    submissions: dict[str, str]
    refused: list[str] = field(default_factory=list)  # by a policy, as the console tells
    asked: list[tuple[str, str]] = field(default_factory=list)  # method and address of every request

    @property
    def page(self) -> Page:
        return self.instructor.page

    def open(self, path: str) -> None:
        self.refused.clear()
        self.asked.clear()
        self.instructor.open(path)
        self.page.wait_for_load_state("networkidle")

    def open_submission(self, student: str) -> None:
        self.open(f"submissions/{self.submissions[student]}/")
        expect(self.page.locator("input.score").first).to_have_attribute("placeholder", "4", timeout=60_000)

    @cached_property
    def client(self) -> httpx.Client:
        """Asks as the instructor's browser, with no page around it."""
        return with_cookies_of(self.page)

    @property
    def owned(self) -> object:
        """What a script of a student's said, after the time that it would need."""
        self.page.wait_for_timeout(1500)
        return self.page.evaluate("window.owned")


@pytest.fixture(scope="module")
def hub(proxy: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CourseHub]:
    with course_hub(tmp_path_factory.mktemp("pages"), proxy, graded_course, precheck=False) as running:
        yield running


@pytest.fixture(scope="module")
def opened(hub: CourseHub, browser: Browser, shots: Shots) -> Iterator[Opened]:
    instructor = Formgrader(new_page(browser), hub, INSTRUCTOR, shots)
    with gradebook(hub.course) as book:
        each = [
            (submission.student.id, notebook.id)
            for submission in book.assignment_submissions(ASSIGNMENT)
            for notebook in submission.notebooks
        ]
    instructor.log_in_to(ASSIGNMENT)
    opened = Opened(hub, instructor, dict(each))
    instructor.page.on(
        "console", lambda message: opened.refused.append(message.text) if "Content Security" in message.text else None
    )
    instructor.page.on("request", lambda request: opened.asked.append((request.method, request.url)))
    yield opened
    opened.client.close()


@pytest.fixture(scope="module")
def feedback(hub: CourseHub) -> dict[str, Path]:
    pages = write_pages(hub.course, hub.course.assignment(ASSIGNMENT)).pages
    return {page.parent.parent.name: page for page in pages}


@pytest.fixture
def reader(browser: Browser) -> Iterator[Page]:
    """A browser in which nobody is logged in."""
    page = new_page(browser)
    yield page
    page.context.close()


def scores(hub: CourseHub) -> dict[str, float]:
    with gradebook(hub.course) as book:
        return {submission.student.id: submission.score for submission in book.assignment_submissions(ASSIGNMENT)}


# ---- formgrader ------------------------------------------------------------------------------------


@pytest.mark.parametrize("student", EVERYBODY)
def test_nothing_of_a_submission_runs_where_it_is_scored(opened: Opened, student: str) -> None:
    """It would change points, read hidden tests and write a file, with the rights of the instructor."""
    before = scores(opened.hub)
    opened.open_submission(student)
    assert opened.owned is None
    opened.instructor.shot(f"submission-of-{student}")
    assert opened.page.evaluate("window.read") is None
    assert scores(opened.hub) == before == dict.fromkeys(EVERYBODY, 11.0)
    assert not (opened.hub.course.root / "owned.txt").exists()
    formgrader = urlsplit(opened.hub.formgrader).path
    asked = {(method, urlsplit(url).path) for method, url in opened.asked if not url.startswith("data:")}
    assert {method for method, _ in asked} == {"GET"}
    assert all(path.startswith(f"{formgrader}/") for _, path in asked), asked
    assert not opened.refused  # nothing was left for the policy to stop


def test_a_link_of_a_students_runs_nothing(opened: Opened) -> None:
    opened.open_submission(HOSTILE)
    for frame in opened.page.frames[1:]:
        for link in frame.locator("a").all():
            href = link.get_attribute("href")
            assert href is None or href.startswith("#"), href


@pytest.mark.parametrize("path", ["", "manage_assignments", "gradebook", "manage_students"])
def test_what_got_into_a_page_all_the_same_would_not_run(opened: Opened, path: str) -> None:
    if path:
        opened.open(path)
    else:
        opened.open_submission(HONEST)
    opened.page.evaluate(SMUGGLED)
    assert opened.owned is None
    assert len(opened.refused) >= 3


def test_what_a_student_made_stands_in_frames_without_scripts(opened: Opened) -> None:
    """Its texts, and the outputs of its cells; of scripts in the page itself there are those of the template alone."""
    opened.open_submission(HONEST)
    frames = opened.page.locator("iframe")
    assert frames.count() >= 8
    for sandbox in frames.evaluate_all("all => all.map(frame => frame.getAttribute('sandbox'))"):
        assert sandbox is not None
        assert "allow-scripts" not in sandbox
        assert "allow-top-navigation" not in sandbox
    outside = opened.page.locator("#notebook-container").first.inner_text()
    assert "Because a sum of floats" not in outside
    assert "ZeroDivisionError" not in outside
    assert opened.page.locator("#notebook-container .output, #notebook-container .rendered_html img").count() == 0
    scripts = opened.page.locator("script").evaluate_all("all => all.map(script => script.nonce)")
    assert len(set(scripts)) == 1
    assert scripts[0]


def test_honest_outputs_look_as_they_should_in_formgrader(opened: Opened) -> None:
    opened.open_submission(HONEST)
    shown = [frame for frame in opened.page.frames if frame != opened.page.main_frame]
    text = "\n".join(frame.locator("body").inner_text() for frame in shown)
    for words in ("Because a sum of floats", "printed 1.5", "array([[0, 1, 2]", "ZeroDivisionError", "2 rows", "bold"):
        assert words in text, words
    assert "vertical-align" not in text  # the style sheet of a table of pandas
    assert "$$" not in text
    pictures = [
        facts
        for frame in shown
        for facts in frame.locator("img").evaluate_all(
            "all => all.map(img => [img.naturalWidth, getComputedStyle(img).borderTopWidth, img.alt, img.width])"
        )
    ]
    assert all(width > 0 and border == "0px" for width, border, *_ in pictures), pictures  # no red boxes
    formulas = {alt for _, _, alt, _ in pictures}
    assert {"x^2", r"\hat{x} = s \cdot q", r"\sum_{k=1}^n k = \frac{n(n+1)}{2}"} <= formulas
    assert [width for *_, width in pictures if width == 64]  # as large as its metadata say
    for frame in shown:  # each as high as its content: nothing is cut off
        assert frame.evaluate("document.documentElement.offsetHeight <= window.innerHeight + 1"), frame.locator(
            "body"
        ).inner_text()
    assert not opened.refused


def test_points_comments_and_names_work_as_before(opened: Opened) -> None:
    opened.open_submission(HONEST)
    opened.instructor.score("task_why", "1.5")
    assert scores(opened.hub)[HONEST] == 12.5
    opened.instructor.score("task_why", "0")
    eye = opened.page.locator(".glyphicon-eye-open")
    eye.click()
    expect(opened.page.get_by_text("Lovelace, Ada")).to_be_visible()
    opened.page.locator(".help").click()
    expect(opened.page.get_by_text("Keyboard shortcuts")).to_be_visible()
    assert not opened.refused


def test_buttons_of_formgraders_pages_work_under_the_policy(opened: Opened) -> None:
    for path, button, title in (
        ("manage_assignments", "Add new assignment...", "Add New Assignment"),
        ("manage_students", "Add new student...", "Add New Student"),
    ):
        opened.open(path)
        opened.page.get_by_role("link", name=button).click()
        expect(opened.page.locator(".modal-title")).to_have_text(title)
    opened.open(f"gradebook/{ASSIGNMENT}/{NOTEBOOK}")
    opened.page.get_by_text("Show All Names").click()
    expect(opened.page.get_by_text("Lovelace, Ada")).to_be_visible()


@pytest.mark.parametrize(
    "path",
    [
        "manage_assignments", f"manage_submissions/{ASSIGNMENT}", "gradebook", f"gradebook/{ASSIGNMENT}",
        f"gradebook/{ASSIGNMENT}/{NOTEBOOK}", "manage_students", f"manage_students/{HOSTILE}",
        f"manage_students/{HOSTILE}/{ASSIGNMENT}",
    ],
)  # fmt: skip
def test_every_page_of_formgrader_keeps_to_its_policy_and_shows_names_as_text(opened: Opened, path: str) -> None:
    opened.open(path)
    expect(opened.page.get_by_text("Loading, please wait")).to_have_count(0)
    assert opened.owned is None
    assert not opened.refused
    answer = opened.client.get(opened.page.url)
    assert "script-src 'nonce-" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("name", ['";window.owned=1;"', "</script><script>window.owned=1</script>", "<b onclick=x>"])
def test_a_name_in_an_address_is_a_name(opened: Opened, name: str) -> None:
    """A student can send an instructor a link."""
    for path in (
        "manage_students/{}",
        "manage_students/{}/x",
        "manage_submissions/{}",
        "gradebook/{}",
        "gradebook/x/{}",
    ):
        opened.open(path.format(quote(name, safe="")))
        assert opened.page.evaluate("window.owned") is None
        assert opened.page.locator("[onclick]").count() == 0


# ---- what the service answers -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        f"api/contents/source/{ASSIGNMENT}.py", "api/contents", "api/kernels", "api/kernelspecs", "api/sessions",
        "api/terminals", "api/me", "api/status", "api/config/notebook", "api/nbconvert", "api/events", "api/shutdown",
        "lab", "lab/tree/source", "lab/api/settings", "tree", "notebooks/x.ipynb", "edit/course.toml", "terminals/1",
        "files/gradebook/gradebook.db", "view/course.toml", "nbconvert/html/source/07_sums.ipynb",
        "static/lab/index.html", "custom/custom.css", "metrics", "lsp/status", "formgraders",
        "api/../files/course.toml", "formgrader/../files/course.toml", "formgrader%2f..%2ffiles%2fcourse.toml",
    ],
)  # fmt: skip
def test_the_service_has_no_contents_no_kernels_and_no_terminals(opened: Opened, path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
        url = opened.hub.address(f"/services/{opened.hub.course.id}/{path}")
        answer = opened.client.request(method, url, headers={"X-XSRFToken": "x"})
        assert answer.status_code in (403, 404, 405), (method, path, answer.status_code)
        assert SECRET not in answer.text
    assert (opened.hub.course.step("source", ASSIGNMENT).with_suffix(".py")).exists()


def test_no_file_of_the_course_is_served_as_a_page_of_its_own(opened: Opened) -> None:
    """nbgrader serves files beside a submission, and with a path any of the course: a page that a student handed in."""
    handed_in = opened.hub.course.step("submitted", HOSTILE, ASSIGNMENT)
    (handed_in / "page.html").write_text("<script>window.owned = 1</script>", encoding="utf-8")
    submission = opened.submissions[HOSTILE]
    beside = f"../../../submitted/{HOSTILE}/{ASSIGNMENT}/page.html"
    for path in (quote(beside, safe=""), quote(str(handed_in / "page.html"), safe="")):
        assert opened.client.get(f"{opened.hub.formgrader}/submissions/{submission}/{path}").status_code == 404
    opened.open(f"files/submitted/{HOSTILE}/{ASSIGNMENT}/page.html")
    assert "<script>" in opened.page.locator("pre").inner_text()
    assert opened.owned is None


def test_files_of_the_course_are_shown_and_nothing_else(opened: Opened) -> None:
    opened.open("manage_assignments")
    with opened.page.expect_popup() as popup:
        opened.instructor.row(ASSIGNMENT).locator("a", has_text=ASSIGNMENT).first.click()
    expect(popup.value.locator("pre")).to_contain_text("def total(values)")
    popup.value.close()
    opened.open(f"files/autograded/{HONEST}")
    opened.page.get_by_role("link", name=ASSIGNMENT).click()
    opened.page.get_by_role("link", name=f"{NOTEBOOK}.ipynb").click()
    expect(opened.page.get_by_text("ZeroDivisionError").first).to_be_visible()
    opened.instructor.shot("a-notebook-as-a-page")
    assert opened.page.locator("script").count() == 0
    root = opened.hub.course.root
    (root / "source" / "link").symlink_to(root / "gradebook")
    for path in ("gradebook/gradebook.db", "course.toml", "source/link/gradebook.db", "source/%2e%2e/course.toml", "x"):
        assert opened.client.get(f"{opened.hub.formgrader}/files/{path}").status_code == 404, path


# ---- feedback --------------------------------------------------------------------------------------


@pytest.mark.parametrize("student", EVERYBODY)
def test_a_feedback_page_opened_as_a_file_runs_nothing(
    feedback: dict[str, Path], reader: Page, shots: Shots, student: str
) -> None:
    reader.goto(f"file://{feedback[student]}")
    reader.wait_for_timeout(500)
    shots.take(reader, f"feedback-of-{student}")
    assert reader.evaluate("window.owned") is None
    assert reader.locator("script, iframe, object, embed, [onerror], [onload]").count() == 0
    reader.evaluate(SMUGGLED)
    reader.wait_for_timeout(500)
    assert reader.evaluate("window.owned") is None


def test_honest_outputs_look_as_they_should_in_feedback(feedback: dict[str, Path], reader: Page) -> None:
    reader.goto(f"file://{feedback[HONEST]}")
    sizes = reader.locator("img").evaluate_all("all => all.map(img => [img.naturalWidth, img.width])")
    assert sizes and all(natural > 0 for natural, _ in sizes), sizes
    assert 64 in {width for _, width in sizes}
    formulas = reader.locator("svg[role=img]").evaluate_all("all => all.map(svg => svg.getAttribute('aria-label'))")
    assert r"\sum_{k=1}^n k = \frac{n(n+1)}{2}" in formulas
    expect(reader.locator("table.dataframe td").first).to_have_css("border-bottom-width", "1px")
    without_code = (
        "cell => [...cell.children].filter(each => each.className != 'code').map(each => each.textContent).join()"
    )
    framed = reader.locator(".cell", has=reader.locator("table.dataframe")).evaluate(without_code)
    assert "0.17" in framed and "vertical-align" not in framed
