"""A small course of which three students have handed in and been graded: one with honest outputs of every kind,
one who attacks whoever opens a page that is made of the submission, and one of whom no page could be made."""

from __future__ import annotations

import base64
import html
import json
import shutil
from pathlib import Path
from typing import Any

import nbformat
from cases_support import CASES, cell_of, own_cell, plain, solve
from course_hub import PROJECT

from tito.author.release import publish
from tito.course.course import Course, load_course
from tito.grade.cohort import autograde
from tito.gradebook.store import gradebook
from tito.sandbox.backends import backend

ASSIGNMENT, NOTEBOOK, COURSE = "07_sums", "sums", "cases"
HONEST, HOSTILE, BREAKING = "honest", "mallory", "eve"
SECRET = "zebrafish"  # in hidden tests of the course's source
# What a script of a student's would do in formgrader, as the instructor: give points, read hidden tests, write a file.
TAKEOVER = (
    "window.top.owned=1;var/**/H={'X-CSRFToken':getCookie('_xsrf'),'X-XSRFToken':getCookie('_xsrf'),"
    "'Content-Type':'application/json'};"
    "fetch(base_url+'/api/grades?submission_id='+submission_id,{headers:H}).then(r=>r.json())"
    ".then(all=>all.filter(g=>g.max_score).forEach(g=>fetch(base_url+'/api/grade/'+g.id,{method:'PUT',headers:H,"
    "body:JSON.stringify({manual_score:g.max_score,extra_credit:20})})));"
    f"fetch('/services/{COURSE}/api/contents/source/{ASSIGNMENT}.py',{{headers:H}}).then(r=>r.text())"
    f".then(t=>window.top.read=t);"
    f"fetch('/services/{COURSE}/api/contents/owned.txt',{{method:'PUT',headers:H,"
    "body:JSON.stringify({type:'file',format:'text',content:'owned'})})"
)
MARKDOWN_ATTACK = (
    f"My answer. <script>{TAKEOVER}</script>\n\n"
    f'<img src="x" onerror="{TAKEOVER}">\n\n'
    f'<svg onload="{TAKEOVER}"></svg> [click](javascript:{html.escape(TAKEOVER)})'
)
HOSTILE_CELLS = (
    # A picture that is none, with attributes in what is to be its width.
    f"""from IPython.display import HTML, Javascript, display, publish_display_data
attack = {TAKEOVER!r}
for place in ("width", "height", "alt", "filenames"):
    crafted = {{"image/png": {{place: "1 onerror=" + attack}}}}
    publish_display_data({{"image/png": "AAAA", "text/plain": "picture"}}, crafted)
publish_display_data({{"image/png": "AAAA' onerror='" + attack}}, {{"width": "1 onerror=" + attack}})
""",
    """display(HTML("<script>" + attack + "</script>"), HTML('<img src="x" onerror="' + attack + '">'))
display(Javascript(attack))
publish_display_data({"text/html": "<script>" + attack + "</script>"}, {"text/html": {"isolated": True}})
publish_display_data({"image/svg+xml": '<svg xmlns="http://www.w3.org/2000/svg" onload="' + attack + '"></svg>'})
script = "</script><script>" + attack + "</script>"
publish_display_data({"application/vnd.jupyter.widget-view+json": {"model_id": script}})
publish_display_data({"text/latex": "</div><script>" + attack + "</script>"})
publish_display_data({"text/markdown": "<script>" + attack + "</script>"})
""",
    """name = "</pre><script>" + attack + "</script>\\x1b]0;owned\\x07\\x1b[2J"
raise type(name, (Exception,), {})(name)
""",
)
# What stops nbconvert, so that nobody can open the page: a widget without a model, a picture that is not there.
BREAKING_CELLS = (
    """from IPython.display import publish_display_data
publish_display_data({"application/vnd.jupyter.widget-view+json": {}, "text/plain": "widget"})
""",
)
BREAKING_ANSWER = "As my picture shows: ![pasted](attachment:missing.png)"
PIXELS = base64.b64encode(
    base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP8z4APMOGVHbHSAEEsAROxCnMTAAAAAElFTkSuQmCC"
    )
).decode()
HONEST_CELLS = (
    """import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML, SVG, Latex, Markdown, display, publish_display_data

plt.plot(np.linspace(0, 6), np.sin(np.linspace(0, 6)))
plt.title("a sine")
plt.show()
""",
    '''FRAME = """<div>
<style scoped>
    .dataframe tbody tr th { vertical-align: top; }
    .dataframe thead th { text-align: right; }
</style>
<table border="1" class="dataframe">
  <thead><tr style="text-align: right;"><th></th><th>bits</th><th>error</th></tr></thead>
  <tbody><tr><th>0</th><td>8</td><td>0.01</td></tr><tr><th>1</th><td>4</td><td>0.17</td></tr></tbody>
</table>
<p>2 rows \u00d7 2 columns</p>
</div>"""
display(HTML(FRAME), Latex(r"$$\\sum_{k=1}^n k = \\frac{n(n+1)}{2}$$"), Markdown("**bold** and $x^2$"))
display(SVG('<svg xmlns="http://www.w3.org/2000/svg" width="60" height="20"><rect width="60" height="20"/></svg>'))
''',
    f"""publish_display_data({{"image/png": {PIXELS!r}}}, {{"image/png": {{"width": 64, "height": 64}}}})
print("printed", 1.5)
np.arange(6).reshape(2, 3)
""",
    "1 / 0",
)
HONEST_ANSWER = r"""Because a **sum** of floats rounds, $\hat{x} = s \cdot q$, and

$$E = \sum_k \left(x_k - \hat{x}_k\right)^2$$

| bits | error |
|---|---|
| 8 | 0.01 |

1. first
2. second, with `code` and [a link](https://example.edu)
"""


