"""Formgrader's pages as they must be in a service of the hub: nbgrader's own, and what differs, as a server extension.

links           to files go to pages of ours that show them, not to the site's /tree and /notebooks, where nothing is
scripts         an assignment that is written as source/NN_name.py is listed, and its name leads to the script
Generate        runs `tito release --no-exchange`: the gates, and then nbgrader's own GenerateAssignment
Add new         makes a name and a folder, as nbgrader does, and its form says where notebooks and modules are made
Autograde all   runs `tito autograde`; nbgrader's page sends people to a terminal, and there is none here
formulas        are drawn here; nbgrader's page gets MathJax from elsewhere, and its scripts stop where it cannot
students' text  is sanitised before an instructor's browser shows it, and stands in sandboxed frames (`frames.py`)
policy          no script runs but those of nbgrader's templates, which get a nonce; nothing is framed elsewhere
routes          the server answers at formgrader's own addresses alone (`allowed_routes.py`)
?path=          is not taken: it would run an nbgrader_config.py from any folder, a student's submission too
"""

from __future__ import annotations

import json
import os
import re
import secrets
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, PrefixLoader
from jupyter_server.utils import url_path_join
from nbgrader.apps.api import NbGraderAPI
from nbgrader.server_extensions.formgrader import apihandlers, base, handlers
from nbgrader.server_extensions.formgrader.formgrader import FormgradeExtension
from tornado import web

from tito.bridge.guard import require_configured
from tito.bridge.pages import GuardedLoader
from tito.bridge.release_button import MAKE_RELEASE, make_pages, run
from tito.course.course import Assignment, Course, find_course
from tito.course.script import build
from tito.errors import TitoError, UnknownAssignment
from tito.hub.formgrader.allowed_routes import allow_only
from tito.hub.formgrader.files import Files
from tito.hub.formgrader.frames import FormgraderExporter, student_style
from tito.hub.formgrader.own_templates import NBGRADERS, render
from tito.hub.formgrader.student_names import SCRIPTS, with_ids

UTILS = Path(handlers.static_path) / "js" / "utils.js"
# What every page of formgrader's may do. Not 'self' for scripts: students' servers are on the same origin.
POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


class Formgrader(FormgradeExtension):  # type: ignore[misc]  # nbgrader: no types, here and below
    """nbgrader's formgrader, with our pages before its own."""

    debug = False  # nbgrader's default shows the whole configuration on a page, the database's password too

    def init_tornado_settings(self, webapp: Any) -> None:
        require_configured(self)
        super().init_tornado_settings(webapp)
        environment = webapp.settings["nbgrader_jinja2_env"]
        environment.loader = GuardedLoader(_ours_before(environment.loader))
        environment.autoescape = True  # names in addresses would be read as HTML
        webapp.settings["nbgrader_exporter"] = FormgraderExporter(config=self.config)
        base.NbGraderAPI = CourseAPI  # nbgrader has no setting for it

    def init_handlers(self, webapp: Any) -> None:
        ours = [
            (r"/formgrader/?", Home),
            (r"/formgrader/static/js/utils.js", Utils),
            (rf"/formgrader/static/js/({'|'.join(map(re.escape, SCRIPTS))})", ListScript),
            (r"/formgrader/static/css/student.css", StudentStyle),
            (r"/formgrader/files/(.*)", Files),
            (r"/formgrader/api/assignment/([^/]+)/assign", Generate),
            (r"/formgrader/api/assignment/([^/]+)/autograde", AutogradeAll),
            (r"/formgrader/api/assignment/([^/]+)/generate_feedback", GenerateFeedback),
            (r"/formgrader/api/assignment/([^/]+)/([^/]+)/generate_feedback", GenerateFeedback),
            (r"/formgrader/submissions/([^/]+)/?", Submission),
        ]
        # nbgrader's own handler of files beside a submission would serve any file of the course as a page of this site.
        theirs = [rule for rule in handlers.default_handlers if rule[1] is not handlers.SubmissionFilesHandler]
        static = (r"/formgrader/static/(.*)", web.StaticFileHandler, {"path": handlers.static_path})
        rest = (r"/formgrader/.*", handlers.Template404)
        rules = [*ours, *theirs, *apihandlers.default_handlers, static, rest]
        prefix = webapp.settings["base_url"]
        placed = [(url_path_join(prefix, path), _with_policy(handler), *more) for path, handler, *more in rules]
        webapp.add_handlers(".*$", placed)
        allow_only(webapp)


def _ours_before(theirs: BaseLoader) -> BaseLoader:
    """Templates of ours by nbgrader's names; they extend nbgrader's as nbgrader/<name>."""
    return ChoiceLoader([FileSystemLoader(NBGRADERS), theirs, PrefixLoader({"nbgrader": theirs})])


