"""Formgrader's buttons that run a command of ours on an assignment, whoever's formgrader it is.

`run` serves the hub's formgrader; `install` puts *Generate* and *Generate Feedback* of nbgrader's own, in a person's
server, onto it. What students get passes the gates of `tito release`, as on the command line, and the log is what that
says.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_at_work: set[tuple[Path, str]] = set()
MAKE_RELEASE = ("release", "--no-exchange")


def make_pages(student: str = "") -> tuple[str, ...]:
    """The command that makes feedback pages, of a student or of all."""
    return ("feedback", f"--student={student}") if student else ("feedback",)


async def run(root: Path, assignment: str, *command: str) -> dict[str, Any]:
    """Run a command on an assignment of the course in `root`, one at a time, while the server goes on serving.

    It has no token of the hub: what it starts runs student code.

    Returns: what nbgrader's actions answer: whether it went well, and the log.
    """
    if (root, assignment) in _at_work:
        return {"success": False, "log": f"{assignment} is being worked on already. Try again when it is done."}
    _at_work.add((root, assignment))
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-c", "from tito.cli import main; main()", *command, "--", assignment,
            cwd=root,
            env={name: value for name, value in os.environ.items() if not name.startswith("JUPYTERHUB_")},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        output, _ = await process.communicate()
    finally:
        _at_work.discard((root, assignment))
    return {"success": process.returncode == 0, "log": output.decode(errors="replace")}


def unchanged_handlers(handler: str, method: str) -> Any:
    """Formgrader's handlers, where this process serves it and a method of one is nbgrader's own still; else None."""
    handlers = sys.modules.get("nbgrader.server_extensions.formgrader.apihandlers")
    if handlers is None or hasattr(getattr(getattr(handlers, handler), method), "of_nbgrader"):
        return None
    return handlers


def install(course_folder: Callable[[Path], Path | None]) -> None:
    """Have *Generate* make our release, and *Generate Feedback* our pages, in courses of ours, in this process, where
    it serves formgrader.

    Args:
        course_folder: tells the course of ours that nbgrader works on in a folder, if it does.
    """
    handlers = unchanged_handlers("AssignHandler", "post")
    if handlers is None:
        return
    from nbgrader.server_extensions.formgrader.base import check_notebook_dir, check_xsrf
    from tornado import web

    def replaced(of_nbgrader: Callable[..., None], command: Callable[..., tuple[str, ...]]) -> Any:
        async def post(self: Any, assignment_id: str, *names: str) -> None:
            root = course_folder(Path(self.coursedir.root).resolve())
            if root is None:
                of_nbgrader(self, assignment_id, *names)
            else:
                self.write(json.dumps(await run(root, assignment_id, *command(*names))))

        guarded = web.authenticated(check_xsrf(check_notebook_dir(post)))
        guarded.of_nbgrader = of_nbgrader  # type: ignore[attr-defined]  # a mark, by which it is not done twice
        return guarded

    for handler, command in (
        (handlers.AssignHandler, lambda: MAKE_RELEASE),
        (handlers.GenerateAllFeedbackHandler, make_pages),
        (handlers.GenerateFeedbackHandler, make_pages),
    ):
        handler.post = replaced(handler.post, command)
