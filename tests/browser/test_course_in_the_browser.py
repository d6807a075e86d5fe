"""A course in a real browser, from release to feedback: what people see, and what they are refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
from at_work import with_cookies_of
from course_hub import MODULE, NOTEBOOK, RIGHT, WRONG
from loopback import Loopback, own_origin
from playwright.sync_api import Page, expect
from school import COMMENT, HAND_SCORES, SCRIPT_IN_AN_ANSWER, VARIANTS, Class, released_notebook, work

from tito.author.variants import read_variant
from tito.gradebook.grades import grades
from tito.gradebook.records import read_record

TOKEN_OF_MY_SERVER = 'import os; print(os.environ["JUPYTERHUB_API_TOKEN"])'


def test_students_see_what_is_for_students(handed_in: Class) -> None:
    for name in VARIANTS:
        assert handed_in.shown[f"{name} menu"] == "Assignment List"


def test_what_is_typed_is_what_is_handed_in(handed_in: Class) -> None:
    """The browser's notebook, on disk as the student wrote it: cell by cell."""
    before = [cell.source for cell in released_notebook(handed_in.hub).cells]
    for name in VARIANTS:
        written = json.loads((assignment_folder(handed_in, name) / f"{NOTEBOOK}.ipynb").read_text())
        new = work(handed_in.hub, name)
        wanted = [new.get(index, source) for index, source in enumerate(before)]
        assert ["".join(cell["source"]) for cell in written["cells"]] == wanted


def test_validating_tells_right_from_wrong(handed_in: Class) -> None:
    assert "Success! Your notebook passes all the tests." in handed_in.shown[f"{RIGHT} validated"]
    wrong = handed_in.shown[f"{WRONG} validated"]
    assert "The following cell failed" in wrong
    assert "test_forward" not in wrong
    assert "If that is about the size of the bias, look there" in " ".join(wrong.replace('"', "").split())


def test_a_student_sees_the_receipt_at_once(handed_in: Class) -> None:
    """In the Assignment List, where Submit was clicked: the server's time and the SHA-256 that the exchange keeps."""
    for name in VARIANTS:
        stored = receipt(handed_in, name)
        at = stored["received_at"].replace("T", " ")[:19]
        assert f"{at} UTC. Receipt: SHA-256 {stored['receipt_sha256']}" in handed_in.shown[f"{name} submitted"]


def test_why_something_was_not_taken_is_told_in_a_sentence(handed_in: Class) -> None:
    message = handed_in.shown[f"{WRONG} refused"]
    assert "was closed at 2020-01-01 00:00:00 UTC" in " ".join(message.split())
    assert "Traceback" not in message


def test_what_the_visible_tests_say_is_on_a_student_s_own_page(handed_in: Class) -> None:
    """A click away from the hub's own pages; and nothing of it is to be had for what runs in a student's JupyterLab."""
    hub = handed_in.hub
    page = hub.address("/services/exchange/")
    for name, other in ((RIGHT, WRONG), (WRONG, RIGHT)):
        lab = handed_in.students[name].page
        mine = lab.context.new_page()
        mine.goto(f"{hub.url}/hub/home")
        mine.get_by_role("button", name="Services").click()
        mine.get_by_role("link", name="exchange", exact=True).click()
        expect(mine.get_by_text(re.compile(r"\d+ of \d+ passed"))).to_be_visible(timeout=60_000)  # it refreshes itself
        assert mine.url == page
        text = mine.inner_text("body")
        assert receipt(handed_in, name)["receipt_sha256"] in text
        assert receipt(handed_in, other)["receipt_sha256"] not in text
        assert ("FAILED" in text) == (name == WRONG)
        assert not [line for line in secret_lines(handed_in) if line in text]
        handed_in.shots.take(mine, f"{name}-page")
        mine.close()
        asks = f"fetch('{page}', {{credentials: 'include'}})"
        assert lab.evaluate(f"{asks}.then(answer => answer.status, () => 'not to be read')") == "not to be read"
        with lab.expect_popup() as opened:
            lab.evaluate(f"void (window.opened = window.open('{page}'))")
        opened.value.get_by_role("heading", name="What you handed in").wait_for()
        assert lab.evaluate("(() => { try { return opened.document.body.innerText } catch { return null } })()") is None
        opened.value.close()
        checks = assignment_folder(handed_in, name) / "receipts" / "prechecks.md"
        assert "Hidden tests are not run here" in checks.read_text()  # by itself, without a refresh of the list


