"""What pages make of a student's notebook, formgrader's and feedback: text, tables and pictures, and nothing that a
browser runs."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbconvert.exporters import HTMLExporter
from nbgrader.server_extensions.formgrader import handlers
from playwright._impl._driver import compute_driver_executable
from traitlets.config import Config
from whole_hub import PROJECT

from tito.bridge import formulas
from tito.bridge.formulas import Drawing, picture
from tito.bridge.pages import LONGEST_TEXT, NOTHING_RUNS, PageExporter, guarded
from tito.bridge.safe_html import MOST, clean
from tito.hub.formgrader.frames import FormgraderExporter
from tito.hub.formgrader.student_names import EITHER, SCRIPTS, with_ids

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


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ('<a href="https://example.edu/page">here</a>', "<a>here</a> (https://example.edu/page)"),
        (
            '<p><a href="//evil.example">a</a><a href="mailto:x@y.zz">b</a></p>',
            "<p><a>a</a><a>b</a> (mailto:x@y.zz)</p>",
        ),
        ('<a href="#here">here</a>', '<a href="#here">here</a>'),
        (
            '<a href="http://x"><b>one</b><a href="http://y">two</a>',
            "<a><b>one</b></a> (http://x)<a>two</a> (http://y)",
        ),
    ],
)
def test_where_grades_are_given_a_link_is_text(html: str, shown: str) -> None:
    assert clean(html, links=False) == shown


def page_of_formgrader(exporter: type[HTMLExporter], notebook: nbformat.NotebookNode) -> str:
    config = Config()
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    facts = {"base_url": "/services/c", "index": 0, "total": 1, "notebook_path": "x.ipynb"}
    facts |= {"last_name": SCRIPT, "first_name": "x"}
    return in_frames(str(exporter(config=config).from_notebook_node(notebook, facts)[0]))


def in_frames(page: str) -> str:
    """A page with what stands in its frames in their place: what a browser makes of it."""
    soup = BeautifulSoup(page, "html.parser")
    for frame in soup.find_all("iframe", srcdoc=True):
        frame.replace_with(BeautifulSoup(str(frame["srcdoc"]), "html.parser"))
    return str(soup)


def test_a_page_of_formgrader_holds_no_script_of_the_notebooks() -> None:
    """By formgrader's own template. nbgrader's exporter lets it through, so that this test can fail."""
    cells = [nbformat.v4.new_markdown_cell(f"My answer {SCRIPT}"), nbformat.v4.new_code_cell("show()")]
    outputs = ({"text/html": f"<p>table</p>{SCRIPT}"}, {"application/javascript": "owned()"})
    cells[1].outputs = [nbformat.v4.new_output("display_data", data) for data in outputs]
    notebook = nbformat.v4.new_notebook(cells=cells)
    pages = [page_of_formgrader(exporter, notebook) for exporter in (HTMLExporter, FormgraderExporter)]
    scripts = [
        sum("owned()" in str(script.string) for script in BeautifulSoup(page, "html.parser").find_all("script"))
        for page in pages
    ]
    assert scripts == [4, 0]
    assert "<p>table</p>" in pages[1]
    assert "My answer" in pages[1]


# ---- formulas --------------------------------------------------------------------------------------------------------

TEXT = r"Inline $q_k \cdot 2^b$, and a block:" + "\n\n" + r"$$y = \underbrace{\sum_k q_k}_{\text{row sum}}\Big[1\Big]$$"


@pytest.mark.parametrize("exporter", [FormgraderExporter, PageExporter])
def test_formulas_are_pictures_in_the_page_and_nothing_comes_from_elsewhere(exporter: type[HTMLExporter]) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(TEXT)])
    page = page_of_formgrader(exporter, notebook)
    drawn = [image for image in BeautifulSoup(page, "html.parser").find_all("img") if image.get("alt")]
    assert [image["alt"][:9] for image in drawn] == [r"q_k \cdot", r"y = \unde"]
    assert all(image["src"].startswith("data:image/svg+xml;base64,") for image in drawn)
    assert all(f".{image['class'][0]}{{vertical-align:" in page for image in drawn)
    scripts = [script["src"] for script in BeautifulSoup(page, "html.parser").find_all("script") if script.get("src")]
    assert scripts
    assert all(url.startswith("/services/c/") for url in scripts)
    assert "cdnjs" not in page


@pytest.mark.parametrize(
    "tex", ["", r"\nosuchthing{x}", "}{", "x" * 501, "{" * 13 + "x" + "}" * 13, r"\left(" * 60 + "x", r"\hspace{1e9}x"]
)
def test_what_cannot_be_drawn_or_would_take_long_stays_as_it_was_written(tex: str) -> None:
    assert picture(tex) is None
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(f"so ${tex}$ it is")])
    assert "it is" in page_of_formgrader(FormgraderExporter, notebook)


def test_a_page_full_of_formulas_has_some_drawn_and_is_soon_there() -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("$x$ " * 300) for _ in range(4)])
    page = page_of_formgrader(FormgraderExporter, notebook)
    assert page.count('alt="x"') == 500
    assert page.count("$x$") == 700


def test_formulas_of_a_page_cost_no_more_than_its_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds that each take long to draw: as many are as there is time for, and the others stay TeX."""
    clock = iter(range(10_000))
    monkeypatch.setattr(formulas, "picture", lambda _: Drawing("data:image/svg+xml;base64,", 0))
    monkeypatch.setattr(formulas.time, "thread_time", lambda: next(clock) / 4)  # each takes a quarter of a second
    text = " ".join(f"$x_{{{n}}}$" for n in range(300))
    page = page_of_formgrader(FormgraderExporter, nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)]))
    drawn = int(formulas.MOST_S * 4)
    assert page.count('alt="x_') == drawn
    assert page.count("$x_") == 300 - drawn


