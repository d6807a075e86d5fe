"""The addresses at which formgrader's server answers. All others give 404, whatever serves them.

Beneath formgrader there is a whole Jupyter server, with the gradebook, the hidden tests and the hub's token of this
service in reach: its contents could be read and written by whoever makes an instructor's browser ask for it, and
formgrader's pages need nothing of it. What is not named here is not served, of what later versions add, too.
"""

from __future__ import annotations

import re
from typing import Any

from tornado import web

ALLOWED = (
    "",  # leads to formgrader
    "api",  # the server's version: whether it is up
    "oauth_callback",  # the hub's log-in
    "formgrader",
    "formgrader/.*",
)


def allow_only(webapp: Any, paths: tuple[str, ...] = ALLOWED) -> None:
    """Have a web application answer at these paths below its own address alone, whatever handlers it has or gets."""
    base = re.escape(webapp.settings["base_url"].rstrip("/"))
    allowed = re.compile(rf"{base}/?|{base}/(?:{'|'.join(paths)})/?")
    find = webapp.find_handler

    def find_allowed(request: Any, **how: Any) -> Any:
        if allowed.fullmatch(request.path):
            return find(request, **how)
        return webapp.get_handler_delegate(request, web.ErrorHandler, {"status_code": 404})

    webapp.find_handler = find_allowed
