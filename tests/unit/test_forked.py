"""Work in a process of its own: its result, what it raises, and that nothing is left of it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tito.author.forked import forked
from tito.errors import BadSource, PlatformError

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def _forks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where tests are run by several processes, each has a thread more."""
    monkeypatch.setattr("tito.author.forked.can_fork", lambda: True)


def test_where_it_cannot_be_forked_the_work_is_done_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tito.author.forked.can_fork", lambda: False)
    done = []
    with forked(lambda: done.append(os.getpid())) as result:
        assert done == []
        result()
    assert done == [os.getpid()]


def test_two_go_on_side_by_side_and_give_what_they_made() -> None:
    with forked(os.getpid) as first, forked(lambda: [1, 2]) as second:
        assert second() == [1, 2]
        assert first() != os.getpid()


def test_what_the_work_raises_is_raised_where_it_is_waited_for() -> None:
    def refuse() -> None:
        raise BadSource("no", hint="Mend it.")

    with forked(refuse) as result, pytest.raises(BadSource, match="no") as raised:
        result()
    assert raised.value.hint == "Mend it."


def test_a_process_that_ends_before_it_is_done_is_a_fault_of_ours() -> None:
    with forked(lambda: os._exit(7)) as result, pytest.raises(PlatformError, match="ended with 7"):
        result()


def test_what_is_not_waited_for_is_ended(tmp_path: Path) -> None:
    def work() -> None:
        (tmp_path / "pid").write_text(str(os.getpid()))
        time.sleep(600)

    with forked(work):
        for _ in range(500):
            if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
                break
            time.sleep(0.01)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
