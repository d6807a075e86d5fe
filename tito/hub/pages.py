"""Formgrader's pages as they must be in a service of the hub: nbgrader's own, and what differs, as a server extension.

links           to files go to this service's JupyterLab, not to the site's /tree and /notebooks, where nothing is
scripts         an assignment that is written as source/NN_name.py is listed, and its name leads to the script
Generate        runs `tito release --no-exchange`: the gates, and then nbgrader's own GenerateAssignment
Autograde all   runs `tito autograde`; nbgrader's page sends people to a terminal, and there is none here
formulas        are drawn here; nbgrader's page gets MathJax from elsewhere, and its scripts stop where it cannot
students' text  is sanitised before an instructor's browser shows it: a script in an answer could change grades
?path=          is not taken: it would run an nbgrader_config.py from any folder, a student's submission too
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import bleach  # type: ignore[import-untyped]
from jinja2 import BaseLoader, ChoiceLoader, DictLoader, PrefixLoader
from jupyter_server.utils import url_path_join
from nbconvert.filters import strip_files_prefix
from nbgrader.apps.api import NbGraderAPI
from nbgrader.server_extensions.formgrader import base, handlers
from nbgrader.server_extensions.formgrader.formgrader import FormgradeExtension
from tornado import web

from tito.author.script import build
from tito.bridge.guard import require_configured
from tito.course import Assignment, Course, find_course
from tito.errors import TitoError, UnknownAssignment
from tito.grade.formulas import FormulaExporter

UTILS = Path(handlers.static_path) / "js" / "utils.js"
MENDED = """
// In a service of a hub, files are opened in the service's own JupyterLab, in a tab of their own.
linkTo = function (type, path) {
    var parts = path.split("/").filter(function (part) { return part && part !== "."; });
    var url = %s + parts.map(encodeURIComponent).join("/");
    return function (_, el) {
        return $(el).attr("href", url).attr("target", "_blank")[0];
    };
};
"""
AUTOGRADE_ALL = """
{%- extends "nbgrader/manage_submissions.tpl" -%}

{%- block messages -%}
<p>
  <button type="button" class="btn btn-primary" id="autograde-all">Autograde all</button>
  grades what has not been graded yet with the same tests; the icons below grade one student again.
</p>
{%- endblock -%}

{%- block script -%}
<script>
$("#autograde-all").click(function () {
    var button = $(this).prop("disabled", true).text("Autograding...");
    var done = function (id, title, message, log) {
        button.prop("disabled", false).text("Autograde all");
        createLogModal(id, title, message, log).on("hidden.bs.modal", function () { location.reload(); });
    };
    $.post(base_url + "/formgrader/api/assignment/" + encodeURIComponent(assignment_id) + "/autograde")
        .done(function (answer) {
            answer = JSON.parse(answer);
            if (answer.success) {
                done("success-modal", "Success", "Autograded '" + assignment_id + "'.", answer.log);
            } else {
                done("error-modal", "Error", "Not all of '" + assignment_id + "' was graded.", answer.log);
            }
        })
        .fail(function () {
            done("error-modal", "Error", "'" + assignment_id + "' was not graded: the service did not answer.");
        });
});
</script>
{%- endblock -%}
"""
NO_NOTEBOOK = """
{%- extends "base.tpl" -%}

{%- block title -%}
Nothing to show
{%- endblock -%}

{%- block body -%}
<p>The autograded notebook is not there: <code>{{ resources.filename }}</code>. Autograde the submission again.</p>
{%- endblock -%}
"""
TAGS = frozenset((
    "a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5",
    "h6", "hr", "i", "img", "kbd", "li", "ol", "p", "pre", "s", "small", "span", "strong", "sub", "sup", "table",
    "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
))  # fmt: skip
CLASSES = re.compile(
    r"highlight|dataframe|[a-z]{1,2}[a-z0-9]?|f\d\d"
)  # of code, tables and formulas; scripts look for others
PROTOCOLS = {"http", "https", "mailto", "data"}
TEMPLATES = {"manage_submissions.tpl": AUTOGRADE_ALL, "formgrade_404.tpl": NO_NOTEBOOK}


class Formgrader(FormgradeExtension):  # type: ignore[misc]
    """nbgrader's formgrader, with our pages before its own."""

    debug = False  # nbgrader's default shows the whole configuration on a page, the database's password too

    def init_tornado_settings(self, webapp: Any) -> None:
        require_configured(self)
        super().init_tornado_settings(webapp)
        environment = webapp.settings["nbgrader_jinja2_env"]
        environment.loader = _ours_before(environment.loader)
        webapp.settings["nbgrader_exporter"] = SafeExporter(config=self.config)
        base.NbGraderAPI = CourseAPI  # nbgrader has no setting for it

    def init_handlers(self, webapp: Any) -> None:
        ours = [
            (r"/formgrader/?", Home),
            (r"/formgrader/static/js/utils.js", Utils),
            (r"/formgrader/api/assignment/([^/]+)/assign", Generate),
            (r"/formgrader/api/assignment/([^/]+)/autograde", AutogradeAll),
        ]
        prefix = webapp.settings["base_url"]
        webapp.add_handlers(".*$", [(url_path_join(prefix, path), handler) for path, handler in ours])
        super().init_handlers(webapp)