class WithPolicy:
    """What is added to every handler of formgrader's: a policy, and a nonce for the scripts of its page."""

    @cached_property
    def nonce(self) -> str:
        return secrets.token_urlsafe(16)

    @property
    def content_security_policy(self) -> str:
        return POLICY.format(nonce=self.nonce)

    def render(self, name: str, **values: Any) -> Any:
        guards = {"csp_nonce": lambda: self.nonce, "csp_meta": lambda: ""}
        return super().render(name, **values, **guards)  # type: ignore[misc]


@cache
def _with_policy(handler: Any) -> Any:
    """A handler of nbgrader's or ours with the policy, unless it has one of its own."""
    has_its_own = "content_security_policy" in vars(handler)
    if has_its_own or not issubclass(handler, base.BaseHandler):
        return handler
    return type(handler.__name__, (WithPolicy, handler), {})


class Submission(handlers.SubmissionHandler):  # type: ignore[misc]
    """The page of a submission: nbgrader's, whose exporter gets the nonce of this answer."""

    @property
    def exporter(self) -> FormgraderExporter:
        exporter: FormgraderExporter = super().exporter
        exporter.nonce = self.nonce
        return exporter


class StudentStyle(base.BaseHandler):  # type: ignore[misc]
    """The style of what students made, in its frames."""

    @web.authenticated
    def get(self) -> None:
        self.set_header("Content-Type", "text/css; charset=utf-8")
        self.set_header("Cache-Control", "private, max-age=31536000, immutable")  # its address has a version
        self.write(student_style())


class CourseAPI(NbGraderAPI):  # type: ignore[misc]
    """Knows of assignments that are written as scripts."""

    def get_source_assignments(self) -> set[str]:
        for assignment in self._course.assignments:
            if assignment.script is not None and not self._course.step("source", assignment.id).is_dir():
                build(self._course, assignment)
        return set(super().get_source_assignments())

    def get_assignment(self, assignment_id: str, released: Any = None) -> Any:
        summary = super().get_assignment(assignment_id, released=released)
        assignment = _assignment(self._course, assignment_id)
        if summary is not None and assignment is not None and assignment.script is not None:
            summary["source_path"] = os.path.relpath(assignment.script, self._course.root)
        return summary

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
        self.write(_utils(f"{self.base_url}/formgrader/files/"))


class ListScript(base.BaseHandler):  # type: ignore[misc]
    """nbgrader's script of a list of students, without names that are none."""

    @web.authenticated
    def get(self, script: str) -> None:
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.write(with_ids(script))


@cache
def _utils(files_address: str) -> str:
    """The address is ours to tell: nbgrader's pages have two notions of `base_url`."""
    return f"{UTILS.read_text(encoding='utf-8')}\n{render('utils.js', files_address=files_address)}\n"


class Generate(base.BaseApiHandler):  # type: ignore[misc]
    """Makes what students get, once it has passed the gates."""

    @web.authenticated
    async def post(self, assignment_id: str) -> None:
        assignment = _assignment(find_course(Path(self.coursedir.root)), assignment_id)
        name = assignment_id if assignment is None else assignment.id  # of what is not there, the command says why
        self.write(json.dumps(await run(Path(self.coursedir.root), name, *MAKE_RELEASE)))


class AutogradeAll(base.BaseApiHandler):  # type: ignore[misc]
    """Grades the cohort."""

    @web.authenticated
    async def post(self, assignment_id: str) -> None:
        try:
            assignment = find_course(Path(self.coursedir.root)).assignment(assignment_id)
        except TitoError as error:
            raise web.HTTPError(404, str(error)) from error
        self.write(json.dumps(await run(Path(self.coursedir.root), assignment.id, "autograde")))


class GenerateFeedback(base.BaseApiHandler):  # type: ignore[misc]
    """Makes the feedback pages of a student, or of all."""

    @web.authenticated
    async def post(self, assignment_id: str, student: str = "") -> None:
        try:
            assignment = find_course(Path(self.coursedir.root)).assignment(assignment_id)
        except TitoError as error:
            raise web.HTTPError(404, str(error)) from error
        self.write(json.dumps(await run(Path(self.coursedir.root), assignment.id, *make_pages(student))))


def _load_jupyter_server_extension(server: Any) -> None:
    """What Jupyter Server calls: as nbgrader's own does, with our class."""
    formgrader = Formgrader(parent=server)
    formgrader.root_dir = server.root_dir
    formgrader.log = server.log
    formgrader.initialize([])
    formgrader.init_tornado_settings(server.web_app)
    formgrader.init_handlers(server.web_app)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "tito.hub.formgrader.pages"}]
