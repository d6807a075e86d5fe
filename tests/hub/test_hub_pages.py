"""What formgrader's pages make of a student's notebook: text, tables and pictures, and nothing that a browser runs."""

from __future__ import annotations

import base64

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbconvert.exporters import HTMLExporter
from nbgrader.server_extensions.formgrader import handlers
from traitlets.config import Config

from tito.hub.pages import SafeExporter, clean

pytestmark = pytest.mark.hub
PICTURE = "data:image/png;base64," + base64.b64encode(b"picture").decode()
SCRIPT = "<script>owned()</script>"
HOSTILE = (
    SCRIPT,
    '<img src="x" onerror="owned()">',
    '<a href="javascript:owned()">here</a>',
    '<a href="data:text/html,owned()">here</a>',
    '<a href=" DATA:text/html,owned()">here</a>',
    "<iframe srcdoc='owned()'></iframe>",
    '<form action="/owned()"><input name="x"></form>',
    '<svg onload="owned()"></svg>',
    '<b style="background: url(/owned())">bold</b>',
    '<img src="/hub/logout?owned()">',
    '<math><mtext><table><mglyph><style><img src onerror="owned()">',
)


@pytest.mark.parametrize("html", HOSTILE)
def test_nothing_that_acts_is_left_of_an_answer(html: str) -> None:
    for tag in BeautifulSoup(clean(html), "html.parser").find_all(True):
        assert tag.name in {"a", "b", "img", "table"}, tag
        assert not set(tag.attrs) - {"alt"}, tag


def test_no_id_or_class_that_formgraders_scripts_look_for() -> None:
    assert clean('<div id="statusmessage" class="nbgrader_cell">text</div>') == "<div>text</div>"


def test_text_tables_code_and_pictures_stay() -> None:
    for html in (
        "<h2>Title</h2><p>Text with <em>weight</em> and <code>x</code></p>",
        '<table class="dataframe"><thead><tr><th>a</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>',
        '<div class="highlight"><pre><span class="kn">import</span></pre></div>',
        f'<img alt="plot" src="{PICTURE}">',
        '<a href="https://example.edu/page">here</a>',
    ):
        assert sorted(clean(html)) == sorted(html), html  # attributes may change places


def test_a_page_of_formgrader_holds_no_script_of_the_notebooks() -> None:
    """By formgrader's own template. nbgrader's exporter lets it through, so that this test can fail."""
    cells = [nbformat.v4.new_markdown_cell(f"My answer {SCRIPT}"), nbformat.v4.new_code_cell("show()")]
    outputs = ({"text/html": f"<p>table</p>{SCRIPT}"}, {"application/javascript": "owned()"})
    cells[1].outputs = [nbformat.v4.new_output("display_data", one) for one in outputs]
    notebook = nbformat.v4.new_notebook(cells=cells)
    config = Config()
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    facts = {"base_url": "/services/c", "index": 0, "total": 1, "notebook_path": "x.ipynb"}
    pages = [made(config=config).from_notebook_node(notebook, dict(facts))[0] for made in (HTMLExporter, SafeExporter)]
    scripts = [
        sum("owned()" in str(one.string) for one in BeautifulSoup(page, "html.parser").find_all("script"))
        for page in pages
    ]
    assert scripts == [3, 0]
    assert "<p>table</p>" in pages[1]
    assert "My answer" in pages[1]
