"""The exchange as a service of JupyterHub: settings from the environment, the application, its log, its start.

The hub starts `python -m tito.exchange` (or `tito exchange serve`) and sets JUPYTERHUB_API_URL, JUPYTERHUB_SERVICE_URL,
JUPYTERHUB_SERVICE_PREFIX and JUPYTERHUB_OAUTH_ACCESS_SCOPES; and JUPYTERHUB_CLIENT_ID, JUPYTERHUB_API_TOKEN,
JUPYTERHUB_HOST, JUPYTERHUB_BASE_URL and JUPYTERHUB_PUBLIC_URL, by which browsers log in to its page. The rest is ours:

    TITO_EXCHANGE_ROOT        folder of the SQLite database and the blobs; made with mode 0700
    TITO_EXCHANGE_DB          another database, as a SQLAlchemy URL
    TITO_EXCHANGE_STORE       another store for blobs, a path or a fsspec URL such as s3://bucket/prefix; where that is
                              and who enters it is what its own library reads of the environment (for S3: AWS_*)
    TITO_EXCHANGE_SERVICES    JSON, which groups the hub's services count in: {"c101": ["formgrade-c101"]}, and
                              for the worker of prechecks {"precheck-c101": ["precheck-c101"]}
    TITO_EXCHANGE_REQUESTS_PER_MINUTE, TITO_EXCHANGE_UPLOADS_PER_MINUTE
                              of one user, counted by each process for itself; fifty times as many for staff
    TITO_EXCHANGE_IDENTITY_KEEP_S
                              how long the hub's word on a token is remembered: for so long a revoked one still works
    TITO_EXCHANGE_<QUOTA>     a field of `Quotas` in capitals, such as TITO_EXCHANGE_SUBMISSION_MB
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
import traceback
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import Json, PositiveFloat, PositiveInt
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tito import __version__
from tito.errors import TitoError
from tito.exchange.protocol.names import shown
from tito.exchange.protocol.problems import Refused
from tito.exchange.server.access import PageRefused, Rate, require_guards
from tito.exchange.server.database import Database
from tito.exchange.server.identity import HubIdentity
from tito.exchange.server.ledger import Ledger
from tito.exchange.server.local import BLOBS, DATABASE_NAME
from tito.exchange.server.login import Login, LoginNeeded
from tito.exchange.server.notifier import Notifier
from tito.exchange.server.page import problem_page
from tito.exchange.server.quotas import Quotas
from tito.exchange.server.routes import courses, feedback, health, pages, prechecks, releases, submissions, users
from tito.exchange.server.store import DirectoryStore, open_store
from tito.validation import from_environment

LOG = logging.getLogger("tito.exchange")
PUBLIC = frozenset({"health", "oauth_callback"})
ROOT_VARIABLE = "TITO_EXCHANGE_ROOT"


@dataclass(frozen=True)
class ServiceSettings:
    """All that the service is told."""

    root: Path = Path("exchange")
    db_url: str = ""  # default: SQLite in `root`
    store: str = ""  # default: a directory in `root`
    hub_api_url: str = "http://127.0.0.1:8081/hub/api"
    access_scopes: Json[frozenset[str]] = frozenset()
    services: Json[dict[str, list[str]]] = field(default_factory=dict)
    prefix: str = ""
    login: Login | None = None  # without one, there is no page for browsers
    host: str = "127.0.0.1"
    port: int = 8889
    quotas: Quotas = field(default_factory=Quotas)
    requests_per_minute: PositiveInt = 600
    uploads_per_minute: PositiveInt = 20
    upload_timeout_s: float = 120.0
    identity_keep_s: PositiveFloat = 10.0  # for so long a token that was revoked still works

    @property
    def database_url(self) -> str:
        return self.db_url or f"sqlite:///{self.root.resolve() / DATABASE_NAME}"


VARIABLES = {
    "root": ROOT_VARIABLE,
    "db_url": "TITO_EXCHANGE_DB",
    "store": "TITO_EXCHANGE_STORE",
    "hub_api_url": "JUPYTERHUB_API_URL",
    "access_scopes": "JUPYTERHUB_OAUTH_ACCESS_SCOPES",
    "services": "TITO_EXCHANGE_SERVICES",
    "requests_per_minute": "TITO_EXCHANGE_REQUESTS_PER_MINUTE",
    "uploads_per_minute": "TITO_EXCHANGE_UPLOADS_PER_MINUTE",
    "identity_keep_s": "TITO_EXCHANGE_IDENTITY_KEEP_S",
}
QUOTA_VARIABLES = {quota.name: f"TITO_EXCHANGE_{quota.name.upper()}" for quota in fields(Quotas)}


def load_settings(environment: Mapping[str, str]) -> ServiceSettings:
    """The settings in an environment.

    Raises:
        BadSource: one of them cannot be read; says which, and not what it is.
    """
    settings = from_environment(ServiceSettings, environment, VARIABLES)
    url = urlsplit(environment.get("JUPYTERHUB_SERVICE_URL", ""))
    return replace(
        settings,
        prefix=environment.get("JUPYTERHUB_SERVICE_PREFIX", "").rstrip("/"),
        login=_login(environment),
        host=url.hostname or settings.host,
        port=url.port or settings.port,
        quotas=from_environment(Quotas, environment, QUOTA_VARIABLES),
    )


def _login(environment: Mapping[str, str]) -> Login | None:
    """The OAuth client that the hub made of this service."""
    names = ("JUPYTERHUB_CLIENT_ID", "JUPYTERHUB_API_TOKEN", "JUPYTERHUB_SERVICE_PREFIX")
    client_id, secret, prefix = (environment.get(name, "") for name in names)
    if not (client_id and secret and prefix):
        return None
    host, base = environment.get("JUPYTERHUB_HOST", ""), environment.get("JUPYTERHUB_BASE_URL", "/").rstrip("/")
    api_url = environment.get("JUPYTERHUB_API_URL", ServiceSettings.hub_api_url).rstrip("/")
    path = prefix.rstrip("/")
    hub = urlsplit(host)  # given where each service has a name of its own below the hub's
    origin = f"{hub.scheme}://{path.rpartition('/')[2]}--service.{hub.netloc}" if host else ""
    page = environment.get("JUPYTERHUB_PUBLIC_URL") or f"{origin}{path}/"
    return Login(
        client_id=client_id,
        secret=secret,
        authorize_url=f"{host}{base}/hub/api/oauth2/authorize",
        token_url=f"{api_url}/oauth2/token",
        callback_url=environment.get("JUPYTERHUB_OAUTH_CALLBACK_URL") or f"{page}oauth_callback",
        page=page,
        path=path,
        alone=hub.scheme == "https",
    )


def open_ledger(settings: ServiceSettings, *, sweep: bool = True) -> Ledger:
    """The ledger that the settings name. With `sweep`, what a killed service left half received is taken away.

    Raises:
        ExchangeUnavailable: the database or the store cannot be used.
    """
    settings.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    settings.root.chmod(0o700)
    database = Database(settings.database_url)
    database.migrate()
    store = open_store(settings.store or str(settings.root / BLOBS))
    if sweep and isinstance(store, DirectoryStore):
        store.sweep()
    return Ledger(database, store, settings.quotas, precheck=True)


def create_app(settings: ServiceSettings, ledger: Ledger, identity: Any = None) -> FastAPI:
    """The application: every route under the hub's prefix, every error as {error, where, hint}."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        await app.state.identity.close()

    app = FastAPI(
        title="Tito exchange",
        version=__version__,
        description="Releases, submissions and feedback, for whom JupyterHub vouches.",
        openapi_url=f"{settings.prefix}/openapi.json",
        docs_url=None,  # would load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
    )
    logging.getLogger("uvicorn.access").disabled = True  # it would log addresses with their queries
    app.state.settings = settings
    app.state.ledger = ledger
    app.state.identity = identity or HubIdentity(
        settings.hub_api_url,
        services=settings.services,
        access_scopes=settings.access_scopes,
        keep_s=settings.identity_keep_s,
    )
    app.state.requests = Rate(settings.requests_per_minute)
    app.state.uploads = Rate(settings.uploads_per_minute)
    app.state.login = settings.login
    app.state.notifier = Notifier()
    for noun in (health, users, courses, releases, submissions, feedback, prechecks, pages):
        routes: APIRouter = noun.router
        require_guards(routes.routes, PUBLIC)
        app.include_router(routes, prefix=settings.prefix)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(LoginNeeded, _to_the_hub)
    app.add_exception_handler(PageRefused, _refused_page)
    app.add_exception_handler(HTTPException, _no_route)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_middleware(RequestLog)
    return app


