"""A PostgreSQL of the tests' own: made in a scratch folder, reached by a socket in it, gone at the end."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from exchange_support import wait_for
from sqlalchemy import create_engine, make_url
from sqlalchemy.exc import OperationalError


def programs() -> Path | None:
    """The folder of its programs; Debian keeps them off the PATH."""
    program = shutil.which("initdb")
    if program:
        return Path(program).parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return folders[-1].parent if folders else None


@dataclass
class Server:
    """One that can be stopped and started again. It refuses to run as root, and is nobody's then."""

    folder: Path
    scratch: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Of its database `postgres`."""
        return f"postgresql+psycopg://tito@/postgres?host={self.scratch}"

    def make(self) -> None:
        """Make its files."""
        self.scratch.chmod(0o711)  # others reach the socket
        if os.getuid() == 0:
            os.chown(self.scratch, self._as()["user"], self._as()["group"])
        make = [self.folder / "initdb", "-D", self.scratch / "data", "-U", "tito", "-A", "trust", "--no-sync"]
        subprocess.run(make, check=True, capture_output=True, cwd=self.scratch, **self._as())

    def start(self) -> None:
        """Start it, and wait until it answers."""
        run = [self.folder / "postgres", "-D", self.scratch / "data", "-k", self.scratch, "-h", "", "-F"]
        self.process = subprocess.Popen(run, cwd=self.scratch, stderr=subprocess.DEVNULL, **self._as())
        wait_for(self._answers, 30)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it. SIGINT does not wait for those who are connected; with SIGQUIT it is as if it had crashed."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        engine = create_engine(self.url)
        try:
            engine.connect().close()
        except OperationalError:
            return False
        finally:
            engine.dispose()
        return True

    def _as(self) -> dict[str, Any]:
        nobody = pwd.getpwnam("nobody")
        return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}


@contextmanager
def server(folder: Path) -> Iterator[Server]:
    """Run one."""
    with tempfile.TemporaryDirectory(prefix="tito-pg-", ignore_cleanup_errors=True) as scratch:
        database = Server(folder, Path(scratch))
        database.make()
        try:
            database.start()
            yield database
        finally:
            database.stop()


@contextmanager
def server_or_skip() -> Iterator[Server]:
    """Run one; a test on a machine without PostgreSQL is skipped."""
    folder = programs()
    if folder is None:
        pytest.skip("there is no PostgreSQL on this machine (Debian: postgresql); SQLite is tested all the same")
    with server(folder) as running:
        yield running


def database_in(url: str) -> str:
    """Make an empty database on a server; gives its URL."""
    name = f"d{secrets.token_hex(6)}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return make_url(url).set(database=name).render_as_string(hide_password=False)
