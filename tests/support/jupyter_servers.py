"""Jupyter servers with extensions of nbgrader's or ours. No fixtures and no tests here."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from ports import free_port

TIMEOUT_S = 300
EXTENSIONS = {
    "a person's own": {},
    "a hub's": {"nbgrader.server_extensions.formgrader": False, "tito.hub.formgrader.pages": True},
}


@contextmanager
def jupyter_server(folder: Path, extensions: dict[str, bool], home: Path) -> Iterator[str]:
    """The address of a Jupyter server that is started in a folder."""
    home.mkdir()
    port = free_port()
    options = [f"--ServerApp.port={port}", "--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True"]
    options += [f"--ServerApp.jpserver_extensions={extensions}"] if extensions else []
    own = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "TITO"))}
    with (
        (home / "log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root", *options],
            cwd=folder,
            env=own | {"HOME": str(home)},
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            until = time.monotonic() + TIMEOUT_S
            while not _answers(f"{url}/api"):
                assert time.monotonic() < until, (home / "log").read_text()
                assert process.poll() is None, (home / "log").read_text()
                time.sleep(0.3)
            yield url
        finally:
            process.terminate()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.TransportError:
        return False
