"""The server's side of the Assignment List, as an extension in the place of nbgrader's: what went wrong is told in the
exchange's own words. nbgrader answers a refused submission with a traceback, a failed list with advice about a folder
that nobody here has, and a failed fetch as if it had been done.

    submit      the page shows `value` of an answer that is no success in a dialog
    fetch       and here in the place of the lists, as it does with lists that could not be had

One's own deadline stands behind the name of an assignment: the page shows no other text there, and sends it back with
the name. A first click on Submit after it is answered by what a late submission means; a second one hands in.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from textwrap import fill
from typing import Any

from jupyter_server.utils import url_path_join
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeError, ExchangeFactory
from nbgrader.server_extensions.assignment_list import handlers

from tito.exchange.client.plugin.base import ServiceExchange
from tito.exchange.client.plugin.submissions import Submit

Answer = dict[str, Any]
MANAGER = "assignment_list_manager"
ACTIONS = r"/assignments/(?P<action>fetch|submit|fetch_feedback)"
BROKEN = "This is a fault of the server, and not of your work: {}. Try again; if it stays so, tell the instructor."

BEHIND = " — "  # between the name of an assignment, which has no space in it, and its deadline
AGAIN = "Nothing was handed in yet. Press Submit once more to hand it in all the same."
WARNED_S = 600  # for so long a second click is one that knows

WIDTH = 80  # of lines in the dialog, which breaks none
GO_ON = "\nThe button beside the course brings the list back."


class AssignmentList(handlers.AssignmentList):  # type: ignore[misc]
    """nbgrader's, whose failures are sentences."""

    def __init__(self, *args: Any, **traits: Any) -> None:
        super().__init__(*args, **traits)
        self._warned: dict[tuple[str, str], float] = {}  # when, of what late submission

    def list_released_assignments(self, course_id: str | None = None) -> Answer:
        return self._listed(super().list_released_assignments, course_id)

    def list_submitted_assignments(self, course_id: str | None = None) -> Answer:
        return self._listed(super().list_submitted_assignments, course_id)

    def fetch_assignment(self, course_id: str, assignment_id: str) -> Answer:
        return self._done("FetchAssignment", course_id, assignment_id)

    def fetch_feedback(self, course_id: str, assignment_id: str) -> Answer:
        return self._done("FetchFeedback", course_id, assignment_id)

    def submit_assignment(self, course_id: str, assignment_id: str) -> Answer:
        return self._done("Submit", course_id, assignment_id)

    def list_assignments(self, course_id: str | None = None) -> Answer:
        """As the page shows them, with deadlines behind their names."""
        answer: Answer = super().list_assignments(course_id=course_id)
        if answer["success"]:
            for each in answer["value"]:
                if each.get("deadline"):
                    each["assignment_id"] += f"{BEHIND}{each['deadline']}"
        return answer

    def _unheeded(self, action: Any, course_id: str, assignment_id: str) -> str:
        """What a student is to know before they hand in, unless they have just been told."""
        if not isinstance(action, Submit):
            return ""
        warning = action.warning()
        warned_at = self._warned.pop((course_id, assignment_id), None)
        if not warning or (warned_at is not None and time.monotonic() < warned_at + WARNED_S):
            return ""
        self._warned[course_id, assignment_id] = time.monotonic()
        return f"{warning} {AGAIN}"

    def _listed(self, ask: Callable[..., Answer], course_id: str | None) -> Answer:
        """nbgrader has caught the error by then, so what was said last is told; one request is served after another."""
        ServiceExchange.said_last = ""
        answer = ask(course_id=course_id)
        if not answer["success"]:
            lines = str(answer["value"]).strip().splitlines()
            answer["value"] = ServiceExchange.said_last or BROKEN.format(lines[-1].strip() if lines else "no answer")
        return answer

    def _done(self, what: str, course_id: str, assignment_id: str) -> Answer:
        """As nbgrader does each of them, but for what is told."""
        try:
            with self._exchange_class(what, course_id, assignment_id) as action:
                if warning := self._unheeded(action, course_id, assignment_id):
                    return {"success": False, "value": warning}
                action.start()
        except ExchangeError as error:
            self.log.error("%s of %s in %s failed: %s", what, assignment_id, course_id, error)
            return {"success": False, "value": str(error)}
        except Exception as error:  # the edge of a request: whatever it is, the page must say that it was not done
            self.log.exception("%s of %s in %s failed", what, assignment_id, course_id)
            return {"success": False, "value": BROKEN.format(type(error).__name__)}
        return {"success": True}

    @contextmanager
    def _exchange_class(self, what: str, course_id: str, assignment_id: str) -> Iterator[Any]:
        """One of nbgrader's exchange classes, in the folder of assignments."""
        with self.get_assignment_dir_config():
            config = self.load_config()
            config.CourseDirectory.course_id = course_id
            config.CourseDirectory.assignment_id = assignment_id
            folders, people = CourseDirectory(config=config), Authenticator(config=config)
            kind = getattr(ExchangeFactory(config=config), what)
            yield kind(coursedir=folders, authenticator=people, config=config)


class Action(handlers.AssignmentActionHandler):  # type: ignore[misc]
    """What is done by a click; the lists as they are then, or why it was not done."""

    @handlers.web.authenticated  # type: ignore[untyped-decorator]
    def post(self, action: str) -> None:
        asked = {name: self.get_argument(name, "") for name in ("course_id", "assignment_id")}
        if not all(asked.values()):
            asked = self.get_json_body()
        course, assignment = str(asked["course_id"]), str(asked["assignment_id"]).partition(BEHIND)[0]
        do = {
            "fetch": self.manager.fetch_assignment,
            "submit": self.manager.submit_assignment,
            "fetch_feedback": self.manager.fetch_feedback,
        }[action]
        answer = do(course, assignment)
        if answer["success"]:
            answer = self.manager.list_assignments(course_id=course)
        elif action == "submit":
            answer["value"] = fill(answer["value"], WIDTH)
        else:
            answer["value"] += GO_ON
        self.finish(json.dumps(answer))


def _load_jupyter_server_extension(app: Any) -> None:
    """nbgrader's extension, with ours before it."""
    prefix = app.web_app.settings["base_url"]
    app.web_app.add_handlers(".*$", [(url_path_join(prefix, ACTIONS), Action)])
    handlers.load_jupyter_server_extension(app)
    manager = AssignmentList(parent=app)
    manager.root_dir = app.root_dir
    app.web_app.settings[MANAGER] = manager


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "tito.exchange.client.assignment_list"}]