# ---- what would stop a page, or hold it up --------------------------------------------------------------------------


def feedback_page(notebook: nbformat.NotebookNode) -> str:
    config = Config()
    config.HTMLExporter.template_name = "feedback"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    config.HTMLExporter.extra_template_paths = [f"{handlers.static_path}/node_modules/bootstrap/dist/css"]
    facts = {"nbgrader": {"notebook": "n", "score": 1, "max_score": 2, "late_penalty": 0}}
    return str(PageExporter(config=config).from_notebook_node(notebook, facts)[0])


def test_a_feedback_page_has_its_policy_before_all_else_and_no_script() -> None:
    answer = nbformat.v4.new_markdown_cell(f"{SCRIPT}<img src=x onerror='owned()'>\n\nand $x^2$")
    shown = nbformat.v4.new_code_cell("")
    shown.outputs = [
        {"output_type": "display_data", "data": {"image/png": "AAAA"}, "metadata": {"width": "1 onerror=owned()"}},
        nbformat.v4.new_output("display_data", {"text/html": f"<b>bold</b>{SCRIPT}"}),
    ]
    page = BeautifulSoup(feedback_page(nbformat.v4.new_notebook(cells=[answer, shown])), "html.parser")
    first = page.head.find(True)
    assert (first["http-equiv"], first["content"]) == ("Content-Security-Policy", NOTHING_RUNS)
    assert not page.find_all(["script", "iframe", "object", "embed", "form"])
    assert not [tag for tag in page.find_all(True) if any(name.startswith("on") for name in tag.attrs)]
    assert page.find("img", alt="x^2")
    assert page.find("b", string="bold")


STOPPING = {
    "a picture that is not attached": nbformat.v4.new_markdown_cell("![plot](attachment:missing.png)"),
    "a widget without a model": nbformat.v4.new_code_cell(
        "", outputs=[nbformat.v4.new_output("display_data", {"application/vnd.jupyter.widget-view+json": {}})]
    ),
    "metadata of other types": nbformat.v4.new_code_cell(
        "", outputs=[nbformat.v4.new_output("display_data", {"image/png": "AAAA"}, metadata={"filenames": 1})]
    ),
    "quotes in quotes": nbformat.v4.new_markdown_cell(">" * 10_000),
    "lists in lists": nbformat.v4.new_markdown_cell("\n".join(f"{' ' * (2 * n)}- a" for n in range(100))),
    "a million brackets": nbformat.v4.new_markdown_cell("[" * 1_000_000),
    "elements without end": nbformat.v4.new_code_cell(
        "", outputs=[nbformat.v4.new_output("display_data", {"text/html": "<b>" * 300_000})]
    ),
    "styles without end": nbformat.v4.new_code_cell(
        "", outputs=[nbformat.v4.new_output("display_data", {"text/html": "<style>" * 20_000})]
    ),
}


