"""What people do in the browser: a student in JupyterLab, an instructor in formgrader. Waits are for conditions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import httpx
from course_hub import MODULE, NOTEBOOK, PASSWORD, CourseHub
from loopback import Loopback
from playwright.sync_api import Locator, Page, expect

SLOW_MS = 120_000  # what starts a server or a kernel, on a machine that others use too
VALIDATING_MS = 180_000


@dataclass(frozen=True)
class Shots:
    """Pictures of every step, numbered, in a folder."""

    folder: Path

    def take(self, page: Page, name: str) -> None:
        number = len(list(self.folder.glob("*.png"))) + 1
        page.screenshot(path=self.folder / f"{number:02}-{name}.png", animations="disabled")


def log_in(page: Page, hub: CourseHub, user: str, to: str) -> None:
    """Go to an address as a user who is not logged in yet."""
    page.goto(hub.address(to))
    page.fill("#username_input", user)
    page.fill("#password_input", PASSWORD)
    page.click("#login_submit")


def with_cookies_of(page: Page) -> httpx.Client:
    """Asks what the page's browser could: with its cookies, and no page around it."""
    client = httpx.Client(transport=Loopback(), follow_redirects=True, timeout=30)
    for cookie in page.context.cookies():
        host = "localhost.local" if cookie["domain"] == "localhost" else cookie["domain"]  # so Python's cookies call it
        client.cookies.set(cookie["name"], cookie["value"], host, cookie["path"])
    return client


