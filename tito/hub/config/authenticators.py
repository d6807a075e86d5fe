"""How people log in: a shared password for a trial, sign-up, OAuth 2, or LTI 1.3."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from pydantic import BaseModel

from tito.errors import BadSource
from tito.hub.config.load_settings import secret_of
from tito.hub.config.origins import LOOPBACK
from tito.hub.config.people import everybody, staff
from tito.hub.config.roles import CUSTOM_SCOPES
from tito.hub.config.settings import CLUSTER, LAPTOP, HubSettings

PASSWORD_FILE = "password"
PASSWORD_LENGTH = 8


def auth_kind(settings: HubSettings) -> str:
    """Which authenticator.

    Raises:
        BadSource: none is chosen, or one that this deployment should not have.
    """
    kind = settings.auth.kind or {LAPTOP: "dummy", CLUSTER: "chart"}.get(settings.deployment, "")
    if not kind:
        raise BadSource("Nothing says how people log in.", hint="Set auth.kind to 'native', 'oauth' or 'lti13'.")
    if kind == "chart" and settings.deployment != CLUSTER:
        raise BadSource("auth.kind is 'chart', and this is no cluster.", hint="Set it to 'native', 'oauth' or 'lti13'.")
    reachable = settings.deployment != LAPTOP or urlsplit(settings.bind_url).hostname not in LOOPBACK
    if kind == "dummy" and reachable and not settings.auth.dummy.anywhere:
        raise BadSource(
            f"auth.kind is 'dummy', one password for all, and others can reach {settings.bind_url}.",
            hint="Set auth.kind to 'native', 'oauth' or 'lti13'; or auth.dummy.anywhere to true, if you must.",
        )
    return kind


def configure_authenticator(c: Any, settings: HubSettings, state: Path) -> None:
    """Tell the hub how people log in, and who may."""
    kind = auth_kind(settings)
    if kind == "chart":
        return
    c.Authenticator.admin_users = set(settings.admins)
    if settings.auth.allow == "all" or kind == "native":  # whoever was let in, of those who signed up
        c.Authenticator.allow_all = True
    else:
        c.Authenticator.allowed_users = everybody(settings)
    HOW[kind](c, settings, state)


def _dummy(c: Any, settings: HubSettings, state: Path) -> None:
    password = secret_of(settings.auth.dummy, "password")
    if password and len(password) < PASSWORD_LENGTH:
        raise BadSource(f"auth.dummy.password has less than {PASSWORD_LENGTH} characters.", hint="Take a longer one.")
    if not password:
        password = new_password()
        tell_password(password, state)
    c.JupyterHub.authenticator_class = "shared-password"
    c.SharedPasswordAuthenticator.user_password = password
    if settings.admins:
        raise BadSource("With one password for all there can be no admins.", hint="Take `admins` out.")


def new_password() -> str:
    """One that nobody guesses, and that can be typed."""
    return secrets.token_urlsafe(9)


def tell_password(password: str, state: Path) -> None:
    """Once, to a terminal. Where there is none, output may be a log: then to a file that only this account reads."""
    path = state / PASSWORD_FILE
    path.unlink(missing_ok=True)
    if sys.stdout.isatty():
        click.echo(f"Password:       {password}   (of every user, until the hub stops)")
        return
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{password}\n")
    click.echo(f"Password:       of every user; it stands in {path}, which only you can read")


def _native(c: Any, settings: HubSettings, state: Path) -> None:
    """Names that the settings give a role are not to be had by signing up first: tito/hub/accounts.py opens them."""
    chosen = settings.auth.native
    c.JupyterHub.authenticator_class = "tito.hub.config.signup.InstructorsApprove"
    c.JupyterHub.custom_scopes.update(CUSTOM_SCOPES)
    c.InstructorsApprove.reserved = staff(settings)
    c.NativeAuthenticator.enable_signup = True
    c.NativeAuthenticator.open_signup = False
    c.NativeAuthenticator.minimum_password_length = chosen.password_length
    c.NativeAuthenticator.check_common_password = True
    c.NativeAuthenticator.allowed_failed_logins = chosen.failed_logins
    c.NativeAuthenticator.seconds_before_next_try = 600
    c.NativeAuthenticator.ask_email_on_signup = chosen.ask_email


def _oauth(c: Any, settings: HubSettings, state: Path) -> None:
    chosen = settings.auth.oauth
    _require(chosen, "auth.oauth", "client_id", "authorize_url", "token_url", "userdata_url", "callback_url")
    c.JupyterHub.authenticator_class = "generic-oauth"
    authenticator = c.GenericOAuthenticator
    authenticator.client_id = chosen.client_id
    authenticator.client_secret = _required_secret(chosen, "auth.oauth", "client_secret")
    authenticator.authorize_url = chosen.authorize_url
    authenticator.token_url = chosen.token_url
    authenticator.userdata_url = chosen.userdata_url
    authenticator.oauth_callback_url = chosen.callback_url
    authenticator.username_claim = chosen.username_claim
    authenticator.scope = chosen.scope
    authenticator.login_service = chosen.service


def _lti13(c: Any, settings: HubSettings, state: Path) -> None:
    chosen = settings.auth.lti13
    _require(chosen, "auth.lti13", "issuer", "authorize_url", "jwks_endpoint", "client_id")
    c.JupyterHub.authenticator_class = "ltiauthenticator.lti13.auth.LTI13Authenticator"
    authenticator = c.LTI13Authenticator
    authenticator.issuer = chosen.issuer
    authenticator.authorize_url = chosen.authorize_url
    authenticator.jwks_endpoint = chosen.jwks_endpoint
    authenticator.client_id = set(chosen.client_id)
    authenticator.username_key = chosen.username_key
    authenticator.tool_name = chosen.tool_name


HOW: dict[str, Callable[[Any, HubSettings, Path], None]] = {
    "dummy": _dummy,
    "native": _native,
    "oauth": _oauth,
    "lti13": _lti13,
}


def _require(chosen: BaseModel, where: str, *names: str) -> None:
    missing = [f"{where}.{name}" for name in names if not getattr(chosen, name)]
    if missing:
        raise BadSource(f"Not set: {', '.join(missing)}.", hint="The provider's administrator knows them.")


def _required_secret(chosen: BaseModel, where: str, name: str) -> str:
    secret = secret_of(chosen, name)
    if not secret:
        raise BadSource(f"Not set: {where}.{name}.", hint=f"Put it into a file and name that in {where}.{name}_file.")
    return secret
