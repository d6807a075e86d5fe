"""A student whom an instructor adds in formgrader gets the hub's group of the course, and with it its assignments.

nbgrader's plug-in for JupyterHub does that, and its formgrader does not ask it: it opens the gradebook without one.
"""

from __future__ import annotations

from typing import Any

from nbgrader.api import Gradebook
from nbgrader.auth import Authenticator
from nbgrader.server_extensions.formgrader.base import BaseHandler

KEPT = "nbgrader_gradebook"


def tell_the_hub() -> None:
    """Have formgrader's pages open the gradebook with nbgrader's plug-in."""

    def gradebook(handler: Any) -> Any:
        if handler.settings[KEPT] is None:
            course, plug_in = handler.coursedir.course_id, Authenticator(parent=handler.coursedir.parent)
            handler.settings[KEPT] = Gradebook(handler.db_url, course, authenticator=plug_in)
        return handler.settings[KEPT]

    BaseHandler.gradebook = property(gradebook)
