"""A page of the book, followed command by command: what it shows is what is printed."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

BOOK = Path(__file__).resolve().parents[2] / "book"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANYTHING = "…"
END = "exit-code-of-the-command:"
MORE = ">"  # at the beginning of a line that goes on with the command above it


@dataclass(frozen=True)
class Command:
    """A command as the page has it, and the lines that it shows below it."""

    text: str
    shown: list[str]


@dataclass(frozen=True)
class FollowedPage:
    """A page's commands, and what each of them printed."""

    commands: list[Command]
    printed: list[str]

    def assert_shown(self) -> None:
        """What the page shows of a command is what was printed, in full lines; its last line is the last one, unless
        the page says that there are more."""
        for command, output in zip(self.commands, self.printed, strict=True):
            lines = [line.rstrip() for line in output.splitlines()]
            for shown in filter(lambda line: line != ANYTHING, command.shown):
                assert any(_as_pattern(shown).fullmatch(line) for line in lines), f"{command.text}: {shown}\n{output}"
            if command.shown and command.shown[-1] != ANYTHING:
                assert _as_pattern(command.shown[-1]).fullmatch(output.strip().splitlines()[-1]), command.text


def commands_of(page: str) -> list[Command]:
    """The commands of a page of the book; a block of root's (`# `) is for a server, and is not followed."""
    commands: list[Command] = []
    blocks = BLOCK.findall((BOOK / page).read_text(encoding="utf-8"))
    for block in (each for each in blocks if not each.startswith("# ")):
        for line in block.splitlines():
            if line.startswith("$ "):
                commands.append(Command(line.removeprefix("$ "), []))
            elif line.startswith(MORE):
                more = line.removeprefix(MORE).removeprefix(" ")
                commands[-1] = Command(f"{commands[-1].text}\n{more}", commands[-1].shown)
            else:
                commands[-1].shown.append(line)
    return commands


def followed(page: str, folder: Path, environment: dict[str, str]) -> FollowedPage:
    """Run a page's commands in a folder: one shell runs them all, as a person's would, and stops at the first that
    fails."""
    commands = commands_of(page)
    lines = [f"{{ {command.text}\n}} 2>&1 </dev/null; code=$?; echo; echo {END}$code" for command in commands]
    script = "\n".join(f"{line}; test $code = 0 || exit 1" for line in lines)
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=550, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:]
    printed = done.stdout.split(f"{END}0\n")[:-1]
    assert len(printed) == len(commands)
    return FollowedPage(commands, printed)


def _as_pattern(shown: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, shown.split(ANYTHING))))
