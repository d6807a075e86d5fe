"""The command line: one file a noun, commands in sections, heavy imports inside commands only."""

from __future__ import annotations

import io
import sys
import traceback
from pathlib import Path

import click

from tito import __version__
from tito.cli import (
    assignments,
    cohort,
    course,
    exchange,
    grades,
    history,
    init,
    mutation,
    otter,
    policy,
    precheck,
    regrade,
    results,
)
from tito.cli.common import Settings, say
from tito.cli.groups import CommandGroup
from tito.cli.startup import spare_start_up
from tito.errors import TitoError

WIDEST = 120  # columns that help takes of a terminal; click's own limit is 80
COMPLETION = """Tab completes commands and modules after this line in ~/.bashrc (zsh and fish: zsh_source, fish_source):

\b
eval "$(_TITO_COMPLETE=bash_source tito)"
"""


@click.group(
    cls=CommandGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDEST},
    epilog=COMPLETION,
)
@click.version_option(__version__, prog_name="tito")
@click.option(
    "--course",
    "folder",
    type=click.Path(path_type=Path),
    default=Path(),
    help="The course folder (default: here).",
)
@click.option("--traceback", "show_traceback", is_flag=True, help="Show where an error came from.")
@click.pass_context
def cli(ctx: click.Context, folder: Path, show_traceback: bool) -> None:
    """Autograded assignments on nbgrader: from a module's source to a grade CSV.

    MODULE is a number, a name or both: 7, sums, 07_sums.

    Exit codes: 0 fine, 1 a check that you asked for failed, 2 wrong usage, 3 the platform could not do its work.
    """
    from tito.course.course import keep_private

    keep_private(folder)
    ctx.obj = Settings(folder, show_traceback)


cli.add_section("Course", init.init, init.new, course.demo, course.doctor)
cli.add_section("Author", assignments.check, mutation.mutate, assignments.export, assignments.release, otter.otter)
cli.add_section("Grade", cohort.collect, cohort.autograde, regrade.regrade, results.status, results.feedback)
cli.add_section("Grades", grades.grades, policy.policy, history.log)
cli.add_section("Serve", exchange.exchange, precheck.precheck)


def _shown(error: click.ClickException) -> str:
    """A wrong usage as click tells it."""
    text = io.StringIO()
    error.show(text)
    return text.getvalue().rstrip("\n")


def main() -> None:
    """Entry point of `tito`."""
    spare_start_up()
    try:
        cli(standalone_mode=False)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except click.ClickException as error:
        say(_shown(error))
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        say("Stopped. What was finished is kept; run the same command to go on.")
        sys.exit(130)
    except TitoError as error:
        if "--traceback" in sys.argv:
            say(traceback.format_exc())
        say(f"tito: {error}")
        sys.exit(error.exit_code)
    except Exception as error:  # noqa: BLE001  (the process's edge: a fault of ours, reported as one)
        if "--traceback" in sys.argv:
            say(traceback.format_exc())
        say(f"tito: internal error: {type(error).__name__}: {error}. Run it with --traceback and report it.")
        sys.exit(3)