def test_one_click_grades_all_with_our_engine(graded: Class) -> None:
    """There is a record of each verdict, and the page shows the points of tito's own table."""
    course = graded.hub.course
    raw = {row.student_id: row.raw_score for row in grades(course, course.assignment(MODULE))}
    for name, variant in VARIANTS.items():
        record = read_record(course, MODULE, name)
        assert record is not None
        assert record.sandbox == course.sandbox.backend
        tested = [cell for cell in record.cells if cell.grade_id not in HAND_SCORES[name]]
        lost = read_variant(course.step("variants", MODULE) / f"{variant}.py").lost
        assert {cell.grade_id for cell in tested if not cell.earned} == lost
        points = sum(cell.max_points for cell in tested if cell.earned)
        assert graded.shown[f"{name} score"] == f"{points:g} / 100"
        assert raw[name] == points + sum(map(float, HAND_SCORES[name].values()))


def test_a_script_in_an_answer_does_not_run_where_it_is_graded(graded: Class) -> None:
    assert SCRIPT_IN_AN_ANSWER.partition(">")[0] in graded.shown[f"{WRONG} page"]  # it is shown, as text
    assert graded.shown[f"{WRONG} owned"] == "None"


def test_every_link_of_formgrader_leads_to_a_page_that_works(graded: Class) -> None:
    """Every page that can be reached by links, as a graded course has them; and what these pages ask for."""
    hub, page = graded.hub, graded.instructor.page
    asked: list[tuple[int, str]] = []
    broken: list[str] = []
    page.on("response", lambda answer: asked.append((answer.status, answer.url)))
    page.on("pageerror", lambda error: broken.append(f"{page.url}: {error}"))
    waiting, seen, files = [f"{hub.formgrader}/manage_assignments"], set[str](), set[str]()
    while waiting:
        url = waiting.pop()
        seen.add(url)
        page.goto(url)
        expect(page.get_by_text("Loading, please wait")).to_have_count(0)
        page.wait_for_load_state("networkidle")
        for link in same_site_links(page):
            assert link.startswith(f"{hub.formgrader}/"), link
            if link.startswith(f"{hub.formgrader}/files/"):
                files.add(link)
            elif link not in seen | set(waiting) | {page.url}:
                waiting.append(link)
    assert len(seen) >= 10, seen
    assert not broken  # scripts that stopped; there is no way out of this machine, and none is needed
    service = f"/services/{hub.course.id}/"
    ours = [(status, urlsplit(url).path) for status, url in asked if ".localhost:" in url or url.startswith(hub.url)]
    assert not [(status, path) for status, path in ours if status >= 400 or not path.startswith(service)]
    shown = {unquote(urlsplit(link).path).partition("/formgrader/files/")[2] for link in files}
    assert {f"source/{MODULE}.py", f"release/{MODULE}", f"autograded/{RIGHT}/{MODULE}/{NOTEBOOK}.ipynb"} <= shown
    with with_cookies_of(page) as client:
        for link in files:
            assert status(client, link) == 200, link


def test_a_link_to_a_file_opens_it(graded: Class) -> None:
    page = graded.instructor.page
    page.goto(f"{graded.hub.formgrader}/manage_assignments")
    with page.expect_popup() as opened:
        graded.instructor.row().locator("a", has_text=MODULE).first.click()
    script = opened.value
    expect(script.locator("pre")).to_contain_text("jupytext")
    graded.shots.take(script, "script")
    script.close()


def test_formgrader_takes_no_configuration_from_a_link(graded: Class) -> None:
    """nbgrader's runs the nbgrader_config.py of any folder that the address names: a student may hand one in."""
    ran = graded.hub.state / "it-ran"
    folder = graded.hub.course.step("submitted", WRONG, MODULE)
    (folder / "nbgrader_config.py").write_text(f"open({str(ran)!r}, 'w')")
    with with_cookies_of(graded.instructor.page) as client:
        answer = client.get(f"{graded.hub.formgrader}?path={folder}")
    (folder / "nbgrader_config.py").unlink()
    assert (answer.status_code, answer.url.path) == (
        200,
        f"{urlsplit(graded.hub.formgrader).path}/manage_assignments",
    )
    assert not ran.exists()


def test_a_student_reads_the_feedback_and_no_hidden_test(returned: Class) -> None:
    for name, total in ((RIGHT, 97.5), (WRONG, 74.0)):
        assert "feedback available to fetch" in returned.shown[f"{name} feedback offered"]
        text = returned.shown[f"{name} feedback"]
        assert f"{total:g} of 100 points" in " ".join(text.split())
        assert COMMENT in text
        secrets = secret_lines(returned)
        assert len(secrets) > 50
        assert not [line for line in secrets if line in text]