def _ours_before(theirs: BaseLoader) -> BaseLoader:
    """Templates of ours by nbgrader's names; they extend nbgrader's as nbgrader/<name>."""
    return ChoiceLoader([DictLoader(TEMPLATES), theirs, PrefixLoader({"nbgrader": theirs})])


class SafeExporter(FormulaExporter):
    """Renders a student's notebook without anything in it that a browser would run.

    nbconvert's own switch does so for outputs only, as nbgrader's template renders text cells itself; and it takes away
    paragraphs and headings.
    """

    sanitize_html = True

    def default_filters(self) -> Iterator[tuple[str, Callable[[str], str]]]:
        yield from super().default_filters()
        yield "clean_html", clean
        yield "strip_files_prefix", lambda html: clean(strip_files_prefix(html))


def clean(html: str) -> str:
    """Text, tables and pictures; no scripts, frames or forms, nothing that acts, and no id that a script looks for."""
    return str(bleach.clean(html, tags=TAGS, attributes=_allowed, protocols=PROTOCOLS, strip_comments=True))


def _allowed(tag: str, name: str, value: str) -> bool:
    """Pictures come with the page: an address could be one of the hub's that does something, such as logging out."""
    if name == "class":
        return CLASSES.fullmatch(value) is not None
    if name == "src":
        return tag == "img" and value.startswith("data:image/")
    if name == "href":
        return tag == "a" and value.startswith(("http://", "https://", "mailto:", "#"))
    return (tag, name) in {("img", "alt"), ("img", "width"), ("img", "height"), ("ol", "start")}


class CourseAPI(NbGraderAPI):  # type: ignore[misc]
    """Knows of assignments that are written as scripts."""

    def get_source_assignments(self) -> set[str]:
        for one in self._course.assignments:
            if one.script is not None and not self._course.step("source", one.id).is_dir():
                build(self._course, one)
        return set(super().get_source_assignments())

    def get_assignment(self, assignment_id: str, released: Any = None) -> Any:
        found = super().get_assignment(assignment_id, released=released)
        script = _assignment(self._course, assignment_id)
        if found is not None and script is not None and script.script is not None:
            found["source_path"] = os.path.relpath(script.script, self._course.root)
        return found

    @property
    def _course(self) -> Course:
        return find_course(Path(self.coursedir.root))


def _assignment(course: Course, name: str) -> Assignment | None:
    try:
        return course.assignment(name)
    except UnknownAssignment:
        return None


class Home(base.BaseHandler):  # type: ignore[misc]
    """The address without a page. nbgrader's takes a folder here whose configuration it runs."""

    @web.authenticated
    def get(self) -> None:
        self.redirect(f"{self.base_url}/formgrader/manage_assignments")


class Utils(base.BaseHandler):  # type: ignore[misc]
    """nbgrader's script of that name, and then ours."""

    @web.authenticated
    def get(self) -> None:
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.write(UTILS.read_text(encoding="utf-8") + MENDED % json.dumps(f"{self.base_url}/lab/tree/"))


class Running(base.BaseApiHandler):  # type: ignore[misc]
    """Runs a command of ours on an assignment, one at a time, while the service goes on serving.

    What grades has no token of the hub.
    """

    running: ClassVar[set[str]] = set()

    async def run(self, assignment: str, *command: str) -> dict[str, Any]:
        """As nbgrader's actions answer: whether it went well, and the log."""
        if assignment in self.running:
            return {"success": False, "log": f"{assignment} is being worked on already. Try again when it is done."}
        self.running.add(assignment)
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-c", "from tito.cli import main; main()", *command, "--", assignment,
                cwd=self.coursedir.root,
                env={name: value for name, value in os.environ.items() if not name.startswith("JUPYTERHUB_")},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
            output, _ = await process.communicate()
        finally:
            self.running.discard(assignment)
        return {"success": process.returncode == 0, "log": output.decode(errors="replace")}


class Generate(Running):
    """Makes what students get. An assignment of notebooks is nbgrader's alone; a script's passes the gates first."""

    @web.authenticated
    async def post(self, assignment_id: str) -> None:
        known = _assignment(find_course(Path(self.coursedir.root)), assignment_id)
        if known is None or known.script is None:
            self.write(json.dumps(self.api.generate_assignment(assignment_id)))
            return
        self.write(json.dumps(await self.run(known.id, "release", "--no-exchange")))


class AutogradeAll(Running):
    """Grades the cohort."""

    @web.authenticated
    async def post(self, assignment_id: str) -> None:
        try:
            known = find_course(Path(self.coursedir.root)).assignment(assignment_id)
        except TitoError as error:
            raise web.HTTPError(404, str(error)) from error
        self.write(json.dumps(await self.run(known.id, "autograde")))


def _load_jupyter_server_extension(server: Any) -> None:
    """What Jupyter Server calls: as nbgrader's own does, with our class."""
    formgrader = Formgrader(parent=server)
    formgrader.root_dir = server.root_dir
    formgrader.log = server.log
    formgrader.initialize([])
    formgrader.init_tornado_settings(server.web_app)
    formgrader.init_handlers(server.web_app)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "tito.hub.pages"}]
