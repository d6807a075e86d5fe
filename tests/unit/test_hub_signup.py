"""Who gets in where people sign up, and how often it may be tried."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import bcrypt
import pytest

from tito.hub.config.signup import MANY, InstructorsApprove

PASSWORD = "a long password"
HASHED = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4))
MOST = 5


class Account(SimpleNamespace):
    def is_valid_token(self, token: str | None) -> bool:
        return token == "123456"


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> InstructorsApprove:
    """A hub's authenticator without the hub's database."""
    accounts = {
        "ada": Account(password=HASHED, is_authorized=True, has_2fa=False),
        "bob": Account(password=HASHED, is_authorized=False, has_2fa=False),
        "eve": Account(password=HASHED, is_authorized=True, has_2fa=True),
    }
    monkeypatch.setattr(InstructorsApprove, "get_user", lambda _, name: accounts.get(name))
    return InstructorsApprove(add_new_table=False, allowed_failed_logins=MOST, seconds_before_next_try=600)


def log_in(
    people: InstructorsApprove, name: str, password: str = PASSWORD, address: str = "192.0.2.1", **more: Any
) -> Any:
    handler = SimpleNamespace(request=SimpleNamespace(remote_ip=address))
    return people.authenticate(handler, {"username": name, "password": password} | more)


def test_a_password_and_an_approval_are_both_needed(people: InstructorsApprove) -> None:
    assert asyncio.run(log_in(people, "ada")) == "ada"
    for name, password in (("ada", "another one"), ("bob", PASSWORD), ("nobody", PASSWORD)):
        assert asyncio.run(log_in(people, name, password)) is None


def test_a_second_factor_is_asked_for_where_an_account_has_one(people: InstructorsApprove) -> None:
    assert asyncio.run(log_in(people, "eve")) is None
    assert asyncio.run(log_in(people, "eve", **{"2fa": "123456"})) == "eve"


def test_many_guesses_at_once_are_no_more_than_one_after_another(
    people: InstructorsApprove, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    async def in_thread(_: Any, function: Any, password: str, hashed: bytes) -> bool:
        await asyncio.sleep(0)
        tried.append(password)
        return False

    monkeypatch.setattr(InstructorsApprove, "_in_thread", in_thread)

    async def guess() -> None:
        await asyncio.gather(*(log_in(people, "ada", f"guess {number}") for number in range(40)))

    asyncio.run(guess())
    assert len(tried) == MOST


def test_a_class_behind_one_address_gets_in(people: InstructorsApprove) -> None:
    for _ in range(MOST * MANY + 5):
        assert asyncio.run(log_in(people, "ada")) == "ada"
