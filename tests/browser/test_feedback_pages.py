"""Feedback pages as students have them before them: on a desktop and on a phone, in the light and in the dark."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from at_work import Shots
from axe_playwright_python.sync_playwright import Axe
from chromium import chromium, require_chromium
from feedback_support import failed, tiny_page
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from playwright.sync_api import Browser, Page, expect

from tito.gradebook.by_hand import ByHand
from tito.models import CellVerdict, CheckVerdict, Evidence, Verdict

GRAVE = ("serious", "critical")
WINDOWS = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 360, "height": 740}}
WIDE = "<table>" + "<tr>" + "".join(f"<td>column{number}</td>" for number in range(40)) + "</tr></table>"
OUTPUTS = [
    new_output("stream", name="stdout", text="printed " + "x" * 400),
    new_output("stream", name="stderr", text="warned"),
    new_output("display_data", data={"text/html": WIDE}),
    new_output("error", ename="ValueError", evalue="no", traceback=["ValueError: no"]),
]
OWN = [
    new_markdown_cell(
        "## A heading\n\nA [link](https://example.edu), $\\hat{x} = \\frac{s}{2}$ and\n\n$$\\sum_k x_k^2$$"
    ),
    new_code_cell("# a comment\ndef f(x):\n    '''Text.'''\n    return not 1.5 * x", outputs=OUTPUTS),
]
CHECKS = (CheckVerdict("ones", 0.0, 1.0, "ones: ones are wrong"), CheckVerdict("shapes", 3.0, 3.0))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Without a hub: pages are files."""
    require_chromium()
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    page = tiny_page(
        CellVerdict("test_double", Verdict.FAILED, 3.0, 4.0, Evidence.JUDGED, "ones: ones are wrong", checks=CHECKS),
        failed("test_halve", 3.0, "halve(4) must be 2, " + "got" * 200, visible_seconds=0.2, visible_memory_mb=11.0),
        CellVerdict("essay", Verdict.MANUAL, None, 1.0),
        own=OWN,
        hand=ByHand(comments={("doubling", "task_why"): "Say **more**."}),
        notes=("something was repaired",),
    )
    path: Path = tmp_path_factory.mktemp("feedback") / "doubling.html"
    path.write_text(page.html, encoding="utf-8")
    return f"file://{path}"


@pytest.fixture(params=[(size, scheme) for size in WINDOWS for scheme in ("light", "dark")], ids="-".join)
def reader(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    size, scheme = request.param
    # What looks at the page is a script, which the page's own policy would not let in.
    context = browser.new_context(viewport=WINDOWS[size], color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(address)
    yield page
    context.close()


def test_nothing_keeps_anybody_from_using_a_page(reader: Page, shots: Shots, request: pytest.FixtureRequest) -> None:
    reader.evaluate("document.querySelectorAll('details').forEach(fold => { fold.open = true; })")
    shots.take(reader, f"feedback-{request.node.callspec.id}")
    violations = Axe().run(reader).response["violations"]
    assert [fault["id"] for fault in violations if fault["impact"] in GRAVE] == []
    assert reader.evaluate("document.documentElement.scrollWidth <= innerWidth")
    headings = reader.locator("h1, h2, h3, h4, h5, h6").evaluate_all("all => all.map(each => Number(each.tagName[1]))")
    assert headings[0] == 1 and all(after <= before + 1 for before, after in pairwise(headings))


def test_a_page_is_used_with_a_keyboard_and_asks_for_nothing(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport=WINDOWS["desktop"])
    page = context.new_page()
    asked: list[str] = []
    messages: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    page.goto(address)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To your notebook")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    fold = page.locator("details").first
    expect(fold.locator("summary").first).to_be_focused()
    expect(fold).not_to_have_attribute("open", "")
    page.keyboard.press("Enter")
    expect(fold).to_have_attribute("open", "")
    page.get_by_role("link", name="test_halve").click()
    assert page.evaluate("document.querySelector(location.hash).textContent.includes('halve(4) must be 2')")
    assert (asked, messages) == ([address], [])
    context.close()
