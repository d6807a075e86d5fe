"""A course's formgrader as a service of the hub: `python -P -m tito.hub.formgrader.service`, run in the course folder.

It is nbgrader's formgrader in a single-user server that the hub lets the course's graders into. Its autograde button is
our engine, whether or not the course has an nbgrader_config.py: student code runs in the engine's sandbox and never in
this service's account, beside the gradebook. That is why it does not start for a course without a sandbox, and why its
server answers at formgrader's own addresses alone: no kernels, no terminals, no files to write. With the exchange it
speaks with its own token.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from tito.course.course import keep_private, load_course
from tito.errors import BadSource, TitoError
from tito.gradebook.store import open_gradebook
from tito.hub.config.course_folder import require_fit
from tito.hub.config.origins import service_origin
from tito.hub.student.server import serve


def arguments(root: Path) -> list[str]:
    """What the single-user server is told."""
    options = [
        f"--ServerApp.root_dir={root}",
        "--ServerApp.terminals_enabled=False",
        "--ServerApp.kernel_manager_class=tito.hub.formgrader.no_kernels.NoKernels",
        "--ServerApp.kernel_spec_manager_class=tito.hub.formgrader.no_kernels.NoKernelSpecs",
    ]
    return [*options, "--allow-root"] if os.geteuid() == 0 else options


def as_service(name: str) -> dict[str, str]:
    """What a hub tells a service that it starts itself; in a container of its own, these are the defaults. There,
    JUPYTERHUB_HOST tells that each service has a name of its own below the hub's."""
    hub = os.environ.get("JUPYTERHUB_HOST", "")
    return {
        "JUPYTERHUB_SERVICE_PREFIX": f"/services/{name}/",
        "JUPYTERHUB_CLIENT_ID": f"service-{name}",
        "JUPYTERHUB_OAUTH_ACCESS_SCOPES": json.dumps(["access:services", f"access:services!service={name}"]),
        "JUPYTERHUB_OAUTH_CALLBACK_URL": f"{service_origin(hub, name)}/services/{name}/oauth_callback",
        "JUPYTERHUB_COOKIE_HOST_PREFIX_ENABLED": str(int(hub.startswith("https:"))),
        "JUPYTERHUB_BASE_URL": "/",
        "JUPYTERHUB_DEFAULT_URL": "/formgrader",
    }


def main() -> None:
    """Entry point of `python -m tito.hub.formgrader.service`. What keeps it from starting is told in one line."""
    root = Path.cwd()
    service = os.environ.get("JUPYTERHUB_SERVICE_NAME", "")
    try:
        if not service:
            raise BadSource("This is started by JupyterHub.", hint="See book/how-to/hub.md.")
        require_fit(root, service)
        keep_private(root)
        with open_gradebook(load_course(root)):
            pass  # a new course has none, and nbgrader would not make its folder
    except TitoError as error:
        sys.exit(f"tito.hub.formgrader.service: {error}")
    for name, value in as_service(service).items():
        os.environ.setdefault(name, value)
    os.environ["JUPYTERHUB_USER"] = service  # nbgrader's plug-in will not ask the hub without one
    from tito.hub.formgrader.enrolment import tell_the_hub

    tell_the_hub()
    serve("formgrader", {}, arguments(root))


if __name__ == "__main__":
    main()
