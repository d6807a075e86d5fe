"""Sees to it that nbgrader treats a course of ours as one, whichever of its commands is run, and from where.

nbgrader reads its settings from files of Python, logs what goes wrong in one of them, and goes on with what it has: its
own converter, which runs student code as whoever grades and writes into the course. So an error in the settings of
a course ends the process here, and a course without an nbgrader_config.py, or with a broken one, is wired in all the
same.

    configure            for a course's nbgrader_config.py: settings and engine
    watch                for the environment's etc/jupyter/jupyter_config.py: puts the checks into nbgrader
    require_configured   before a command or formgrader starts: the course that it is about has been configured
    PLAIN_VARIABLE       by which somebody asks for nbgrader's own engine

nbgrader has no hook for this, so its classes are changed in the process. Imports nothing heavy: every command of
nbgrader's comes through here.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tito.course.course import keep_private, load_course
from tito.course.nbgrader_options import is_only_read
from tito.course.nbgrader_settings import settings
from tito.course.settings import SETTINGS_FILE, FolderSettings
from tito.errors import BadSource, PlatformError, TitoError, UsageError
from tito.gradebook.folder import prepare

if TYPE_CHECKING:
    from traitlets.config import Config

PLAIN_VARIABLE = "TITO_PLAIN_NBGRADER"
CONFIGURED = "TitoCourse"  # a section of nbgrader's configuration that says which course the rest is of

Check = Callable[..., None]
_checked: set[Callable[..., Any]] = set()  # methods of nbgrader's as they are here, with checks around them


def _nothing(*_: Any, **__: Any) -> None:
    """No check."""


def configure(config: Config, root: Path) -> None:
    """Give nbgrader the settings of the course in `root`, and our engine, unless its own was asked for by name.

    Whatever is wrong ends the process with one line: an exception would only be logged.
    """
    if is_only_read():
        return
    with _errors_end_the_process():
        course = load_course(root)
        keep_private(root)
        with suppress(OSError):  # a course that is mounted read-only: what writes into it says so
            prepare(course)
        ours = settings(course)
        if plain_nbgrader():
            del ours["Autograde"]
        else:
            from tito.bridge import converter, due_dates, release_button

            converter.install()
            release_button.install(course_folder)
            due_dates.install(course_folder)
        ours[CONFIGURED].root = str(course.root)
        config.merge(ours)


def plain_nbgrader() -> bool:
    """Whether nbgrader's own engine was asked for: student code then runs unprotected.

    Raises:
        UsageError: the variable says neither yes nor no.
    """
    answer = os.environ.get(PLAIN_VARIABLE, "")
    if answer not in ("", "0", "1"):
        raise UsageError(
            f"{PLAIN_VARIABLE} is '{answer}'.", hint="Set it to 1 for nbgrader's own engine, or leave it out."
        )
    return answer == "1"


def course_folder(folder: Path) -> Path | None:
    """The course of ours that nbgrader would work on in `folder`, if it would.

    A folder below one with a course.toml belongs to it, unless it has a `source` of its own (a plain course of
    nbgrader's), or lies in a hidden one, where a trial hub keeps people's homes.
    """
    for candidate in (folder, *folder.parents):
        if (candidate / SETTINGS_FILE).is_file():
            return candidate
        if (candidate / "source").is_dir() or candidate.name.startswith("."):
            return None
    return None


def require_configured(app: Any) -> None:
    """Configure an app of nbgrader's for the course that it is about to work on, where no settings file has done so.

    What was said on the command line goes before the course's settings, as it does for nbgrader.
    """
    from traitlets.config import Config

    folder = course_folder(Path(app.coursedir.root).resolve())
    if folder is None or app.config.get(CONFIGURED, {}).get("root") == str(folder):
        return
    config = Config()
    configure(config, folder)
    app.update_config(config)
    app.update_config(app.cli_config)


def watch() -> None:
    """Put the checks into the parts of nbgrader that this process has loaded; may be called again.

    It is called while nbgrader reads its settings, before it reads those of the folder that it was started in. They
    are run as code; where students handed that folder in, it ends here.
    """
    with _errors_end_the_process():
        _refuse_handed_in(Path.cwd())
    _check("traitlets.config.application", "Application", "load_config_file", before=_refuse_their_settings)
    _check("nbgrader.apps.nbgraderapp", "NbGraderApp", "start", before=_require_of_command)
    formgrader = "nbgrader.server_extensions.formgrader.formgrader"
    _check(formgrader, "FormgradeExtension", "init_tornado_settings", before=_require_of_extension)
    _check(formgrader, "FormgradeExtension", "initialize", after=_require_of_extension)
    _check("nbgrader.converters.autograde", "Autograde", "start", before=_refuse_own_converter)


def _refuse_their_settings(_: Any, filename: str, path: str | Sequence[str | None] | None = None) -> None:
    """Whichever way a folder was named, by --course-dir or in formgrader's address, settings in it are a student's."""
    with _errors_end_the_process():
        for folder in [path] if path is None or isinstance(path, str) else path:
            _refuse_handed_in(Path(folder or "", filename).resolve().parent)


def _require_of_extension(extension: Any, *_: Any, **__: Any) -> None:
    """Formgrader is initialized when the server starts, and again for each course that is chosen in it."""
    require_configured(extension)


def _require_of_command(app: Any) -> None:
    """`nbgrader a b` is an app that starts `b` of `a`; the innermost knows the course."""
    while app.subapp is not None:
        app = app.subapp
    require_configured(app)


def _refuse_own_converter(converter: Any) -> None:
    """The last fence: nbgrader's converter does not start on a course of ours, however it came to be used."""
    from tito.bridge.converter import TitoConverter

    with _errors_end_the_process():
        if isinstance(converter, TitoConverter) or plain_nbgrader():
            return
        where = converter.coursedir
        steps = (where.source_directory, where.submitted_directory, where.autograded_directory)
        for folder in (where.root, *(Path(where.root, step) for step in steps)):
            course = course_folder(Path(folder).resolve())
            if course is not None:
                raise UsageError(
                    f"{course} has a {SETTINGS_FILE}, and nbgrader's own converter would run student code unprotected.",
                    hint=f"Grade with 'tito autograde' or 'nbgrader autograde' in it, or ask by {PLAIN_VARIABLE}=1.",
                )


def _refuse_handed_in(folder: Path) -> None:
    for above in folder.parents:
        if (above / SETTINGS_FILE).is_file() and folder.relative_to(above).parts[0] in _handed_in(above):
            raise UsageError(
                f"{folder} holds what students handed in, and nbgrader runs the nbgrader_config.py of the folder that "
                "it is started in.",
                hint=f"Change into {above} first.",
            )


def _handed_in(course: Path) -> tuple[str, ...]:
    """Names of the folders of a course that hold what students wrote. Settings that cannot be read allow none."""
    try:
        return load_course(course).folders.handed_in
    except BadSource:
        return (*FolderSettings().handed_in, *(path.name for path in course.iterdir() if path.is_dir()))


def _check(module: str, owner: str, method: str, before: Check = _nothing, after: Check = _nothing) -> None:
    """Have checks called with what a method of nbgrader's is called with, where its module has been loaded."""
    cls = getattr(sys.modules.get(module), owner, None)
    if cls is None or getattr(cls, method) in _checked:
        return
    original = getattr(cls, method)

    @wraps(original)
    def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
        before(self, *args, **kwargs)
        result = original(self, *args, **kwargs)
        after(self, *args, **kwargs)
        return result

    _checked.add(checked)
    setattr(cls, method, checked)


@contextmanager
def _errors_end_the_process() -> Iterator[None]:
    """SystemExit is what a settings file can raise and nbgrader does not catch.

    A server that is at work already is not ended: people's kernels would go with it. There the error is logged, the
    settings as they were last read stay, and our converter, which reads course.toml anew, refuses.
    """
    try:
        yield
    except Exception as error:
        if _serving():
            raise
        reported = error if isinstance(error, TitoError) else PlatformError(f"{type(error).__name__}: {error}.")
        print(f"nbgrader: {reported}", file=sys.stderr)  # noqa: T201  (nbgrader's log may be turned off)
        sys.exit(reported.exit_code)


def _serving() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