@pytest.mark.parametrize("name", STOPPING)
@pytest.mark.parametrize("make", [feedback_page, lambda notebook: page_of_formgrader(FormgraderExporter, notebook)])
def test_what_a_student_writes_keeps_nobody_from_the_page(make: Callable[[Any], str], name: str) -> None:
    began = time.process_time()
    page = make(nbformat.v4.new_notebook(cells=[STOPPING[name], nbformat.v4.new_markdown_cell("the end")]))
    assert "the end" in page
    assert time.process_time() - began < 30  # minutes, where it takes time with the square of its length


def test_long_texts_stand_there_as_they_were_written() -> None:
    assert LONGEST_TEXT < MOST
    long = "<b>x</b> " * (LONGEST_TEXT // 8)
    page = feedback_page(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(long)]))
    assert "&lt;b&gt;x&lt;/b&gt;" in page


def test_a_picture_that_is_attached_is_shown() -> None:
    cell = nbformat.v4.new_markdown_cell("![plot](attachment:plot.png)")
    png = base64.b64encode(b"\x89PNG\r\n\x1a\npixels").decode()
    cell["attachments"] = {"plot.png": {"image/png": png, "image/svg+xml": SCRIPT}}
    page = feedback_page(nbformat.v4.new_notebook(cells=[cell]))
    assert f'src="data:image/png;base64,{png}"' in page


def test_the_style_sheet_of_a_table_is_not_shown_as_text() -> None:
    assert clean("<div><STYLE scoped>.a { b: c }</style><table></table></div>") == "<div><table></table></div>"
    assert "<script" not in clean("<scr<style></style>ipt>owned()</scr<style></style>ipt>")


def test_a_template_gets_nonces_and_no_script_in_attributes() -> None:
    source = guarded('<head><script src="a.js"></script><script>b()</script></head><i onClick="open_it(true);">i</i>')
    assert source.count('<script nonce="{{ csp_nonce() }}"') == source.count("<script") == 2
    assert source.startswith("<head>{{ csp_meta() }}")
    assert 'data-call="open_it" data-with="true"' in source
    assert "onclick" not in source.lower()


def test_every_script_and_handler_of_nbgraders_templates_is_found() -> None:
    """A version of nbgrader that writes them otherwise would have pages that do not work; this test says so first."""
    for path in Path(handlers.template_path).rglob("*.*"):
        source = guarded(path.read_text(encoding="utf-8"))
        assert source.count("<script") == source.count('<script nonce="{{ csp_nonce() }}"'), path
        assert not re.search(r"""\son[a-z]+\s*=\s*["']""", source), path


def test_every_template_comes_with_the_package() -> None:
    """An installation in place has them anyway; an image has what the package's data name."""
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["tito"]
    templates = [path for path in (PROJECT / "tito").rglob("templates/**/*") if path.is_file()]
    assert len(templates) > 15
    assert not [path for path in templates if not any(path.match(pattern) for pattern in patterns)]


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_student_without_a_name_is_called_by_their_id(script: str) -> None:
    text = with_ids(script)
    assert '_name = "None"' not in text
    naming = f"var name = {EITHER};"
    assert text.count(naming) == 1
    node, _ = compute_driver_executable()  # which playwright brings, whatever the machine has
    run = """
    const named = new Function("last_name", "first_name", NAMING + "return name;");
    const of = facts => ({model: {get: key => facts[key]}});
    console.log(JSON.stringify([
        named.call(of({student: "ada", id: "7f"}), null, null), named.call(of({id: "bob"}), null, null),
        named.call(of({id: "cy"}), "Lovelace", "Ada"), named.call(of({id: "di"}), "Lovelace", null),
    ]));
    """.replace("NAMING", json.dumps(naming))
    done = subprocess.run([node, "-e", run], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["ada", "bob", "Lovelace, Ada", "Lovelace"]