class Lab:
    """A student's JupyterLab."""

    def __init__(self, page: Page, hub: CourseHub, user: str, shots: Shots) -> None:
        self.page, self.hub, self.user, self._shots = page, hub, user, shots
        # Asked where a notebook's kernel is not clear, over whatever one is doing.
        kernel = page.locator(".jp-Dialog", has_text="Select Kernel")
        page.add_locator_handler(kernel, lambda dialog: dialog.locator(".jp-mod-accept").click())
        # nbgrader validates inside the server, which answers nobody meanwhile; JupyterLab may think that it is gone.
        gone = page.locator(".jp-Dialog", has_text="Server unavailable or unreachable")
        page.add_locator_handler(gone, lambda dialog: dialog.get_by_role("button", name="Dismiss").click())

    def shot(self, name: str) -> None:
        self._shots.take(self.page, f"{self.user}-{name}")

    def log_in(self) -> None:
        """Log in, which starts the server."""
        log_in(self.page, self.hub, self.user, "/hub/")

    def started(self) -> None:
        expect(self.page.locator(".jp-Launcher")).to_be_visible(timeout=SLOW_MS)
        expect(self.page.locator("#jupyterlab-splash")).to_have_count(0)

    def menu(self, name: str) -> str:
        """The entries of a menu, one a line; it is closed again."""
        self.page.locator(".lm-MenuBar-itemLabel", has_text=re.compile(f"^{name}$")).click()
        entries = self.page.locator(".lm-Menu-itemLabel")
        expect(entries.first).to_be_visible()
        labels = [text for text in entries.all_inner_texts() if text]
        self.page.keyboard.press("Escape")
        expect(entries).to_have_count(0)
        return "\n".join(labels)

    # ---- the Assignment List -----------------------------------------------------------------------

    def assignment_list(self) -> None:
        """Open it from the menu, or bring it to the front."""
        tab = self.page.locator("#jp-main-dock-panel .lm-TabBar-tab", has_text="Assignments")
        if tab.count():
            tab.click()
            return
        self.page.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^Nbgrader$")).click()
        self.page.locator(".lm-Menu-itemLabel", has_text="Assignment List").click()

    def listed(self, status: str) -> Locator:
        """The entry of the module among those that are released, fetched or submitted."""
        item = self.page.locator(f"#{status}_assignments_list > .list_item", has_text=MODULE)
        expect(item).to_be_visible(timeout=SLOW_MS)
        return item

    def refresh(self) -> None:
        self.page.locator("#refresh_assignments_list").click()

    def fetch(self) -> None:
        self.listed("released").get_by_role("button", name="Fetch").click()
        self.listed("fetched")

    def show_notebooks(self) -> Locator:
        """Those of the assignment, under its name."""
        fetched = self.listed("fetched")
        notebooks = fetched.locator(".nested_list_item", has_text=NOTEBOOK)
        if not notebooks.is_visible():
            fetched.locator(".assignment-notebooks-link").click()
        expect(notebooks).to_be_visible()
        return notebooks

    def validate(self) -> None:
        self.show_notebooks().get_by_role("button", name="Validate").click()

    def validated(self) -> str:
        """What the dialog says. It stays open."""
        dialog = self.page.locator(".jp-Dialog", has_text="Validation Results")
        expect(dialog).to_be_visible(timeout=VALIDATING_MS)
        return dialog.inner_text()

    def close_dialog(self) -> None:
        self.page.locator(".jp-Dialog .jp-mod-accept").click()
        expect(self.page.locator(".jp-Dialog")).to_have_count(0)

    def submit(self) -> str:
        """What the list says of the submission."""
        self.listed("fetched").get_by_role("button", name="Submit").click()
        return self.submitted()

    def submit_in_vain(self) -> str:
        """What the dialog says. It stays open."""
        self.listed("fetched").get_by_role("button", name="Submit").click()
        dialog = self.page.locator(".jp-Dialog", has_text="Assignment not submitted")
        expect(dialog).to_be_visible(timeout=SLOW_MS)
        return dialog.inner_text()

    def submitted(self) -> str:
        row = self.listed("submitted").locator(".nested_list_item")
        expect(row).to_be_visible()
        return row.inner_text()

    # ---- the notebook ------------------------------------------------------------------------------

    def open_notebook(self) -> None:
        self.show_notebooks().locator("a").click()
        expect(self.cell(0)).to_be_visible(timeout=SLOW_MS)
        expect(self.page.locator("#jp-bottom-panel")).to_contain_text("| Idle", timeout=SLOW_MS)  # the kernel

    def cell(self, index: int) -> Locator:
        return self.page.locator(f".jp-Notebook .jp-Cell[data-windowed-list-index='{index}']")

    def run_to(self, last: int) -> None:
        """Run cells from the first to this one, with Shift-Enter, and wait for its end."""
        self.cell(0).click()
        for index in range(last + 1):
            expect(self.cell(index)).to_have_class(re.compile("jp-mod-active"))
            self.page.keyboard.press("Shift+Enter")
        expect(self.cell(last).locator(".jp-InputPrompt")).to_have_text(re.compile(r"\[\d+\]:"), timeout=SLOW_MS)

    def write(self, sources: dict[int, str]) -> None:
        """Replace the sources of cells, by their place in the notebook, and save it."""
        for index, source in sources.items():
            cell = self.cell(index)
            cell.scroll_into_view_if_needed()
            if "jp-mod-rendered" in (cell.get_attribute("class") or ""):
                cell.dblclick()
            cell.locator(".cm-content").click()
            self.page.keyboard.press("Control+a")
            self.page.keyboard.insert_text(source)
        self.page.keyboard.press("Control+s")
        expect(self.page.locator(".lm-TabBar-tab.jp-mod-dirty")).to_have_count(0)

    def run_in_a_console(self, source: str) -> str:
        """Run something in a console of its own, and say what it printed."""
        self.page.keyboard.press("Control+Shift+l")
        self.page.locator(".jp-Launcher:visible .jp-LauncherCard[data-category='Console']").first.click()
        editor = self.page.locator(".jp-CodeConsole-input .cm-content")
        expect(editor).to_be_visible(timeout=SLOW_MS)
        expect(self.page.locator("#jp-bottom-panel")).to_contain_text("| Idle", timeout=SLOW_MS)
        editor.click()
        self.page.keyboard.insert_text(source)
        self.page.keyboard.press("Shift+Enter")
        output = self.page.locator(".jp-CodeConsole-content .jp-OutputArea-output").last
        expect(output).to_be_visible(timeout=SLOW_MS)
        return output.inner_text().strip()

    # ---- feedback ----------------------------------------------------------------------------------

    def fetch_feedback(self) -> None:
        self.listed("submitted").get_by_role("button", name="Fetch Feedback").click()
        expect(self.listed("submitted").locator("a", has_text="view feedback")).to_be_visible(timeout=SLOW_MS)

    def read_feedback(self) -> str:
        """The text of the page, opened as the list and the file browser offer it."""
        self.listed("submitted").locator("a", has_text="view feedback").click()
        file = self.page.locator(".jp-DirListing-item", has_text=f"{NOTEBOOK}.html")
        file.dblclick()
        frame = self.page.frame_locator(".jp-HTMLViewer iframe")
        expect(frame.get_by_role("heading", name="Your notebook")).to_be_visible(timeout=SLOW_MS)
        return frame.locator("body").text_content() or ""


