"""What nbgrader's own settings say that our engine goes by: those of a course's nbgrader_config.py, and what a command
line adds.

Each option works here as it does in nbgrader, or is refused with a sentence before anything is run. What stands both in
`course.toml` and in nbgrader's settings, and differs, is refused too: neither is dropped without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tito.course.course import Course
from tito.course.nbgrader_course import CONFIG_FILE, STEPS
from tito.course.nbgrader_settings import AUTOGRADE_PREPROCESSORS
from tito.course.settings import SETTINGS_FILE
from tito.errors import BadSource, UsageError
from tito.models import Limits, Stubs

if TYPE_CHECKING:
    from traitlets.config import Config


# A file that only leads to our settings says nothing; traitlets, which would read it, takes long to import.
MAY_SET = re.compile(r"\bc\.|=\s*get_config\b|load_subconfig")
STRUCTURE = "{nbgrader_step}/{student_id}/{assignment_id}"
EXECUTE = ("Execute", "ExecutePreprocessor", "NotebookClient")  # a class, and those whose options it takes
UNSAID = "unsaid"
LATE = ("AssignLatePenalties", "LateSubmissionPlugin")
INSTEAD = {  # options that our engine has no place for, and what there is instead
    "sanitize_preprocessors": "what was handed in is repaired, and read by nothing else before that",
    "autograde_preprocessors": "cells are run and judged, and nothing is put between",
    "timeout_func": "each cell has the same time",
    "error_on_timeout": "a cell that is stopped says so",
    "extra_arguments": "no kernel is started",
    "kernel_manager_class": "no kernel is started",
    "skip_cells_with_tag": "what is skipped is the source's to say",
}
CELLS_OF_A_NOTEBOOK = 10  # that may take their whole time, where nobody has said how long a notebook may take

_reading: ContextVar[bool] = ContextVar("reading", default=False)


def own_config(root: Path) -> Config | None:
    """What the nbgrader_config.py in a course's folder says. It is run, as nbgrader runs it: by whoever grades, and
    never by a service for others.

    Raises:
        BadSource: it cannot be run; nbgrader itself would log that and go on without it.
    """
    path = root / CONFIG_FILE
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BadSource(f"{path} cannot be read: {error}.", hint="Mend the file.") from error
    if not MAY_SET.search(text):
        return None
    from traitlets.config.loader import PyFileConfigLoader

    try:
        with _only_read():
            return PyFileConfigLoader(CONFIG_FILE, str(root)).load_config()
    except Exception as error:
        raise BadSource(f"{path} cannot be run: {type(error).__name__}: {error}.", hint="Mend the file.") from error


def is_only_read() -> bool:
    """Whether an nbgrader_config.py is being read for what it says, and nbgrader is not to be configured by it."""
    return _reading.get()


@contextmanager
def _only_read() -> Iterator[None]:
    token = _reading.set(True)
    try:
        yield
    finally:
        _reading.reset(token)


def with_own_options(course: Course) -> Course:
    """The course as its own nbgrader_config.py has it; raises what `own_config` and `with_options` do."""
    config = own_config(course.root)
    return course if config is None else with_options(course, config)


def with_options(course: Course, config: Config) -> Course:
    """The course as nbgrader's settings have it, which go with it from now on.

    Raises:
        UsageError: one of them is none that our engine goes by, or says something else than `course.toml`.
    """
    from traitlets import Bool

    _require_no_other_engine(config)
    _require_folders(course, config)
    _require_one_late_policy(course, config)
    return replace(
        course,
        nbgrader=_with_whole_paths(config, course.root),
        limits=_limits(course, config),
        ignored=tuple(_listed(config, "ignore", course.ignored)),
        stubs=_stubs(config),
        runs=_typed(config, "Execute", "enabled", course.runs, Bool()),
        excluded=tuple(filter(None, str(_option(config, "CourseDirectory", "student_id_exclude", "")).split(","))),
    )


def _option(config: Config, section: str, name: str, default: Any) -> Any:
    """An option as a settings file or a command line has it."""
    return config[section][name] if section in config and name in config[section] else default


def _typed(config: Config, section: str, name: str, default: Any, trait: Any) -> Any:
    """The same, of a type: a command line is text until it is known of which.

    Raises:
        UsageError: it is not of that type.
    """
    value = _option(config, section, name, default)
    if not isinstance(value, str) or value == default:
        return value
    try:
        return trait.from_string(value)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{section}.{name} cannot be '{value}'.", hint=str(error)) from error


def _listed(config: Config, name: str, default: tuple[str, ...]) -> list[str]:
    """A list of CourseDirectory's, which a settings file may have set, or added to."""
    value = _option(config, "CourseDirectory", name, default)
    return list(value.get_value(list(default)) if hasattr(value, "get_value") else value)


