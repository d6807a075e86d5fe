"""No isolation: student code runs as the grader's own user. An explicit choice, recorded with every grade."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tito.sandbox.environment import environment
from tito.sandbox.session import VARIABLES, Launch, Workplace, boot, rlimits_of


class Unconfined:
    """`--sandbox none`: for a machine where nothing better can be had, and students who are trusted."""

    name = "none"

    def launch(self, place: Workplace, fd: int) -> Launch:
        """A runner in a folder of its own, with links to the assignment's files."""
        folder = Path(tempfile.mkdtemp(prefix="unconfined-"))
        packages = folder / ".packages"
        packages.mkdir()
        for path, name in environment(place.packages).entries:
            (packages / name).symlink_to(path)
        for path, name in place.files:
            (folder / name).symlink_to(path.resolve())
        platform = Path(__file__).resolve().parent.parent.parent
        argv = [str(Path(sys.executable).resolve())]
        argv += boot([str(platform), str(packages)], fd, place.limits, rlimits_of(place.limits))
        env = VARIABLES | {"HOME": str(folder), "IPYTHONDIR": str(folder / ".ipython")}
        return Launch(argv, env=env, scratch=folder)
