"""What a person sees in JupyterLab, by role: a folder of Jupyter's configuration, written when their server starts.

    student      Assignment List, Validate Assignment
    ta           the same
    instructor   the same, and Create Assignment
    formgrader   the service itself: formgrader's pages and nothing else, no JupyterLab

Whoever may enter a formgrader has a menu Grading that opens it in a tab of its own: inside JupyterLab it would be a
frame, and the hub forbids to frame its pages. For the same reason nbgrader's Course List is off. This is what is shown,
and no fence: what somebody may do is decided by the hub and the exchange.

Imports nothing but the standard library: the images of servers hold this file, and not the rest of the hub.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

LAB = "@jupyter/nbgrader:"
LAB_PLUGINS = ("assignment-list", "course-list", "create-assignment", "formgrader", "validate-assignment")
SERVER = "nbgrader.server_extensions."
SERVER_EXTENSIONS = ("assignment_list", "course_list", "formgrader", "validate_assignment")
SHOWN: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {  # role: plugins of JupyterLab, extensions of its server
    "student": (
        frozenset({"assignment-list", "validate-assignment"}),
        frozenset({"assignment_list", "validate_assignment"}),
    ),
    "ta": (
        frozenset({"assignment-list", "validate-assignment"}),
        frozenset({"assignment_list", "validate_assignment"}),
    ),
    "instructor": (
        frozenset({"assignment-list", "validate-assignment", "create-assignment"}),
        frozenset({"assignment_list", "validate_assignment"}),
    ),
    "formgrader": (frozenset(), frozenset()),
}
LISTS = (
    "tito.exchange.client.assignment_list"  # nbgrader's, which tells what went wrong; in the place of its own extension
)
PAGES = "tito.hub.formgrader.pages"  # nbgrader's formgrader with pages of ours, in the place of its own extension
NO_USE = ("jupyterlab", "jupyter_lsp", "jupyter_server_terminals", "notebook", "notebook_shim", "nbclassic")
NOTIFICATION = "@jupyterlab/apputils-extension:notification"  # asks everybody about Jupyter's news, over their work
STUDENT_NBGRADER = """\
from tito.exchange.client.plugin import use_service

c = get_config()
use_service(c)
c.ServiceExchange.path_includes_course = True
c.ServiceExchange.show_receipts = True
c.Execute.timeout = 60  # for a cell, when validating; nbgrader's 30 s are short where many share a machine
"""
FORMGRADER_NBGRADER = """\
c = get_config()
c.Authenticator.plugin_class = "nbgrader.auth.JupyterHubAuthPlugin"
"""


def write(folder: Path, role: str, formgraders: Mapping[str, str] | None = None) -> None:
    """Write the configuration of a role into `folder`, for JUPYTER_CONFIG_PATH. `formgraders`: addresses by title."""
    plugins, extensions = SHOWN.get(role, SHOWN["student"])
    off = {f"{LAB}{name}": name not in plugins for name in LAB_PLUGINS}
    _write_json(folder / "labconfig" / "page_config.json", {"disabledExtensions": off, "lockedExtensions": off})
    on = {f"{SERVER}{name}": name in extensions and name != "assignment_list" for name in SERVER_EXTENSIONS}
    on[LISTS] = "assignment_list" in extensions
    if role == "formgrader":
        on |= {PAGES: True} | dict.fromkeys(NO_USE, False)
    _write_json(folder / "jupyter_server_config.json", {"ServerApp": {"jpserver_extensions": on}})
    overrides: dict[str, object] = {NOTIFICATION: {"fetchNews": "false", "checkForUpdates": False}}
    if formgraders:
        overrides["@jupyterlab/mainmenu-extension:plugin"] = {"menus": [_menu(formgraders)]}
    _write_json(folder / "labconfig" / "default_setting_overrides.json", overrides)
    text = FORMGRADER_NBGRADER if role == "formgrader" else STUDENT_NBGRADER
    (folder / "nbgrader_config.py").write_text(text, encoding="utf-8")


def _menu(formgraders: Mapping[str, str]) -> dict[str, object]:
    items = [
        {"command": "help:open", "args": {"url": url, "text": f"Formgrader: {title}", "newBrowserTab": True}}
        for title, url in formgraders.items()
    ]
    return {"id": "jp-mainmenu-grading", "label": "Grading", "rank": 900, "items": items}


def _write_json(path: Path, data: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
