"""Accounts of instructors, TAs and admins where people sign up: whoever runs the hub opens them.

    python -P -m tito.hub.accounts NAME...

prints each one's password, once; they change it at /hub/change-password. An account that is there gets a new password,
whoever had opened it. Run with the hub's own environment, and once the hub has been started.

At /hub/signup these names are refused: whoever came first would have what the settings give to the name.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterable

import bcrypt
import click
from nativeauthenticator.orm import UserInfo
from sqlalchemy import create_engine, inspect
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from tito.errors import BadSource, PlatformError, TitoError
from tito.hub.config.authenticators import auth_kind
from tito.hub.config.configure import database_url
from tito.hub.config.load_settings import load_settings
from tito.hub.config.people import staff
from tito.hub.config.settings import HubSettings

LEAST_LENGTH = 16
USAGE = "Usage: python -P -m tito.hub.accounts NAME..., with names that the settings give a role."


def open_accounts(settings: HubSettings, names: Iterable[str]) -> dict[str, str]:
    """Passwords by name. All accounts are opened, or none.

    Raises:
        BadSource: nobody signs up on this hub, or a name has no role in the settings.
        PlatformError: the hub's database cannot be written.
    """
    if auth_kind(settings) != "native":
        raise BadSource("People do not sign up on this hub (auth.kind is not 'native').", hint="They just log in.")
    known, wanted = staff(settings), [name.strip().lower() for name in names]
    if strangers := [name for name in wanted if name not in known]:
        raise BadSource(
            f"The settings name no instructor, TA or admin {', '.join(strangers)}.",
            hint="Students sign up at /hub/signup; anybody else has to be named in the settings first.",
        )
    length = max(LEAST_LENGTH, settings.auth.native.password_length)
    passwords = {name: secrets.token_urlsafe(length)[:length] for name in wanted}
    try:
        _write(database_url(settings), passwords)
    except SQLAlchemyError as error:  # its text may hold the URL, and so a password
        raise PlatformError(
            f"The hub's database cannot be written ({type(error).__name__}).", hint="Run this where the hub runs."
        ) from None
    return passwords


def _write(url: str, passwords: dict[str, str]) -> None:
    engine = create_engine(url)
    if UserInfo.__tablename__ not in inspect(engine).get_table_names():
        raise PlatformError("The hub has not been started yet.", hint="Start it first: it makes its own database.")
    with Session(engine) as db, db.begin():
        for name, password in passwords.items():
            hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt())
            there = UserInfo.find(db, name)
            if there is None:
                db.add(UserInfo(username=name, password=hashed, is_authorized=True))
            else:
                there.password, there.is_authorized, there.has_2fa = hashed, True, False
    engine.dispose()


def main() -> None:
    """Entry point of `python -m tito.hub.accounts`."""
    if not sys.argv[1:] or sys.argv[1].startswith("-"):
        click.echo(USAGE, err=True)
        sys.exit(2)
    try:
        for name, password in open_accounts(load_settings(os.environ), sys.argv[1:]).items():
            click.echo(f"{name}: {password}")
    except TitoError as error:
        click.echo(f"tito.hub.accounts: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
