"""Reads `course.toml`: its form and the bounds of each setting. What one setting means for another, `course` checks."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path

from pydantic import ValidationError

from tito.course.settings import (
    ExchangeSettings,
    FileSettings,
    FolderSettings,
    GateSettings,
    GradebookSettings,
    PrecheckSettings,
    SandboxSettings,
)
from tito.errors import BadSource
from tito.models import Limits
from tito.policy.credit import CreditStep, LatePolicy
from tito.policy.time_policy import Moment, TimePolicy, TokenSettings
from tito.validation import NO_OTHERS, from_json, wrong_setting


@dataclass(frozen=True)
class CourseFile:
    """All that a `course.toml` can say."""

    __pydantic_config__ = NO_OTHERS

    #: the course as nbgrader and the exchange name it
    id: str
    #: what people call it
    title: str | None = None
    #: the package that students import
    package: str = ""
    #: the folder that holds its reference
    reference: str = ""
    gradebook: GradebookSettings = field(default_factory=GradebookSettings)
    exchange: ExchangeSettings = field(default_factory=ExchangeSettings)
    folders: FolderSettings = field(default_factory=FolderSettings)
    sandbox: SandboxSettings = field(default_factory=SandboxSettings)
    limits: Limits = field(default_factory=Limits)
    late: LatePolicy = field(default_factory=LatePolicy)
    precheck: PrecheckSettings = field(default_factory=PrecheckSettings)
    gates: GateSettings = field(default_factory=GateSettings)
    files: FileSettings = field(default_factory=FileSettings)
    tokens: TokenSettings = field(default_factory=TokenSettings)
    #: by assignment, a date and time with a zone. Without this table, an empty one too, nbgrader's due dates count
    deadlines: dict[str, Moment] = field(default_factory=dict)
    #: the same: nothing is taken after it
    cutoffs: dict[str, Moment] = field(default_factory=dict)
    #: students that can be named together, as `"@section_b"`: lists of students by label
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: by assignment and student or `"@label"`, a deadline of their own; one beyond the cut-off moves the cut-off
    extensions: dict[str, dict[str, Moment]] = field(default_factory=dict)
    #: by assignment, a list of students and `"@label"`s of whom nothing is asked
    excuses: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: by assignment, the steps of a credit timeline, instead of what `[late]` says
    credit: dict[str, tuple[CreditStep, ...]] = field(default_factory=dict)

    @property
    def policy(self) -> TimePolicy:
        """All that it says about time."""
        return TimePolicy(
            deadlines=self.deadlines,
            cutoffs=self.cutoffs,
            extensions=self.extensions,
            labels=self.labels,
            excuses=self.excuses,
            late=self.late,
            credit=self.credit,
            tokens=self.tokens,
        )


def read_course_file(path: Path) -> CourseFile:
    """What the file says.

    Raises:
        BadSource: it is no TOML, lacks `id`, holds a setting that we do not know, or one that cannot be.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadSource(f"{path} cannot be read: {error}.", hint="Mend the file.") from error
    try:
        return from_json(CourseFile, json.dumps(data, default=_iso))  # pydantic is strict in JSON, and takes tables
    except ValidationError as error:
        raise wrong_setting(error, CourseFile, lambda _: str(path), show_values=True) from None


def settings_named_in(path: Path) -> frozenset[str]:
    """Settings that stand in the file, tables and their entries, as "limits.cell_timeout_s"."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    tables = {name: table for name, table in data.items() if isinstance(table, dict)}
    return frozenset({*data, *(f"{name}.{key}" for name, table in tables.items() for key in table)})


def _iso(moment: date | time) -> str:
    return moment.isoformat()
