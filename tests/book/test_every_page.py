"""Every page of the book, as people have it before them: on a desktop and on a phone, light and dark."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from served_book import Site, new_page, page_names, shot

GRAVE = ("serious", "critical")
# What cannot be seen whole: wider than its page, and nothing that can be moved around it.
CUT = """() => {
    const wide = document.documentElement.scrollWidth > innerWidth + 1 ? ["the page is wider than the window"] : [];
    const scrolls = node => ["auto", "scroll"].includes(getComputedStyle(node).overflowX);
    for (const node of document.querySelectorAll("article table, article pre, article img, article svg")) {
        const box = node.getBoundingClientRect();
        if (box.right <= innerWidth + 1 && node.scrollWidth <= node.clientWidth + 1) continue;
        let around = node;
        while (around && !scrolls(around)) around = around.parentElement;
        if (!around && box.width) wide.push(`${node.tagName} ${node.className}: ${node.textContent.slice(0, 60)}`);
    }
    return wide;
}"""
# Pictures that did not come, and formulas that were not drawn.
UNDRAWN = """() => [
    ...[...document.images].filter(image => image.complete && !image.naturalWidth).map(image => image.src),
    ...[...document.querySelectorAll(".math")].filter(node => !node.querySelector("mjx-container svg")
        || node.querySelector("mjx-merror, [data-mml-node=merror]")).map(node => node.textContent),
]"""
READY = "() => !window.MathJax?.startup || MathJax.startup.promise.then(() => true)"


# A page lies on a phone in the dark as it does in the light, and its colours are those of a desktop.
WINDOWS = (("desktop", "light"), ("desktop", "dark"), ("phone", "light"))


@pytest.fixture(scope="module", params=WINDOWS, ids="-".join)
def window(request: pytest.FixtureRequest, browser: Browser, site: Site) -> Iterator[tuple[str, str, Page]]:
    size, theme = request.param
    page = new_page(browser, site, size, theme)
    yield size, theme, page
    page.context.close()


@pytest.mark.parametrize("name", page_names())
def test_a_page_is_whole_and_can_be_used_by_all(name: str, window: tuple[str, str, Page], site: Site) -> None:
    size, theme, page = window
    site.beyond.clear()
    site.open(page, name)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")  # pictures further down are loaded when they are near
    page.wait_for_function(READY)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    shot(page, f"{name.removesuffix('.html')}-{size}-{theme}")
    assert page.evaluate(CUT) == []
    assert page.evaluate(UNDRAWN) == []
    assert site.beyond == []
    if size == "desktop":  # what axe looks at is the same on a phone, and takes longest
        assert grave_faults(page) == []


def grave_faults(page: Page) -> list[str]:
    """What axe finds on a page that keeps somebody from using it."""
    violations = Axe().run(page).response["violations"]
    return [
        f"{fault['id']}: {node['html'][:120]} {node['failureSummary'][:200]}"
        for fault in violations
        if fault["impact"] in GRAVE
        for node in fault["nodes"][:3]
    ]


def test_a_page_with_a_grave_fault_would_be_told(page: Page, site: Site) -> None:
    site.open(page, "index.html")
    page.evaluate("document.querySelector('article').innerHTML += '<img src=\"x.png\"><table><td>' + 'x'.repeat(999)")
    assert any(fault.startswith("image-alt") for fault in grave_faults(page))
    assert page.evaluate(CUT) != []
    page.wait_for_load_state("networkidle")
    assert page.evaluate(UNDRAWN) == [f"{site.url}x.png"]
