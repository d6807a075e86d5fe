"""What `make hub` settles before it starts anything: the password's place, ports, and the course of a demo."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from tito.course.course import load_course
from tito.errors import PlatformError
from tito.hub.config.authenticators import PASSWORD_FILE, tell_password
from tito.hub.config.laptop import PROXY, Ports, _environment, _require_free, mended_for_the_hub


def test_without_a_terminal_the_password_is_in_a_file_of_ones_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / PASSWORD_FILE).write_text("an old one, and readable")
    tell_password("a-new-password", tmp_path)
    assert (tmp_path / PASSWORD_FILE).read_text() == "a-new-password\n"
    assert (tmp_path / PASSWORD_FILE).stat().st_mode & 0o777 == 0o600
    assert "a-new-password" not in capsys.readouterr().out


def test_a_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(PlatformError, match=r"for the hub's address, is in use"):
            _require_free(Ports(taken.getsockname()[1]))


def test_a_demos_course_is_given_to_the_hubs_exchange_and_no_other_is_touched(tmp_path: Path) -> None:
    text = 'id = "c1"\n[exchange]\nurl = "local"\nkind = "service"\n'
    (tmp_path / "course.toml").write_text(text)
    assert not mended_for_the_hub(tmp_path)
    assert (tmp_path / "course.toml").read_text() == text
    (tmp_path / ".tito-demo").touch()
    assert mended_for_the_hub(tmp_path)
    assert (tmp_path / "course.toml").read_text() == text.replace('url = "local"\n', "")


@pytest.mark.parametrize(("table", "runs"), [("", False), ("[precheck]\nper_hour = 3\n", True)])
def test_visible_tests_are_run_on_submit_where_the_course_says_so(tmp_path: Path, table: str, runs: bool) -> None:
    proxy = tmp_path / PROXY
    proxy.parent.mkdir(parents=True)
    proxy.touch()
    (tmp_path / "course.toml").write_text(f'id = "c1"\n{table}')
    variables = _environment(tmp_path, load_course(tmp_path), Ports(8000))
    assert json.loads(variables["TITO_HUB_COURSES"])["c1"]["precheck"] is runs
