"""How often something was tried lately."""

from __future__ import annotations

import pytest

from tito.hub.config import attempts
from tito.hub.config.attempts import Attempts


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_what_is_old_counts_no_more() -> None:
    clock = Clock()
    tried = Attempts(10.0, clock)
    for at in (0.0, 4.0, 8.0):
        clock.now_s = at
        tried.add("ada")
    assert (tried.count("ada"), tried.count("bob")) == (3, 0)
    clock.now_s = 12.0
    assert tried.count("ada") == 2
    tried.forget("ada")
    assert tried.count("ada") == 0


def test_an_attempt_can_be_taken_back() -> None:
    tried = Attempts(10.0, Clock())
    tried.take_back("ada")
    tried.add("ada")
    tried.add("ada")
    tried.take_back("ada")
    assert tried.count("ada") == 1


def test_keys_that_nobody_comes_back_with_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "MOST_KEYS", 3)
    clock = Clock()
    tried = Attempts(10.0, clock)
    for number in range(20):
        clock.now_s = 20.0 * number
        tried.add(number)
    assert len(tried._times) <= 4
