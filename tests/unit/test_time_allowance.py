"""How long a process is waited for that says nothing: by what it is seen to use."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from tito.sandbox import time_allowance
from tito.sandbox.inside.codec import Channel, EndOfStream
from tito.sandbox.time_allowance import TimeAllowance, take

LIMIT_S = 10.0


class Session:
    """What a session has used of a processor, and the time by the clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now_s, self.used_s = 100.0, 7.0
        monkeypatch.setattr(time_allowance.time, "monotonic", lambda: self.now_s)

    def cpu_s(self) -> float:
        return self.used_s

    def allowance(self) -> TimeAllowance:
        allowance = TimeAllowance(LIMIT_S, self)
        allowance.look()
        return allowance

    def until_used_up_s(self, share: float) -> float:
        """How long it is waited for when it gets that share of a processor."""
        allowance, started = self.allowance(), self.now_s
        while not allowance.is_used_up():
            self.now_s += 0.25
            self.used_s += 0.25 * share
        return self.now_s - started


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    return Session(monkeypatch)


@pytest.mark.parametrize(
    ("share", "most_s"),
    [(1.0, 11.5), (0.0, 15.5), (4.0, 11.5), (0.7, 16.0), (0.3, 25.5)],
    ids=["at work", "waits for something", "at work with its children", "held up", "held up more"],
)
def test_who_does_not_stop_at_its_limit_is_given_up_on_soon_after(
    session: Session, share: float, most_s: float
) -> None:
    assert most_s - 1.0 < session.until_used_up_s(share) <= most_s


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0, 4.0])
def test_nobody_is_given_up_on_before_the_limit_and_a_second(session: Session, share: float) -> None:
    assert session.until_used_up_s(share) > LIMIT_S + 1.0


def test_what_was_used_before_does_not_count(session: Session) -> None:
    session.used_s = 500.0
    allowance = session.allowance()
    session.now_s += 12.0
    session.used_s += 5.0
    assert not allowance.is_used_up()


def test_where_nothing_can_be_seen_the_clock_alone_counts(session: Session) -> None:
    allowance = TimeAllowance(LIMIT_S, None)
    allowance.look()
    session.now_s += 24.5
    assert not allowance.is_used_up()
    session.now_s += 1.0
    assert allowance.is_used_up()


@pytest.fixture
def pair() -> Iterator[tuple[Channel, Channel]]:
    ours, theirs = (Channel(end) for end in socket.socketpair())
    yield ours, theirs
    ours.close()
    theirs.close()


def test_a_message_that_is_there_is_taken_whatever_time_is_left(pair: tuple[Channel, Channel]) -> None:
    ours, theirs = pair
    theirs.send({"op": "ready"})
    assert take(ours, TimeAllowance(0.0, None))[0] == {"op": "ready"}


def test_a_silence_ends_with_the_shortest_time_allowance(
    pair: tuple[Channel, Channel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_allowance, "GRACE_S", 0.1)
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        take(pair[0], TimeAllowance(100.0, None), TimeAllowance(0.0, None))
    assert time.monotonic() - started < 5.0


def test_who_has_gone_is_not_waited_for(pair: tuple[Channel, Channel]) -> None:
    ours, theirs = pair
    theirs.close()
    with pytest.raises(EndOfStream):
        take(ours, TimeAllowance(100.0, None))


def test_the_rest_of_a_message_is_not_waited_for_for_ever(
    pair: tuple[Channel, Channel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time_allowance, "GRACE_S", 0.1)
    ours, theirs = pair
    theirs.connection.sendall(b"\0")
    with pytest.raises(TimeoutError):
        take(ours, TimeAllowance(100.0, None))