def graded_course(folder: Path) -> Course:
    """The course in `folder`: released, handed in and autograded."""
    shutil.copytree(CASES / "assignment", folder)
    shutil.copy(PROJECT / "nbgrader_config.py", folder)
    course = load_course(folder.resolve())
    assignment = course.assignment(ASSIGNMENT)
    released = plain(nbformat.read(publish(course, assignment) / f"{NOTEBOOK}.ipynb", as_version=4))
    hand_in(course, HONEST, handed_in(released, HONEST_CELLS, HONEST_ANSWER))
    hand_in(course, HOSTILE, handed_in(released, HOSTILE_CELLS, MARKDOWN_ATTACK))
    hand_in(course, BREAKING, handed_in(released, BREAKING_CELLS, BREAKING_ANSWER))
    with gradebook(course) as opened:
        opened.update_or_create_student(HONEST, first_name="Ada", last_name="Lovelace")
        opened.update_or_create_student(HOSTILE, first_name=f"<script>{TAKEOVER}</script>", last_name="Mallory")
    autograde(course, assignment, backend(course.sandbox.backend), workers=1)
    return course


def handed_in(released: dict[str, Any], sources: tuple[str, ...], answer: str) -> dict[str, Any]:
    """The reference's solution with cells of the student's own and a written answer."""
    notebook = solve(released, ASSIGNMENT)
    at = notebook["cells"].index(cell_of(notebook, "setup")) + 1
    notebook["cells"][at:at] = [own_cell(source) for source in sources]
    task = notebook["cells"].index(cell_of(notebook, "task_why"))
    notebook["cells"].insert(task + 1, {"cell_type": "markdown", "source": answer, "metadata": {}})
    return notebook


def hand_in(course: Course, student: str, notebook: dict[str, Any]) -> None:
    folder = course.step("submitted", student, ASSIGNMENT)
    folder.mkdir(parents=True)
    (folder / f"{NOTEBOOK}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
