"""A PostgreSQL of the tests' own: made in a scratch folder, reached by a socket in it, gone at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exchange_support import wait_for
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError


def programs() -> Path | None:
    """The folder of its programs; Debian keeps them off the PATH."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return folders[-1].parent if folders else None


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run one; gives the URL of its database `postgres`. It refuses to run as root, and is nobody's then."""
    nobody = pwd.getpwnam("nobody")
    root = os.getuid() == 0
    how = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []} if root else {}
    with tempfile.TemporaryDirectory(prefix="tito-pg-", ignore_cleanup_errors=True) as scratch:
        if root:
            os.chown(scratch, nobody.pw_uid, nobody.pw_gid)
        data = Path(scratch) / "data"
        make = [folder / "initdb", "-D", data, "-U", "tito", "-A", "trust", "--no-sync"]
        subprocess.run(make, check=True, capture_output=True, cwd=scratch, **how)  # type: ignore[call-overload]
        run = [folder / "postgres", "-D", data, "-k", scratch, "-h", "", "-F"]
        process = subprocess.Popen(run, cwd=scratch, stderr=subprocess.DEVNULL, **how)  # type: ignore[call-overload]
        url = f"postgresql+psycopg://tito@/postgres?host={scratch}"
        engine = create_engine(url)

        def answers() -> bool:
            try:
                engine.connect().close()
            except OperationalError:
                return False
            return True

        try:
            wait_for(answers, 30)
            engine.dispose()
            yield url
        finally:
            engine.dispose()
            process.send_signal(signal.SIGINT)  # does not wait for those who are still connected
            process.wait()
