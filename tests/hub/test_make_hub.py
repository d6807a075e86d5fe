"""`make hub`: it says how to use it, tells the password to a terminal only, and leaves nothing behind."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
from ports import free_row
from whole_hub import PROJECT, Person, WholeHub, end_leftovers, proxy_command

from tito.hub.config.authenticators import PASSWORD_FILE

BOOK = "<h1>The book of the tests</h1>"


class Terminal:
    """A command in a terminal of its own, and what it wrote there."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
        )
        os.close(theirs)
        self.text = ""

    def wait_for(self, text: str, within_s: float) -> None:
        until = time.monotonic() + within_s
        while text not in self.text:
            assert time.monotonic() < until, self.text
            if select.select([self._ours], [], [], 0.2)[0]:
                try:
                    self.text += os.read(self._ours, 4096).decode()
                except OSError as error:  # the command has ended
                    raise AssertionError(self.text) from error

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._ours)


def project_with_a_book(folder: Path) -> Path:
    """A project of whose files `make hub` uses ours, with a built book of one page."""
    html = folder / "book/_build/html"
    html.mkdir(parents=True)
    (html / "index.html").write_text(BOOK)
    (folder / "docker").symlink_to(PROJECT / "docker")
    return folder


def test_make_hub_starts_a_hub_says_how_to_use_it_and_stops_all_of_it(tmp_path: Path, released_once: Path) -> None:
    proxy_command()
    course = tmp_path / "course"
    shutil.copytree(released_once, course)
    shutil.copy(PROJECT / "nbgrader_config.py", course)
    port, state = free_row(6), tmp_path / "state"
    project = project_with_a_book(tmp_path / "project")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TITO_HUB_")}
    command = [sys.executable, "-m", "tito.hub.config.laptop", "--project", str(project), "--course", str(course)]
    terminal = Terminal([*command, "--port", str(port)], environment | {"TITO_HUB_STATE": str(state)})
    try:
        terminal.wait_for("Ctrl-C stops all of it", 90)
        text = terminal.text
        assert "all servers are processes of your own account" in text
        assert f"http://localhost:{port}/" in text
        assert "instructors instructor" in text
        assert "nothing yet" in text
        password = re.findall(r"Password: +(\S+)", text)
        assert len(password) == 1
        assert password[0] not in (state / "hub.log").read_text()
        assert not (state / PASSWORD_FILE).exists()
        ada = Person(WholeHub(tmp_path, {}, ports=[port]), "student")
        assert ada.log_in(password[0]).status_code == 200
        book = f"http://127.0.0.1:{port + 5}/"
        assert f"The book:       {book}" in text
        assert f'href="{book}"' in ada.get("/hub/home").text
        assert httpx.get(book).text == BOOK
        ada.start_server()
        ada.browser.close()
        started = psutil.Process(terminal.process.pid).children(recursive=True)
        assert len(started) >= 6  # hub, proxy, exchange, formgrader, a server, the book
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.process.wait(40) == 0
        assert psutil.wait_procs(started, timeout=5)[1] == []
    finally:
        terminal.close()
        end_leftovers(tmp_path)
