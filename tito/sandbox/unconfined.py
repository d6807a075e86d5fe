"""No isolation: student code runs as the grader's own user. An explicit choice, recorded with every grade."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tito.sandbox.environment import environment
from tito.sandbox.launch import VARIABLES, Launch, boot, zygote_settings
from tito.sandbox.spec import SandboxSpec


class Unconfined:
    """`--sandbox none`: for a machine where nothing better can be had, and students who are trusted."""

    name = "none"

    def launch(self, spec: SandboxSpec, fd: int) -> Launch:
        """A zygote in a folder of its own, with links to the assignment's files, or copies; all submissions share
        it."""
        folder = Path(tempfile.mkdtemp(prefix="unconfined-"))
        packages, home = folder / "packages", folder / "home"
        packages.mkdir()
        home.mkdir()
        for path, name in environment(spec.packages).entries:
            (packages / name).symlink_to(path)
        for path, name in spec.files:
            if spec.copies:
                (shutil.copytree if path.is_dir() else shutil.copyfile)(path, home / name)
            else:
                (home / name).symlink_to(path.resolve())
        platform = Path(__file__).resolve().parent.parent.parent
        settings = zygote_settings(spec, fd, home=str(home), files=str(home), confined=False)
        argv = [str(Path(sys.executable).resolve()), *boot([str(platform), str(packages)], settings)]
        env = VARIABLES | {"HOME": str(home), "IPYTHONDIR": str(folder / "ipython")}
        return Launch(argv, env=env, scratch=folder)