def test_a_student_reaches_nothing_of_anothers(returned: Class) -> None:
    """By address, by the hub's API and the exchange's, with cookies and with the token of one's own server.

    Each is tried by whom it belongs to as well: it is there.
    """
    hub, other = returned.hub, returned.students[RIGHT]
    theirs, mine = with_cookies_of(other.page), with_cookies_of(returned.students[WRONG].page)
    instructor = with_cookies_of(returned.instructor.page)
    before = (assignment_folder(returned, RIGHT) / f"{NOTEBOOK}.ipynb").read_bytes()

    files = f"{hub.course.id}/{MODULE}/{NOTEBOOK}.ipynb"
    for path in ("lab", f"api/contents/{files}", f"files/{files}", "api/kernels", "api/terminals"):
        assert status(theirs, hub.address(f"/user/{RIGHT}/{path}")) == 200, path
        assert status(mine, hub.address(f"/user/{RIGHT}/{path}")) == 403, path
    for path in (
        "formgrader/manage_assignments",
        f"formgrader/api/submissions/{MODULE}",
        f"formgrader/files/source/{MODULE}.py",
    ):
        assert status(instructor, hub.address(f"/services/{hub.course.id}/{path}")) == 200, path
        assert status(mine, hub.address(f"/services/{hub.course.id}/{path}")) == 403, path
    assert status(mine, f"{hub.url}/hub/spawn/{RIGHT}") == 404
    for client in (theirs, mine, instructor):
        client.close()

    tokens = {name: lab.run_in_a_console(TOKEN_OF_MY_SERVER) for name, lab in returned.students.items()}
    for method, path, refused in hub_api():
        assert asked(hub.url, method, f"/hub/api{path}", tokens[WRONG]) == refused, (method, path)
    submission = f"/courses/{hub.course.id}/submissions/{receipt(returned, RIGHT)['submission']}"
    for path in ("", "/archive", "/feedback", "/feedback/archive"):
        assert asked(hub.url, "GET", f"/services/exchange{submission}{path}", tokens[RIGHT]) == 200, path
        assert asked(hub.url, "GET", f"/services/exchange{submission}{path}", tokens[WRONG]) == 404, path
    course = f"/services/exchange/courses/{hub.course.id}"
    for method, path in (("GET", "/submissions"), ("GET", "/policy"), ("PUT", "/policy"), ("GET", "/fetches")):
        assert asked(hub.url, method, f"{course}{path}", tokens[WRONG]) == 403, (method, path)
    assert asked(hub.url, "GET", f"/user/{RIGHT}/api/contents/{files}", tokens[WRONG]) == 403
    assert asked(hub.url, "GET", f"/user/{WRONG}/api/contents/{files}", tokens[WRONG]) == 200
    assert (assignment_folder(returned, RIGHT) / f"{NOTEBOOK}.ipynb").read_bytes() == before


def hub_api() -> list[tuple[str, str, int]]:
    """Requests that a student's token is refused, and how: 404 where it may read names, but not that one."""
    return [
        ("GET", f"/users/{RIGHT}", 404),
        ("POST", f"/users/{RIGHT}/tokens", 403),
        ("DELETE", f"/users/{RIGHT}/server", 403),
        ("POST", f"/users/{RIGHT}/server", 403),
        ("GET", "/users", 403),
        ("GET", "/groups", 403),
        ("GET", "/proxy", 403),
        ("POST", "/shutdown", 403),
    ]


def status(client: httpx.Client, url: str) -> int:
    """Where it ends, after what the hub sends a browser through to log in."""
    return client.get(url).status_code


def asked(url: str, method: str, path: str, token: str) -> int:
    with httpx.Client(transport=Loopback(), timeout=30) as client:
        return client.request(method, own_origin(url, path), headers={"Authorization": f"token {token}"}).status_code


def same_site_links(page: Page) -> set[str]:
    """Where links lead, but for those that do something on the page itself."""
    links = page.locator("a[href]").evaluate_all(
        "all => all.filter(a => a.getAttribute('href')[0] != '#').map(a => a.href)"
    )
    return {link.partition("#")[0] for link in links if "localhost:" in link}


def secret_lines(everybody: Class) -> list[str]:
    """Lines of hidden tests and mark schemes that stand nowhere else in the module."""
    script = everybody.hub.course.assignment(MODULE).script
    assert script is not None
    hidden = re.compile(
        r"(?s)### BEGIN HIDDEN TESTS(.*?)### END HIDDEN TESTS|=== BEGIN MARK SCHEME ===(.*?)=== END MARK SCHEME ==="
    )
    text = script.read_text()
    shown = hidden.sub("", text)
    lines = [part.strip("# ") for match in hidden.finditer(text) for part in "".join(match.groups("")).splitlines()]
    return [line.strip() for line in lines if len(line.strip()) > 20 and line.strip() not in shown]


def assignment_folder(everybody: Class, name: str) -> Path:
    return everybody.hub.home(name) / everybody.hub.course.id / MODULE


def receipt(everybody: Class, name: str) -> dict[str, str]:
    """The student's own copy."""
    (path,) = (assignment_folder(everybody, name) / "receipts").glob("*.json")
    facts: dict[str, str] = json.loads(path.read_text())
    return facts
