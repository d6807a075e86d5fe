"""Our settings as nbgrader wants them: for `nbgrader_config.py`, and for every call of nbgrader's API that we make."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from tito.course.course import Course
from tito.course.nbgrader_course import STEPS

if TYPE_CHECKING:
    from traitlets.config import Config

FEEDBACK_PREPROCESSORS = [
    "nbgrader.preprocessors.GetGrades",
    "tito.bridge.feedback.HideSecrets",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
RELEASE_PREPROCESSORS = [  # nbgrader's own, in its order, and one of ours
    "nbgrader.preprocessors.IncludeHeaderFooter",
    "nbgrader.preprocessors.InstantiateTests",
    "nbgrader.preprocessors.LockCells",
    "nbgrader.preprocessors.ClearSolutions",
    "tito.author.hide_private.HidePrivate",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbgrader.preprocessors.ClearMarkScheme",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.CheckCellMetadata",
]
EXCHANGE_CLASSES = {
    "exchange": "tito.exchange.client.plugin.base.ServiceExchange",
    "fetch_assignment": "tito.exchange.client.plugin.assignments.FetchAssignment",
    "release_assignment": "tito.exchange.client.plugin.assignments.ReleaseAssignment",
    "submit": "tito.exchange.client.plugin.submissions.Submit",
    "collect": "tito.exchange.client.plugin.submissions.Collect",
    "fetch_feedback": "tito.exchange.client.plugin.feedback.FetchFeedback",
    "release_feedback": "tito.exchange.client.plugin.feedback.ReleaseFeedback",
    "list": "tito.exchange.client.plugin.listing.List",
}
AUTOGRADE_PREPROCESSORS = ["tito.bridge.converter.TitoAutograde"]


def settings(course: Course) -> Config:
    """nbgrader's configuration for this course: its own, with our folders, gradebook, exchange, engine and feedback."""
    from traitlets.config import Config

    config = Config() if course.nbgrader is None else deepcopy(course.nbgrader)
    config.CourseDirectory.root = str(course.root)
    config.CourseDirectory.course_id = course.id
    config.CourseDirectory.db_url = course.db_url
    for step in STEPS:
        if f"folders.{step}" in course.named:
            config.CourseDirectory[f"{step}_directory"] = getattr(course.folders, step)
    # nbgrader's own default of 100 kB per file would silently drop a notebook with a picture in it.
    config.CourseDirectory.max_file_size = course.limits.submission_mb * 1000
    config.CourseDirectory.max_dir_size = course.limits.submission_mb * 1000
    _exchange(config, course)
    config.GenerateAssignment.preprocessors = RELEASE_PREPROCESSORS
    config.Autograde.sanitize_preprocessors = []
    config.Autograde.autograde_preprocessors = AUTOGRADE_PREPROCESSORS
    config.GenerateFeedback.preprocessors = FEEDBACK_PREPROCESSORS
    config.GenerateFeedback.exporter_class = "tito.bridge.pages.PageExporter"
    return config


def _exchange(config: Config, course: Course) -> None:
    """The service, or its store opened directly; or nbgrader's own exchange, where the course asks for it.

    Classes go by name: nbgrader imports them when it uses them. One that nbgrader_config.py names is left as it is.
    """
    if course.exchange_kind == "nbgrader":
        return
    if course.exchange_kind == "filesystem":
        config.Exchange.root = str(course.exchange_root)
        config.ExchangeCollect.check_owner = True
        config.ExchangeFactory.collect = "tito.exchange.client.filesystem.Collect"
        config.ExchangeFactory.release_feedback = "tito.exchange.client.filesystem.ReleaseFeedback"
        return
    for name, where in EXCHANGE_CLASSES.items():
        config.ExchangeFactory[name] = where
    config.ServiceExchange.url = course.exchange_url  # also where there is none, whatever the environment says
    config.ServiceExchange.local_root = str(course.exchange_root)
