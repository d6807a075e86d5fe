"""What nbgrader makes of a folder: course id, gradebook, exchange and folders, as its own settings say them.

An nbgrader_config.py is code. It is run as nbgrader runs it, with all files that nbgrader reads, and in a process of
its own: what it prints, imports or leaves behind is not ours. That process is this file, run as a program.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tito.course.nbgrader_course import STEPS
from tito.errors import BadSource
from tito.validation import from_json

TIME_S = 120
STRUCTURE = "{nbgrader_step}/{student_id}/{assignment_id}"
SQLITE = "sqlite:///"
OWN_ENGINE = "TITO_PLAIN_NBGRADER"  # as guard.PLAIN_VARIABLE; which is not imported here, with all that it needs


@dataclass(frozen=True)
class NbgraderFacts:
    """What nbgrader would work with. `folders` are those whose names are not nbgrader's own, by their step;
    `exchange_classes` are those of an exchange that is not nbgrader's own, by their place in ExchangeFactory."""

    root: str
    course_id: str
    db_url: str
    exchange_root: str
    files: tuple[str, ...] = ()
    folders: dict[str, str] = field(default_factory=dict)
    structure: str = STRUCTURE
    exchange_classes: dict[str, str] = field(default_factory=dict)
    max_file_kb: int = 0
    error: str = ""

    @property
    def gradebook(self) -> Path | None:
        """The gradebook's file, where it is one."""
        return Path(self.root, self.db_url.removeprefix(SQLITE)) if self.db_url.startswith(SQLITE) else None


def read_facts(folder: Path) -> NbgraderFacts:
    """Ask nbgrader, in a process of its own that is started in the folder.

    Raises:
        BadSource: one of its settings files cannot be run; says which error it is.
    """
    with tempfile.TemporaryDirectory(prefix="tito-facts-") as scratch:
        answer = Path(scratch) / "facts.json"
        command = [sys.executable, "-P", "-m", "tito.bridge.nbgrader_facts", str(answer)]
        try:
            run = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=TIME_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise _unreadable(folder, f"they were not read within {TIME_S} s") from None
        if not answer.is_file():
            lines = run.stderr.strip().splitlines() or [f"nbgrader ended with exit code {run.returncode}"]
            raise _unreadable(folder, lines[-1])
        facts = from_json(NbgraderFacts, answer.read_bytes())
    if facts.error:
        raise _unreadable(folder, facts.error)
    return facts


def _unreadable(folder: Path, reason: str) -> BadSource:
    return BadSource(
        f"nbgrader's settings for {folder} cannot be read: {reason.rstrip('.')}.",
        hint="Mend its nbgrader_config.py; nbgrader itself logs that error and goes on without what stands there.",
    )


# ---- the program -------------------------------------------------------------------------------------


def _facts() -> NbgraderFacts:
    """Asked where nbgrader was started: its settings are read, and nothing is done."""
    from nbgrader.apps.baseapp import NbGrader
    from nbgrader.exchange.default import Exchange
    from traitlets.config.loader import LazyConfigValue

    app = NbGrader()
    app.log_level = 50
    app.raise_config_file_errors = True
    try:
        app.initialize([])
        places = app.coursedir
        factory = {
            name: value if isinstance(value, str) else f"{value.__module__}.{value.__name__}"
            for name, value in app.config.get("ExchangeFactory", {}).items()
            if not isinstance(value, LazyConfigValue)
        }
        own = {step: getattr(places, f"{step}_directory") for step in STEPS}
        return NbgraderFacts(
            root=places.root,
            course_id=places.course_id,
            db_url=places.db_url,
            exchange_root=str(Exchange(config=app.config).root),
            files=tuple(app.loaded_config_files),
            folders={step: name for step, name in own.items() if name != step},
            structure=places.directory_structure,
            exchange_classes={
                name: where for name, where in factory.items() if not where.startswith("nbgrader.exchange.default")
            },
            max_file_kb=places.max_file_size if "max_file_size" in app.config.CourseDirectory else 0,
        )
    except Exception as error:  # noqa: BLE001  (an instructor's file raises anything)
        return NbgraderFacts("", "", "", "", error=f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    os.environ[OWN_ENGINE] = "1"  # of a course of ours, too, what nbgrader itself makes of it
    Path(sys.argv[1]).write_text(json.dumps(asdict(_facts())), encoding="utf-8")
