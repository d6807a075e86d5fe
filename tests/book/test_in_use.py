"""What readers do with the book: search it, print it, practise from it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from served_book import THEMES, Site, new_page, shot

CHAPTER = "chapters/16-quantization.html"
# On paper nothing can be moved: what is wider than the sheet is lost.
CUT_ON_PAPER = """[...document.querySelectorAll("article pre, article table, article img, article div.math")]
    .filter(node => node.scrollWidth > node.clientWidth + 1 || node.getBoundingClientRect().right > innerWidth)
    .map(node => node.textContent.slice(0, 60))"""
ON_A4 = {"width": 718, "height": 1047}  # CSS pixels between margins of a centimetre


def test_search_finds_the_chapter_that_is_about_a_word(page: Page, site: Site) -> None:
    site.open(page, "index.html")
    page.keyboard.press("Control+k")
    page.locator("input[type=search]:visible").first.fill("softmax")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"search\.html\?q=softmax"))
    results = page.locator("#search-results li a")
    expect(results.filter(has_text="Attention").first).to_be_visible()
    shot(page, "search")


def test_search_for_what_is_nowhere_says_so(page: Page, site: Site) -> None:
    site.open(page, "search.html?q=zyzzyva")
    expect(page.locator("#search-results")).to_contain_text("did not match any documents")


def test_the_colours_can_be_changed(page: Page, site: Site) -> None:
    site.open(page, "index.html")
    colours = set()
    for _ in range(3):
        page.locator("button.theme-switch-button:visible").first.click()
        colours.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(colours) == 2


@pytest.mark.parametrize("name", [CHAPTER, "chapters/09-convolutional-networks.html", "reference/settings.html"])
def test_nothing_is_cut_on_paper(name: str, page: Page, site: Site) -> None:
    page.set_viewport_size(ON_A4)
    page.emulate_media(media="print")
    site.open(page, name)
    page.wait_for_load_state("networkidle")
    assert page.evaluate(CUT_ON_PAPER) == []


def test_a_chapter_prints_without_what_is_only_for_screens(page: Page, site: Site, tmp_path: Path) -> None:
    site.open(page, CHAPTER)
    page.wait_for_function("() => MathJax.startup.promise.then(() => true)")
    path = tmp_path / "chapter.pdf"
    page.pdf(path=path, format="A4")
    text = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True).stdout
    for in_the_chapter in ("Quantization", "def round_to_levels", "What comes next"):
        assert in_the_chapter in text
    for on_screens_only in ("Search", "Previous", "Show code cell", "Convolutional Networks", "Practise"):
        assert on_screens_only not in text


@pytest.mark.parametrize("theme", THEMES)
def test_what_is_printed_is_black_on_white_whatever_the_screen_has(theme: str, browser: Browser, site: Site) -> None:
    page = new_page(browser, site, "desktop", theme)
    site.open(page, CHAPTER)
    page.emulate_media(media="print")
    for selector in ("article p", "article pre", "article h2", "article li", ".tier-badge"):
        assert page.locator(selector).first.evaluate("node => getComputedStyle(node).color") == "rgb(0, 0, 0)"
    assert page.locator("article img").first.evaluate("node => getComputedStyle(node).filter") == "none"
    page.context.close()


def test_a_module_opens_from_its_chapter_as_ungraded_practice(page: Page, site: Site) -> None:
    """As far as it can be seen without the server that Python comes from: the notebook is there to be read."""
    site.open(page, CHAPTER)
    page.get_by_role("link", name="Open the notebook in this browser").click()
    page.wait_for_url(re.compile(r"lite/notebooks/index\.html\?path=16_quantization%2Fquantization\.ipynb"))
    expect(page.locator(".jp-MarkdownOutput", has_text="Ungraded practice.")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("heading", name="Module 16: Quantization")).to_be_visible()
    shot(page, "practice")
