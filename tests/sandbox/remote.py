"""A sandbox in a process of its own, so that the grader can be another user. No tests here.

`Remote` starts this file as a program, under that user; each sends the other one JSON value a line.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tito.sandbox.inside.step_status import StepStatus

# Nobody, by a number of this process's own: the kernel counts a user's processes on the whole machine, those of the
# tests beside these and of a PostgreSQL too. Systemd lists 61184 to 65519 for passing users, and this is one.
NOBODY = 61_200 + os.getpid() % 4_000
LIMITS = {"cell_timeout_s": 10, "memory_mb": 1024, "scratch_mb": 16, "processes": 24, "output_kb": 64}
# Not root, and no capability but to read what lies below folders that only root may enter: the interpreter may.
AS_NOBODY = (
    "setpriv",
    f"--reuid={NOBODY}",
    f"--regid={NOBODY}",
    "--clear-groups",
    "--bounding-set=-all,+dac_read_search",
    "--inh-caps=-all,+dac_read_search",
    "--ambient-caps=-all,+dac_read_search",
)
# bubblewrap refuses to start with a capability like that. A user namespace whose only user is nobody: outside of it
# that is still root, who may read the interpreter; inside there are no rights, and none over root's other processes.
AS_NOBODY_INSIDE = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")


@dataclass(frozen=True)
class Said:
    """What came of one cell."""

    status: StepStatus
    ename: str
    evalue: str
    text: str
    values: dict[str, Any]
    measured: list[float] | None  # wall time, processor time, memory


class Remote:
    """The grader's process, and the sessions in it, by number."""

    def __init__(self, user: str, files: dict[str, Path], **options: Any) -> None:
        """Start it as the `user` root or nobody. `options`: see `_serve`."""
        if os.geteuid() != 0:
            assert user == "nobody", "only root can be root"
        settings = options | {"files": {name: str(path) for name, path in files.items()}}
        as_nobody = AS_NOBODY_INSIDE if options.get("sandbox") == "bubblewrap" else AS_NOBODY
        prefix = as_nobody if user == "nobody" and os.geteuid() == 0 else ()
        environment = {"PATH": os.environ["PATH"], "GRADER_TOKEN": "hush-hush", "TMPDIR": "/tmp"}
        self.process = subprocess.Popen(
            [*prefix, sys.executable, __file__, json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,  # a group that a session can name: in a container, ours may be nameless
        )
        self.folder = Path(self._received()["folder"])

    def ask(self, **request: Any) -> dict[str, Any]:
        """One request, and its answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self._received()

    def _received(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the grader's process has ended"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def open(self) -> int:
        """A new session."""
        return int(self.ask(op="open")["session"])

    def run(
        self,
        source: str,
        session: int = 0,
        limit_s: float = 10,
        observe: tuple[str, ...] = (),
        *,
        measured: bool = False,
    ) -> Said:
        """Run a cell in a session."""
        facts = {"session": session, "limit_s": limit_s, "observe": observe, "measured": measured}
        answer = self.ask(op="run", source=source, **facts)
        return Said(**answer | {"status": StepStatus(answer["status"])})

    def end(self, session: int) -> None:
        """End a session."""
        self.ask(op="end", session=session)

    def close(self) -> None:
        """Hang up, and wait until it has ended."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _serve(settings: dict[str, Any]) -> None:
    """Answer on stdout what is asked on stdin.

    Args:
        settings: `files`, by name; `abi`: take the kernel's Landlock for one of that version; `inodes`: how many
            files a folder may hold; `sandbox`: which, landlock if nothing is said; `watched`: as where there are no
            control groups; `limits` that are others than those above.
    """
    from tito.models import Limits
    from tito.sandbox import cgroup, time_allowance, unprivileged
    from tito.sandbox.backends import backend
    from tito.sandbox.spec import SandboxSpec
    from tito.sandbox.zygote_client import Sandbox

    time_allowance.GRACE_S = 0.5
    if settings.get("watched"):
        cgroup.hierarchies = lambda: None  # type: ignore[assignment]
    isolation = backend(settings.get("sandbox", "landlock"))
    unprivileged.INODES = settings.get("inodes", unprivileged.INODES)
    if "abi" in settings:
        vars(isolation)["abi"] = settings["abi"]
    files = tuple((Path(path), name) for name, path in settings["files"].items())
    limits = Limits(**LIMITS | settings.get("limits", {}))
    place = SandboxSpec(files, ("ipython", "matplotlib", "numpy"), limits=limits, staged=("pack",))
    opened: list[Any] = []
    with Sandbox(isolation, place) as sandbox:
        _say({"folder": str(sandbox._scratch)})
        for line in sys.stdin:
            request = json.loads(line)
            if request["op"] == "open":
                opened.append(sandbox.session())
                _say({"session": len(opened) - 1})
            elif request["op"] == "end":
                opened[request["session"]].close()
                sandbox.settle()
                _say({})
            else:
                _say(_ran(opened[request["session"]], request))
        for session in opened:
            session.close()


def _ran(session: Any, request: dict[str, Any]) -> dict[str, Any]:
    from tito.sandbox.steps import Step

    step = Step(source=request["source"], observe=tuple(request["observe"]), measured=request["measured"])
    session.notebook.send([step], request["limit_s"])
    ran = session.notebook.receive()
    text = "".join(str(output.get("text", "")) for output in ran.outputs)
    values = {name: repr(value) for name, value in ran.values.items()}
    measured = ran.measured and [ran.measured.wall_s, ran.measured.cpu_s, ran.measured.peak_mb]
    facts = {"status": ran.status, "ename": ran.ename, "evalue": ran.evalue, "text": text, "values": values}
    return facts | {"measured": measured}


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _serve(json.loads(sys.argv[1]))
