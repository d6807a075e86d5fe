"""Asks plain nbgrader for the points of foreign submissions, and keeps its answers in `tests/foreign/nbgrader.jsonl`.

    .venv/bin/python scripts/foreign_answers.py [--all] [--print ASSIGNMENT/SUBMISSION ...]

What has changed since it was last asked is graded: some seconds a submission. With `--print`, those submissions are
graded whatever is on file, and their points written to stdout as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from foreign_support import (
    COURSES,
    Answer,
    all_submissions,
    outdated,
    plain_nbgrader,
    read_answers,
    read_assignment,
    write_answers,
)


def main() -> None:
    """Grade what is to be graded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="grade everything anew")
    parser.add_argument("--print", nargs="+", default=[], metavar="ASSIGNMENT/SUBMISSION")
    arguments = parser.parse_args()
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # where nbgrader looks for alembic
    warnings.simplefilter("ignore")  # nbgrader's own, from SQLAlchemy
    if arguments.print:
        print(json.dumps(asked(arguments.print)))
        return
    submitted = {(assignment.name, submission.name) for assignment, submission in all_submissions()}
    answers = {key: answer for key, answer in read_answers().items() if key in submitted and not arguments.all}
    for name, submissions in outdated(answers).items():
        print(f"{name}: {', '.join(submissions)}", file=sys.stderr, flush=True)
        for submission, answer in answers_of(name, submissions).items():
            answers[name, submission] = answer
        write_answers(answers)
    write_answers(answers)


def asked(submissions: list[str]) -> list[list[object]]:
    """Assignment, submission and points of each."""
    by_assignment: dict[str, list[str]] = {}
    for assignment, _, submission in (path.partition("/") for path in submissions):
        by_assignment.setdefault(assignment, []).append(submission)
    return [
        [name, submission, answer.points]
        for name, names in by_assignment.items()
        for submission, answer in answers_of(name, names).items()
    ]


def answers_of(name: str, submissions: list[str]) -> dict[str, Answer]:
    """What nbgrader gives for submissions of an assignment now."""
    with tempfile.TemporaryDirectory(prefix="foreign-") as folder:
        return plain_nbgrader(read_assignment(COURSES / name), submissions, Path(folder).resolve())


if __name__ == "__main__":
    main()