def _problem(status: int, error: str, where: str, hint: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": error, "where": where, "hint": hint}, status_code=status, headers=headers)


def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)
    headers = {"Retry-After": str(error.retry_after_s)} if error.retry_after_s else {}
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="JupyterHub"'
    return _problem(error.status, error.message, error.where, error.hint, headers)


def _to_the_hub(request: Request, error: Exception) -> Response:
    assert isinstance(error, LoginNeeded)
    return error.login.redirect(request)


def _refused_page(request: Request, error: Exception) -> Response:
    assert isinstance(error, PageRefused)
    return problem_page(error.refusal)


def _no_route(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    hint = "See openapi.json for what there is."
    return _problem(error.status_code, str(error.detail), "address", hint, dict(error.headers or {}))


def _invalid(request: Request, error: Exception) -> JSONResponse:
    """What was sent is not repeated: it may hold anything."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(shown(str(part)).strip("'") for part in first["loc"])
    return _problem(422, "The request is not of the form that is wanted.", where, str(first["msg"]))


class RequestLog:
    """One line for each request: method, path without its query, status, time, user. And the last net under errors.

    Nothing else of a request is logged, and of an error its kind and where it arose but not its text: whoever puts a
    token where it does not belong finds it in no log.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        except Exception as error:  # noqa: BLE001  (the process's edge: a fault of ours, told as one)
            LOG.error("%s\n%s", type(error).__name__, "".join(traceback.format_tb(error.__traceback__)))
            if status == 0:
                status = 500
                answer = _problem(500, "The exchange failed.", "service", "Tell the instructor; its log says where.")
                await answer(scope, receive, send)
            else:
                raise RuntimeError("broken off") from None
        finally:
            took = 1000 * (time.perf_counter() - started)
            path, user = (shown(text).strip("'") for text in (scope["path"], scope.get("tito_user", "-")))
            LOG.info("%s %s %d %.0f ms %s", scope["method"], path, status, took, user)


def serve(settings: ServiceSettings) -> None:
    """Run the service until it is told to stop."""
    import uvicorn

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for name in ("httpx", "httpcore", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("botocore", "aiobotocore", "s3fs", "fsspec"):  # what they warn of holds the store's address
        logging.getLogger(name).setLevel(logging.ERROR)
    ledger = open_ledger(settings)
    app = create_app(settings, ledger)

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            app.state.notifier.close()
            await super().shutdown(sockets)

    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=20,
    )
    server = Server(config)
    try:
        server.run()
    finally:
        ledger.close()
    if not server.started:
        sys.exit(3)  # as uvicorn's own command does; it has said why


def migrate(settings: ServiceSettings) -> None:
    """Make the database's tables, or bring them to the newest form. The service does so itself when it starts; this is
    for where its own account in the database may not."""
    database = Database(settings.database_url)
    try:
        database.migrate()
    finally:
        database.close()


def main(arguments: Sequence[str] = ()) -> None:
    """Entry point of `python -m tito.exchange [migrate]`. What keeps it from starting is told in one line, for the log
    of whoever started it."""
    if list(arguments) not in ([], ["migrate"]):
        sys.exit("Usage: python -m tito.exchange [migrate]")
    try:
        run = migrate if arguments else serve
        run(load_settings(os.environ))
    except TitoError as error:
        sys.exit(f"tito.exchange: {error}")
