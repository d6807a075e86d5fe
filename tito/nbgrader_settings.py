"""Our settings as nbgrader wants them: for `nbgrader_config.py`, and for every call of nbgrader's API that we make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tito.course import Course

if TYPE_CHECKING:
    from traitlets.config import Config

FEEDBACK_PREPROCESSORS = [
    "nbgrader.preprocessors.GetGrades",
    "tito.grade.feedback.HideSecrets",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
AUTOGRADE_PREPROCESSORS = ["tito.grade.preprocess.TitoAutograde"]


def settings(course: Course) -> Config:
    """nbgrader's configuration for this course: folders, gradebook, exchange, our engine, and safe feedback."""
    from traitlets.config import Config

    config = Config()
    config.CourseDirectory.root = str(course.root)
    config.CourseDirectory.course_id = course.id
    config.CourseDirectory.db_url = course.db_url
    # nbgrader's own default of 100 kB per file would silently drop a notebook with a picture in it.
    config.CourseDirectory.max_file_size = course.limits.submission_mb * 1000
    config.CourseDirectory.max_dir_size = course.limits.submission_mb * 1000
    config.Exchange.root = str(course.exchange_root)
    config.ExchangeCollect.check_owner = True
    config.Autograde.sanitize_preprocessors = []
    config.Autograde.autograde_preprocessors = AUTOGRADE_PREPROCESSORS
    config.GenerateFeedback.preprocessors = FEEDBACK_PREPROCESSORS
    return config
