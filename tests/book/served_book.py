"""The built book, its pages, and windows on it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, Request

import tito

BOOK = Path(tito.__file__).resolve().parents[1] / "book"
HTML = BOOK / "_build/html"
NOT_OURS = ("lite", "_static", "_sources")  # JupyterLite's own pages, the theme's
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
THEMES = ("light", "dark")


@dataclass
class Site:
    """The book's address, and what was asked for beyond it."""

    url: str
    beyond: list[str] = field(default_factory=list)

    def note(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:", "about:")):
            self.beyond.append(request.url)

    def open(self, page: Page, name: str) -> Page:
        page.goto(f"{self.url}{name}")
        page.wait_for_load_state("load")
        return page


def page_names() -> list[str]:
    """All pages of the book, by their paths."""
    paths = (path.relative_to(HTML) for path in HTML.rglob("*.html"))
    return sorted(path.as_posix() for path in paths if path.parts[0] not in NOT_OURS)


def new_page(browser: Browser, site: Site, size: str, theme: str) -> Page:
    """A window of a size, for somebody who has chosen a theme."""
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height})
    context.add_init_script(f"localStorage.setItem('mode', '{theme}'); localStorage.setItem('theme', '{theme}')")
    context.on("request", site.note)
    page = context.new_page()
    page.set_default_timeout(120_000)  # on a machine that others use too
    return page


def shot(page: Page, name: str) -> None:
    """A picture of a whole page, where somebody wants to look at it."""
    if folder := os.environ.get("TITO_BOOK_SHOTS"):
        path = Path(folder) / f"{name.replace('/', '_').removesuffix('.html')}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=path, full_page=True)