class Formgrader:
    """An instructor's formgrader, at the address of the service."""

    def __init__(self, page: Page, hub: CourseHub, user: str, shots: Shots) -> None:
        self.page, self.hub, self.user, self._shots = page, hub, user, shots

    def shot(self, name: str) -> None:
        self._shots.take(self.page, f"{self.user}-{name}")

    def log_in(self) -> None:
        self.log_in_to(MODULE)

    def log_in_to(self, assignment: str) -> None:
        """Log in, and wait until an assignment is listed."""
        log_in(self.page, self.hub, self.user, f"/services/{self.hub.course.id}/formgrader")
        self.row(assignment)

    def open(self, path: str) -> None:
        self.page.goto(f"{self.hub.formgrader}/{path}")

    def row(self, text: str = MODULE) -> Locator:
        """The line of a table in which a text stands."""
        row = self.page.locator("#main-table tr", has_text=text)
        expect(row).to_be_visible(timeout=SLOW_MS)
        return row

    def act(self, icon: str, text: str = MODULE) -> None:
        """Click an icon of a line of the table; the dialog with the outcome stays open."""
        self.row(text).locator(f".glyphicon-{icon}").click()
        self.outcome()

    def outcome(self) -> str:
        """The log of what was done, which must have gone well."""
        dialog = self.page.locator(".modal.in")
        expect(dialog).to_be_visible(timeout=VALIDATING_MS)
        expect(dialog.locator(".modal-title")).to_have_text("Success")
        return dialog.inner_text()

    def close_dialog(self) -> None:
        self.page.locator(".modal.in .modal-footer button").click()
        expect(self.page.locator(".modal")).to_have_count(0)

    def open_submission(self, student: str, notebook: str) -> None:
        """The page of a submission, reached as one would from the list of submissions."""
        self.open(f"manage_submissions/{MODULE}")
        self.row(student).locator(".student-name a").click()
        self.row(notebook).locator("a").first.click()
        # Its scripts fill in the tests' points, as placeholders, and only then take what is typed.
        points = self.page.locator("input.score").first
        expect(points).to_have_attribute("placeholder", re.compile(r"\d"), timeout=SLOW_MS)
        self.page.wait_for_load_state("networkidle")

    def score(self, grade_id: str, points: str, comment: str = "") -> None:
        """Give points by hand on the page of a submission, and say why."""
        box = self.page.locator(f"input#{grade_id}")
        box.scroll_into_view_if_needed()
        with self.page.expect_response(lambda answer: "/api/grade/" in answer.url and answer.ok):
            box.fill(points)
            box.press("Tab")
        if comment:
            with self.page.expect_response(lambda answer: "/api/comment/" in answer.url and answer.ok):
                field = self.page.locator(f"textarea#{grade_id}-comment")
                field.fill(comment)
                field.blur()