def _require_folders(course: Course, config: Config) -> None:
    """Which folders hold what students wrote is asked also where nbgrader's settings are not read: settings in these
    are a student's."""
    for step in STEPS:
        name, here = _option(config, "CourseDirectory", f"{step}_directory", None), getattr(course.folders, step)
        if name is not None and name != here:
            raise UsageError(
                f"nbgrader's settings say CourseDirectory.{step}_directory = '{name}', and {SETTINGS_FILE} '{here}'.",
                hint=f'Write below [folders] in {SETTINGS_FILE} the line {step} = "{name}", or take the setting out.',
            )
    structure = _option(config, "CourseDirectory", "directory_structure", STRUCTURE)
    if structure != STRUCTURE:
        raise UsageError(
            f"nbgrader's settings say CourseDirectory.directory_structure = '{structure}'.",
            hint=f"Only nbgrader's own, '{STRUCTURE}', is graded here: take the setting out.",
        )


def _require_no_other_engine(config: Config) -> None:
    """Refuse what would change how nbgrader's own engine works, but for what our own settings say."""
    for section in ("Autograde", *EXECUTE):
        for name, value in config.get(section, {}).items():
            if name in INSTEAD and value not in ([], AUTOGRADE_PREPROCESSORS):
                raise UsageError(
                    f"nbgrader's settings say {section}.{name}, which does nothing here: {INSTEAD[name]}.",
                    hint="Take it out, or grade with plain nbgrader.",
                )


def _require_one_late_policy(course: Course, config: Config) -> None:
    if course.policy.changes_scores and any(config.get(section) for section in LATE):
        raise UsageError(
            f"{SETTINGS_FILE} has a [late] or [credit] policy, and nbgrader's settings {' or '.join(LATE)}: points "
            "would be lost twice.",
            hint="Take one of them out.",
        )


def _limits(course: Course, config: Config) -> Limits:
    """A cell's time, where nbgrader's settings say it; without end, it is the notebook's."""
    limits, named = course.limits, "limits.cell_timeout_s" in course.named
    from traitlets import Integer

    sections = (section for section in EXECUTE if "timeout" in config.get(section, {}))
    timeout = _typed(config, next(sections, ""), "timeout", UNSAID, Integer(allow_none=True))
    if timeout == UNSAID:
        return limits
    if timeout is None or timeout <= 0:
        cell_s, notebook_s = limits.notebook_timeout_s, limits.notebook_timeout_s
    else:
        cell_s, notebook_s = float(timeout), max(limits.notebook_timeout_s, float(timeout) * CELLS_OF_A_NOTEBOOK)
    if named and cell_s != limits.cell_timeout_s:
        raise UsageError(
            f"nbgrader's settings say Execute.timeout = {timeout}, and {SETTINGS_FILE} limits.cell_timeout_s = "
            f"{limits.cell_timeout_s:g}.",
            hint="Take one of them out.",
        )
    if "limits.notebook_timeout_s" in course.named:
        notebook_s = limits.notebook_timeout_s
    return replace(limits, cell_timeout_s=cell_s, notebook_timeout_s=notebook_s)


def _stubs(config: Config) -> Stubs:
    """What a release has where solutions were; of a notebook in Python."""
    section = config.get("ClearSolutions", {})
    code = section.get("code_stub", Stubs.code)
    values = {
        "code": code.get("python", Stubs.code) if isinstance(code, dict) else code,
        "text": section.get("text_stub", Stubs.text),
        "begin": section.get("begin_solution_delimeter", Stubs.begin),
        "end": section.get("end_solution_delimeter", Stubs.end),
    }
    return Stubs(**{name: str(value) for name, value in values.items()})


def _with_whole_paths(config: Config, root: Path) -> Config:
    """nbgrader looks for a header where it works, and releases are made in a scratch folder."""
    section = config.get("IncludeHeaderFooter")
    if not section:
        return config
    from copy import deepcopy

    config = deepcopy(config)
    for name, path in section.items():
        config.IncludeHeaderFooter[name] = str(root / path) if path else path
    return config
