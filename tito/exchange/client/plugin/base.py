"""What nbgrader's exchange classes have in common here: settings, the gateway, the user, and errors as nbgrader's."""

from __future__ import annotations

import fnmatch
import functools
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urljoin

from nbgrader.exchange.abc import Exchange as AbstractExchange
from nbgrader.utils import get_username
from traitlets import Bool, Unicode, default

from tito.errors import TitoError
from tito.exchange.client.gateway import URL_VARIABLE, Gateway, gateway
from tito.exchange.protocol.policy import policy_in
from tito.exchange.protocol.records import Role, Submission

ANYBODY = ("", "*")


class ServiceExchange(AbstractExchange):  # type: ignore[misc]
    """Base of the classes that speak to the exchange."""

    url = Unicode(help=f"Address of the exchange service. Default: ${URL_VARIABLE}.").tag(config=True)
    local_root = Unicode(
        help="Without an address: the folder (mode 0700) in which this user alone keeps an exchange."
    ).tag(config=True)
    root = Unicode(
        help="nbgrader's name for the folder of an exchange. On a command line it stands for local_root; what settings "
        "say of it is about nbgrader's own exchange."
    ).tag(config=True)
    cache = Unicode(
        help="nbgrader's name for a folder with copies of what one has handed in. The exchange keeps these itself."
    ).tag(config=True)
    path_includes_course = Bool(
        False, help="Whether assignments are fetched to, and submitted from, ./course/assignment."
    ).tag(config=True)

    show_receipts = Bool(
        False,
        help="Whether lists of one's submissions tell each one's receipt beside its time. JupyterLab's Assignment List "
        "shows the time as it is given, and nothing else of a submission.",
    ).tag(config=True)

    @default("url")  # type: ignore[untyped-decorator]
    def _url_default(self) -> str:
        return os.environ.get(URL_VARIABLE, "")

    said_last: ClassVar[str] = ""  # why something failed, for who asked through nbgrader, which keeps it to itself
    of_a_student = False  # whether it is done as the student who is named, where no hub says who one is
    _gateway: Gateway | None = None

    @property
    def remote(self) -> Gateway:
        """The exchange, opened when it is first asked."""
        if self._gateway is None:
            self._gateway = self.another_gateway()()
        return self._gateway

    def another_gateway(self) -> Callable[[], Gateway]:
        """How a thread opens the exchange for itself, which may outlive this."""
        return functools.partial(gateway, self.url, self._root_on_command_line or self.local_root, self._local_user())

    @property
    def _root_on_command_line(self) -> str:
        command_line = getattr(self.parent, "cli_config", {})
        return str(command_line.get("Exchange", {}).get("root", ""))

    def start(self) -> Any:
        """What nbgrader calls. Our errors become nbgrader's; nothing of a course is opened for longer than this."""
        try:
            return super().start()
        except TitoError as error:
            self.fail(str(error))
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            self.fail(f"{where}{error.strerror or type(error).__name__}.")
        finally:
            self.close()

    def close(self) -> None:
        """Let go of the exchange, until it is asked again."""
        if self._gateway is not None:
            self._gateway.close()
            self._gateway = None

    def fail(self, msg: str) -> None:
        ServiceExchange.said_last = msg
        super().fail(msg)

    # nbgrader's three steps; a class does in `copy_files` what it does.
    def init_src(self) -> None:
        pass

    def init_dest(self) -> None:
        pass

    # ---- who and what ------------------------------------------------------------------------------

    @property
    def course(self) -> str:
        if not self.coursedir.course_id:
            self.fail("No course id specified. Re-run with --course flag.")
        return str(self.coursedir.course_id)

    @property
    def assignment(self) -> str:
        return str(self.coursedir.assignment_id)

    def _local_user(self) -> str:
        named = self.coursedir.student_id if self.of_a_student and self.coursedir is not None else ""
        return str(named) if named not in ANYBODY else str(get_username())

    def page(self) -> str:
        """Where a browser shows what one has handed in; "" where the exchange has no page. In full where the hub tells
        servers its address, else as a path there."""
        path = self.remote.who().page
        hub = os.environ.get("JUPYTERHUB_PUBLIC_HUB_URL", "")
        return urljoin(hub, path) if hub and path else path

    def require_self(self) -> None:
        """A student cannot be another one: the hub says who they are, and `--student` does not."""
        named = str(self.coursedir.student_id)
        if self.url and named not in ANYBODY and named != (me := self.remote.who().name):
            self.fail(f"The exchange knows you as {me}; you cannot act as {named}.")

    def wanted_student(self, student: str) -> bool:
        """Whether the command is about this student."""
        return self.coursedir.student_id in ANYBODY or bool(fnmatch.fnmatchcase(student, self.coursedir.student_id))

    def wanted_assignment(self, assignment: str) -> bool:
        return self.assignment in ANYBODY or fnmatch.fnmatchcase(assignment, self.assignment)

    def courses(self, least: Role = Role.STUDENT) -> list[str]:
        """The courses that the command is about: the one that is named, or all of the user's."""
        mine = [course for course, role in sorted(self.remote.who().courses.items()) if role >= least]
        return [course for course in mine if self.coursedir.course_id in ("", "*", course)]

    def send_policy(self) -> None:
        """Give the exchange the deadlines, extensions and cut-offs of the course file, where there is one."""
        policy = policy_in(Path(self.coursedir.root), self.course)
        if policy is None:
            return
        if not self.url or self.remote.who().courses.get(self.course) == Role.INSTRUCTOR:
            self.remote.set_policy(self.course, policy)

    # ---- folders -----------------------------------------------------------------------------------

    def folder_of(self, course: str, assignment: str) -> Path:
        """Where a student works on an assignment."""
        inside = Path(course, assignment) if self.path_includes_course else Path(assignment)
        return (Path(self.assignment_dir) / inside).absolute()

    @contextmanager
    def scratch(self, beside: Path) -> Iterator[Path]:
        """An empty folder on the same file system, hidden, gone at the end."""
        beside.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=beside, prefix=".exchange-") as folder:
            yield Path(folder)

    def put_in_place(self, fresh: Path, target: Path, scratch: Path) -> None:
        """Have `fresh` stand at `target`, whole, in the place of what was there."""
        fresh.chmod(0o755)
        if self.coursedir.groupshared:
            _share_with_group(fresh)
        if target.exists():
            target.rename(scratch / "old")
        fresh.rename(target)


def _share_with_group(folder: Path) -> None:
    """As nbgrader does for courses of several instructors."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(stat.S_IMODE(path.stat().st_mode) | (0o2770 if path.is_dir() else 0o660))


def newest(submissions: list[Submission]) -> dict[str, Submission]:
    """The newest submission of each student."""
    ordered = sorted(submissions, key=lambda submission: submission.received_at)
    return {submission.student: submission for submission in ordered}


def copy_missing(source: Path, target: Path) -> list[str]:
    """Copy what is in one folder and not in the other; return what was copied."""
    copied = []
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        inside = path.relative_to(source)
        there = target / inside
        if not there.exists() and not there.is_symlink():
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, there)
            copied.append(inside.as_posix())
    return copied
