"""What the visible tests say of the newest submission, as a page beside its receipt: `receipts/prechecks.md`."""

from __future__ import annotations

import os
import re
import threading
import time
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from logging import Logger
from pathlib import Path

from tito.errors import TitoError
from tito.exchange.client.gateway import Gateway
from tito.exchange.protocol.records import Precheck, PrecheckedTest, PrecheckState, Submission

RECEIPTS = "receipts"
PRECHECKS = "prechecks.md"
FIRST_LOOK_S = 0.15  # after which one who is alone has a verdict; a whole class looks again after a longer while
LOOK_S, LONGEST_LOOK_S = 0.5, 5.0  # between later looks: an eighth of the time that it has taken, and within these
BEHIND_S = 600.0  # for so long a student's server looks for a verdict; after that, when a list is refreshed
AWAITED = "They have not been run yet."
NOT_HERE = "Hidden tests are not run here, and this is no grade."
NOTES = {
    PrecheckState.OFF: "This submission was not checked: the course had no prechecks when it was handed in.",
    PrecheckState.WAITING: f"{AWAITED} The result comes into this file, or when the list of assignments is refreshed.",
    PrecheckState.REPLACED: "They were not run: you handed in again before it was this submission's turn.",
    PrecheckState.DROPPED: "They were not run: the assignment was withdrawn, or prechecks were switched off.",
    PrecheckState.FAILED: "They could not be run, and that is not your fault. Tell the instructor.",
}
HEAD_BYTES = 2000


def prechecks_file(folder: Path) -> Path:
    """Where the page of an assignment's folder is."""
    return folder / RECEIPTS / PRECHECKS


def is_awaited(path: Path) -> bool:
    """Whether there is a page that waits for its result."""
    return AWAITED.encode() in _head(path)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError:
        return b""


def looked_for(remote: Gateway, submission: Submission, seconds: float) -> Precheck:
    """The precheck of a submission as soon as it is over, else as it stands after so long; or at once, where it waits
    for a time that the rate limit sets."""
    begun, pause = time.monotonic(), FIRST_LOOK_S
    while not (precheck := remote.precheck(submission)).state.final and precheck.next_at is None:
        took = time.monotonic() - begun
        if took >= seconds:
            break
        time.sleep(min(pause, seconds - took))
        pause = min(max(LOOK_S, took / 8), LONGEST_LOOK_S)
    return precheck


def write_when_known(opened: Callable[[], Gateway], submission: Submission, path: Path, log: Logger) -> None:
    """Have the page come by itself, from a thread with a gateway of its own: for a server, which answers nobody while
    its one thread waits. The thread ends with the server; what is missing then comes when a list is refreshed."""

    def watch() -> None:
        try:
            remote = opened()
            try:
                precheck = remote.precheck(submission)
                if precheck.state is not PrecheckState.OFF:
                    write_prechecks(path, submission, precheck)
                if not precheck.state.final:
                    write_prechecks(path, submission, looked_for(remote, submission, BEHIND_S))
            finally:
                remote.close()
        except (TitoError, OSError) as error:
            log.debug("No precheck of %s: %s", submission.id, error)

    threading.Thread(target=watch, name=f"precheck of {submission.id}", daemon=True).start()


_WRITING = threading.Lock()


def write_prechecks(path: Path, submission: Submission, precheck: Precheck) -> None:
    """Write the page, over that of an older submission and never over that of a newer one."""
    with _WRITING:
        if _handed_in(path) > submission.timestamp:
            return
        path.parent.mkdir(exist_ok=True)
        scratch = path.with_name(f".{PRECHECKS}.{os.getpid()}")
        scratch.write_text(page(submission, precheck), encoding="utf-8")
        scratch.replace(path)


def _handed_in(path: Path) -> str:
    """The time of the submission that the page is of, which sorts; "" where there is no page."""
    line = re.search(rb"^Submission \w+, handed in (.+)\.$", _head(path), re.MULTILINE)
    return line[1].decode() if line else ""


def page(submission: Submission, precheck: Precheck) -> str:
    """Markdown. What student code has a part in stands in fenced blocks that it cannot end."""
    lines = [
        f"# Visible tests: {submission.assignment}",
        "",
        f"Submission {submission.id}, handed in {submission.timestamp}.",
        "",
        _in_words(precheck),
        "",
        NOT_HERE,
    ]
    for test in precheck.result.tests if precheck.result else []:
        lines += ["", f"## {_plain(test.name)}: {_plain(test.verdict)} ({test.seconds:.2f} s)"]
        if test.message:
            lines += ["", *_fenced(test.message)]
    return "\n".join(lines) + "\n"


def summary(precheck: Precheck) -> list[str]:
    """The same for a terminal, a line for each test."""
    tests = precheck.result.tests if precheck.result else []
    return [f"Visible tests: {_in_words(precheck)}", *map(_line, tests), NOT_HERE]


def _in_words(precheck: Precheck) -> str:
    result = precheck.result
    if result is None:
        return NOTES[precheck.state] if precheck.next_at is None else _limited(precheck.next_at)
    if result.fault:
        return _plain(result.fault)
    passed = sum(test.verdict == "PASSED" for test in result.tests)
    return f"{passed} of {len(result.tests)} passed (release revision {result.revision})."


def _limited(next_at: datetime) -> str:
    """Of a precheck that waits for a time; in words that tell that the page waits for its result."""
    return (
        f"{AWAITED} You have had as many prechecks within an hour as the course gives. This one is made from "
        f"{next_at.astimezone(UTC):%Y-%m-%d %H:%M:%S UTC} on, unless you hand in again before: then it is the newer "
        "one's. Refresh the list of assignments after that."
    )


def _line(test: PrecheckedTest) -> str:
    message = " ".join(_printable(test.message).split())
    shown = f": {message[:160]}" if message else ""
    return f"{_plain(test.verdict):8} {_plain(test.name)} ({test.seconds:.2f} s){shown}"


def _plain(text: str) -> str:
    """A text without anything that Markdown takes for more than text."""
    return re.sub(r"[^\w .,:;()'-]", " ", _printable(text)).replace("\n", " ")


def _fenced(text: str) -> list[str]:
    shown = _printable(text)
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", *shown.split("\n"), fence]


def _printable(text: str) -> str:
    """Control characters, which move cursors and hide text, as escapes; line ends and tabs stay."""
    return "".join(
        character if character in "\n\t" or not _controls(character) else ascii(character)[1:-1] for character in text
    )


def _controls(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
