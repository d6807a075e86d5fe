"""What can be chosen about a course: the tables of `course.toml`, with their defaults and bounds; `Limits` is one more.

The bounds are annotations, which whoever reads the file holds it to (`course_file`). A comment that begins with a colon
says what a setting is, to readers of the book.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Literal, get_args

from tito.models import MOST, Limits
from tito.validation import NO_OTHERS, Between

SETTINGS_FILE = "course.toml"
HELPERS_FILE = "AGENTS.md"  # in source/: what AI assistants of students are to know, for every release
AUTOTESTS_FILE = "autotests.yml"  # as nbgrader looks for it
LOCAL = "local"
SQLITE = "sqlite:///"
EXCHANGE_VARIABLE = "TITO_EXCHANGE_URL"
GRADEBOOK_VARIABLE = "TITO_GRADEBOOK_DB"
RUNNER_PACKAGES = ("ipython", "numpy")  # what runs a notebook needs them itself
BackendName = Literal["bubblewrap", "landlock", "none"]
BACKENDS: tuple[BackendName, ...] = get_args(BackendName)
AMOUNT = Between(0, MOST)
MOST_SUBMITTED_MB = 48  # they cross into a session in one message


@dataclass(frozen=True)
class SandboxSettings:
    """Which isolation to use, and which distributions a notebook can import inside it."""

    __pydantic_config__ = NO_OTHERS

    #: `landlock` where no namespaces can be had (weaker: no disk quota, no pools of processes); `none` runs student
    #: code unprotected; recorded with every grade
    backend: BackendName = "bubblewrap"
    #: what a notebook can import, with what these need; `tito init` finds them in the assignments
    packages: tuple[str, ...] = ("ipython", "matplotlib", "numpy")


@dataclass(frozen=True)
class PrecheckSettings:
    """How often a student may have the visible tests of an assignment run on submit, and within what; 0: never."""

    __pydantic_config__ = NO_OTHERS

    #: prechecks for each student and assignment
    per_hour: Annotated[int, AMOUNT] = 0
    #: instead of `limits.cell_timeout_s`, where that is longer
    cell_timeout_s: Annotated[float, Between(0.1, MOST)] = 10.0
    #: instead of `limits.notebook_timeout_s`, where that is longer
    notebook_timeout_s: Annotated[float, Between(1, MOST)] = 60.0

    def within(self, limits: Limits) -> Limits:
        """The limits of grading, with the times of a precheck where these are shorter."""
        return replace(
            limits,
            cell_timeout_s=min(limits.cell_timeout_s, self.cell_timeout_s),
            notebook_timeout_s=min(limits.notebook_timeout_s, self.notebook_timeout_s),
        )


@dataclass(frozen=True)
class ExchangeSettings:
    """Where assignments are released to. `url` is the exchange service's, by default TITO_EXCHANGE_URL; without one, or
    with `local`, the service's store is opened directly in `root`, by this user alone. Kind `filesystem` is nbgrader's
    own exchange in `root`, for a trusted lab; `nbgrader` is whatever the course's nbgrader_config.py names, and is left
    to nbgrader's own commands. Without `root`: a folder `exchange` in the course."""

    __pydantic_config__ = NO_OTHERS

    #: `filesystem`: nbgrader's own, for a lab of trusted users, with a collect that refuses forged owners; `nbgrader`:
    #: what nbgrader_config.py names, reached by nbgrader's own commands alone
    kind: Literal["service", "filesystem", "nbgrader"] = "service"
    #: the folder (0700) of your own exchange, or that of nbgrader's; `exchange` in the course, where nothing is said
    root: str = ""
    #: the service's address; `$TITO_EXCHANGE_URL` where nothing is said; `local`: the store in `root`, opened directly
    url: str = ""

    @property
    def is_named(self) -> bool:
        """Whether the course says where its exchange is, in so many words."""
        return bool(self.root or self.url) or self.kind == "nbgrader"


