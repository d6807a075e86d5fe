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
        """A zygote in a folder of its own, with copies of the assignment's files; each session has its home below
        it."""
        folder = Path(tempfile.mkdtemp(prefix="unconfined-"))
        packages, home, files, homes = (folder / name for name in ("packages", "home", "files", "homes"))
        for path in (packages, home, files, homes):
            path.mkdir()
        for path, name in environment(spec.packages).entries:
            (packages / name).symlink_to(path)
        for path, name in spec.files:
            (shutil.copytree if path.is_dir() else shutil.copyfile)(path, files / name)
        for path in files.rglob("*"):
            if path.is_file():
                path.chmod(0o444)  # which does not hold root
        platform = Path(__file__).resolve().parent.parent.parent
        settings = zygote_settings(spec, fd, home=str(home), files=str(files), confined=False)
        settings["own_homes"] = str(homes)
        argv = [str(Path(sys.executable).resolve()), *boot([str(platform), str(packages)], settings)]
        env = VARIABLES | {"HOME": str(home), "IPYTHONDIR": str(folder / "ipython")}
        return Launch(argv, env=env, scratch=folder)
