"""What formgrader's pages make of a student's notebook: text, tables and pictures, and nothing that a browser runs."""

from __future__ import annotations

import base64

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbconvert.exporters import HTMLExporter
from nbgrader.server_extensions.formgrader import handlers
from traitlets.config import Config

from tito.grade.formulas import FormulaExporter, picture
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


def page_of_formgrader(made: type[HTMLExporter], notebook: nbformat.NotebookNode) -> str:
    config = Config()
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    facts = {"base_url": "/services/c", "index": 0, "total": 1, "notebook_path": "x.ipynb"}
    return str(made(config=config).from_notebook_node(notebook, facts)[0])


def test_a_page_of_formgrader_holds_no_script_of_the_notebooks() -> None:
    """By formgrader's own template. nbgrader's exporter lets it through, so that this test can fail."""
    cells = [nbformat.v4.new_markdown_cell(f"My answer {SCRIPT}"), nbformat.v4.new_code_cell("show()")]
    outputs = ({"text/html": f"<p>table</p>{SCRIPT}"}, {"application/javascript": "owned()"})
    cells[1].outputs = [nbformat.v4.new_output("display_data", one) for one in outputs]
    notebook = nbformat.v4.new_notebook(cells=cells)
    pages = [page_of_formgrader(made, notebook) for made in (HTMLExporter, SafeExporter)]
    scripts = [
        sum("owned()" in str(one.string) for one in BeautifulSoup(page, "html.parser").find_all("script"))
        for page in pages
    ]
    assert scripts == [3, 0]
    assert "<p>table</p>" in pages[1]
    assert "My answer" in pages[1]


# ---- formulas --------------------------------------------------------------------------------------------------------

TEXT = r"Inline $q_k \cdot 2^b$, and a block:" + "\n\n" + r"$$y = \underbrace{\sum_k q_k}_{\text{row sum}}\Big[1\Big]$$"


@pytest.mark.parametrize("made", [SafeExporter, FormulaExporter])
def test_formulas_are_pictures_in_the_page_and_nothing_comes_from_elsewhere(made: type[HTMLExporter]) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(TEXT)])
    page = page_of_formgrader(made, notebook)
    drawn = [one for one in BeautifulSoup(page, "html.parser").find_all("img") if one.get("alt")]
    assert [one["alt"][:9] for one in drawn] == [r"q_k \cdot", r"y = \unde"]
    assert all(one["src"].startswith("data:image/svg+xml;base64,") for one in drawn)
    assert all(f".{one['class'][0]}{{vertical-align:" in page for one in drawn)
    scripts = [one["src"] for one in BeautifulSoup(page, "html.parser").find_all("script") if one.get("src")]
    assert scripts
    assert all(one.startswith("/services/c/") for one in scripts)
    assert "cdnjs" not in page


@pytest.mark.parametrize(
    "tex", ["", r"\nosuchthing{x}", "}{", "x" * 501, "{" * 13 + "x" + "}" * 13, r"\left(" * 60 + "x", r"\hspace{1e9}x"]
)
def test_what_cannot_be_drawn_or_would_take_long_stays_as_it_was_written(tex: str) -> None:
    assert picture(tex) == ""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(f"so ${tex}$ it is")])
    assert "it is" in page_of_formgrader(SafeExporter, notebook)


def test_a_page_full_of_formulas_has_some_drawn_and_is_soon_there() -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("$x$ " * 300) for _ in range(4)])
    page = page_of_formgrader(SafeExporter, notebook)
    assert page.count('alt="x"') == 500
    assert page.count("$x$") == 700
