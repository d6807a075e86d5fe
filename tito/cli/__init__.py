"""The command line: one file per noun, commands in the order of the flow, heavy imports inside commands only."""

from __future__ import annotations

import io
import sys
import traceback
from difflib import get_close_matches
from pathlib import Path

import click

from tito import __version__
from tito.cli import assignments, cohort, doctor, exchange, peers, results
from tito.cli.common import Settings, say
from tito.cli.startup import spare_start_up
from tito.errors import TitoError


class Flow(click.Group):
    """Lists its commands in the order in which they were added, and turns our errors into one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            close = get_close_matches(args[0], self.commands, n=1)
            hint = f"Did you mean '{close[0]}'?" if close else "See 'tito --help'."
            raise click.UsageError(f"No such command '{args[0]}'. {hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=Flow, context_settings={"help_option_names": ["-h", "--help"]})
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

    Commands appear in the order of the flow. MODULE is a number, a name or both: 7, sums, 07_sums.

    Exit codes: 0 fine, 1 a check that you asked for failed, 2 wrong usage, 3 the platform could not do its work.
    """
    from tito.course.course import keep_private

    keep_private(folder)
    ctx.obj = Settings(folder, show_traceback)


for command in (
    assignments.check,
    assignments.release,
    assignments.export,
    peers.otter,
    cohort.collect,
    cohort.autograde,
    results.feedback,
    results.grades,
    results.status,
    exchange.exchange,
    doctor.doctor,
    doctor.demo,
):
    cli.add_command(command)


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
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
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
    except Exception as error:  # noqa: BLE001  (the process's edge: a fault of ours, told as one)
        if "--traceback" in sys.argv:
            say(traceback.format_exc())
        say(f"tito: internal error: {type(error).__name__}: {error}. Run it with --traceback and report it.")
        sys.exit(3)