@dataclass(frozen=True)
class FolderSettings:
    """Names of the folders of nbgrader's steps, in the course's folder."""

    __pydantic_config__ = NO_OTHERS

    #: what instructors write
    source: str = "source"
    #: what students get
    release: str = "release"
    #: what they handed in
    submitted: str = "submitted"
    #: the same with points
    autograded: str = "autograded"
    #: pages for students
    feedback: str = "feedback"

    @property
    def handed_in(self) -> tuple[str, ...]:
        """Those that hold what students wrote."""
        return self.submitted, self.autograded, self.feedback


@dataclass(frozen=True)
class GateSettings:
    """What the release gate makes of tests that can be forged, or that the untouched stub passes: `refuse`, or `warn`
    for a course that was converted.

    `mutation` is what it makes of the proof that tests catch wrong solutions (`tito mutate`) where that is missing,
    stale or below the bar: `require` refuses a release, `warn` says so, `off` asks for none.

    Of each module `total_points` is what its cells have to add up to, `correct_variants` and `wrong_variants` how many
    simulated students it needs at least, `warmups_s` and `notebook_s` how much processor time its warm-ups, and all
    cells of the reference's notebook, may take. 0: it is not asked.
    """

    __pydantic_config__ = NO_OTHERS

    #: what is made of tests that can be forged or that the untouched stub passes, and of cells of the reference that
    #: raise; `warn` for courses that were converted
    forgeable: Literal["refuse", "warn"] = "refuse"
    #: no release without a proof that tests catch wrong solutions; `warn`: say so
    mutation: Literal["require", "warn", "off"] = "off"
    #: what the cells of a module have to add up to; 0 here and below: not asked
    total_points: Annotated[float, AMOUNT] = 0
    #: simulated students of each module who do it right, at least
    correct_variants: Annotated[int, AMOUNT] = 0
    #: and who make a mistake
    wrong_variants: Annotated[int, AMOUNT] = 0
    #: processor time for all warm-ups of a module
    warmups_s: Annotated[float, AMOUNT] = 0
    #: and for all cells of its reference
    notebook_s: Annotated[float, AMOUNT] = 0


@dataclass(frozen=True)
class FileSettings:
    """Files beside a notebook.

    Of those that students hand in, `submitted` names such as are brought into the notebook's session, by patterns of
    their paths, for every assignment; `assignments` names more for one. So many are taken, each and all together of at
    most these sizes, and never over the course's own.

    Of the course's own each session may change its own: in a layer over them, which costs the same whatever they hold,
    or where this machine has none, in copies of at most `copied_mb`, the smallest first. Larger ones can only be read
    then.
    """

    __pydantic_config__ = NO_OTHERS

    #: patterns of files that students hand in beside the notebook and that it needs: `["*.csv", "figures/*.png"]`
    submitted: tuple[str, ...] = ()
    #: more of them for one assignment, by its name
    assignments: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: files of a submission
    most: Annotated[int, Between(0, 1000)] = 20
    #: of each
    size_mb: Annotated[int, Between(0, MOST_SUBMITTED_MB)] = 5
    #: of all of a submission together
    total_mb: Annotated[int, Between(0, MOST_SUBMITTED_MB)] = 20
    #: of an assignment's own files, what each submission gets copies of, where the kernel cannot lay a layer over them
    #: (`tito doctor` says); larger ones can only be read there
    copied_mb: Annotated[int, AMOUNT] = 16


@dataclass(frozen=True)
class GradebookSettings:
    """Where the gradebook is, as SQLAlchemy writes it, or `$TITO_GRADEBOOK_DB` where that variable has to say it; by
    default what the variable says, else nbgrader's own where there is one, else one in the course's `gradebook`."""

    __pydantic_config__ = NO_OTHERS

    #: any SQLAlchemy URL; `$TITO_GRADEBOOK_DB`: that variable has to be set
    db_url: str = ""
