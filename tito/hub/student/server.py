"""A person's server: `python -P -m tito.hub.student.server`, in the place of `jupyterhub-singleuser`.

Writes the Jupyter configuration of the person's role (`extensions.py`) into a folder of its own, puts it before all
others, and becomes JupyterHub's single-user server. The hub says in the environment:

    TITO_SERVER_ROLE          student, ta or instructor
    TITO_SERVER_FORMGRADERS   JSON, the addresses of the formgraders that the person may enter, by title

The images of servers hold this folder, and not the rest of the hub.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tito.hub.student import extensions

ROLE_VARIABLE = "TITO_SERVER_ROLE"
FORMGRADERS_VARIABLE = "TITO_SERVER_FORMGRADERS"
CONFIG_PATH = "JUPYTER_CONFIG_PATH"


def serve(role: str, formgraders: Mapping[str, str], arguments: list[str]) -> None:
    """Run a single-user server for a role until it is stopped.

    jsonschema, which Jupyter Server imports, checks the format of IRIs where there is a package for it. That builds
    a grammar, which is a third of all that a start costs; without the package, no IRI is checked, and none is there.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory(prefix="tito-server-") as folder:
        extensions.write(Path(folder), role, formgraders)
        os.environ[CONFIG_PATH] = os.pathsep.join(filter(None, (folder, os.environ.get(CONFIG_PATH))))
        from jupyterhub.singleuser import main as singleuser

        sys.argv[1:] = arguments  # JupyterHub's own starter reads them
        singleuser()


def main() -> None:
    """Entry point of `python -m tito.hub.student.server`."""
    formgraders = json.loads(os.environ.get(FORMGRADERS_VARIABLE) or "{}")
    serve(os.environ.get(ROLE_VARIABLE, "student"), formgraders, sys.argv[1:])


if __name__ == "__main__":
    main()
