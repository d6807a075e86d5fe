"""What can be chosen about a hub. One model a subject; every field can also be set in the environment.

A field's variable is its path in capitals: `auth.oauth.client_id` is TITO_HUB_AUTH_OAUTH_CLIENT_ID. Secrets come from
the environment, or from a file that the field `<name>_file` names; in the YAML file they are refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

LAPTOP, SERVER, CLUSTER = "laptop", "server", "cluster"
PORT = Field(ge=0, le=65535)


class Model(BaseModel):
    """Base: fixed once read, and nothing unknown in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ProxySettings(Model):
    """configurable-http-proxy, which stands in front of all."""

    start: bool = Field(
        default=True, description="whether the hub starts it; false: it runs apart, and survives the hub"
    )
    command: list[str] = Field(default=["configurable-http-proxy"], description="how it is started")
    api_url: str = Field(default="http://127.0.0.1:8001", description="where the hub tells it its routes")
    auth_token: SecretStr | None = Field(
        default=None, description="the token for that; needed where the hub does not start it"
    )
    auth_token_file: Path | None = Field(default=None, description="a file that holds it")


class ExchangeSettings(Model):
    """The exchange service. With `url` it runs elsewhere; else the hub starts it, and its data are in `root`."""

    url: str = Field(default="", description="of an exchange that runs elsewhere, such as http://exchange:8889")
    student_url: str = Field(
        default="", description="how servers reach it, where that is another address; without a path"
    )
    api_token: SecretStr | None = Field(default=None, description="the token that an exchange elsewhere has of the hub")
    api_token_file: Path | None = Field(default=None, description="a file that holds it")
    port: Annotated[int, PORT] = Field(default=8889, description="on which the hub's own exchange listens")
    root: Path = Field(
        default=Path("exchange"), description="folder of the hub's own exchange, relative to `state`; mode 0700"
    )
    db_url: SecretStr | None = Field(default=None, description="another database for it")
    db_url_file: Path | None = Field(default=None, description="a file that holds that URL")
    store: str = Field(default="", description="another store for files, a path or a fsspec URL")


class CourseSettings(Model):
    """A course: its people, and its formgrader, which the hub starts in `root` or which runs elsewhere at `url`."""

    title: str = Field(default="", description="as people read it; the course's id by default")
    root: Path | None = Field(default=None, description="the course folder; the hub starts a formgrader in it")
    port: Annotated[int, PORT] = Field(default=0, description="on which that listens; by default counted from 8890")
    url: str = Field(default="", description="of a formgrader that runs elsewhere, such as http://formgrader:8890")
    api_token: SecretStr | None = Field(
        default=None, description="the token that a formgrader elsewhere has of the hub"
    )
    api_token_file: Path | None = Field(default=None, description="a file that holds it")
    instructors: list[str] = Field(default=[], description="their names on the hub")
    tas: list[str] = Field(default=[], description="the same")
    students: list[str] = Field(default=[], description="the same")
    roster: Path | None = Field(default=None, description="a CSV with a column `id` or `username`, and perhaps `role`")
    precheck: bool = Field(
        default=False,
        description="whether a worker runs visible tests on submit, which the hub starts; see prechecks.md",
    )
    precheck_token: SecretStr | None = Field(
        default=None, description="the token that a worker elsewhere has of the hub, which then starts none"
    )
    precheck_token_file: Path | None = Field(default=None, description="a file that holds it")
    ta_formgrader: bool = Field(
        default=False, description="whether TAs enter formgrader too; in it they can do all that instructors can"
    )


class DummySettings(Model):
    """One password for all, which tells nobody apart: for a trial."""

    password: SecretStr | None = Field(
        default=None, description="at least 8 characters; by default made anew at each start"
    )
    password_file: Path | None = Field(default=None, description="a file that holds it")
    anywhere: bool = Field(default=False, description="allow it on another deployment than a laptop's loopback")


class NativeSettings(Model):
    """Students sign up with a name and a password, and an instructor lets them in at /hub/authorize; accounts of others
    are opened by `python -P -m tito.hub.accounts`."""

    password_length: int = Field(default=10, ge=8, description="of passwords, at least")
    failed_logins: int = Field(
        default=5, ge=1, description="after which a name is held back for ten minutes, where they came from"
    )
    ask_email: bool = Field(default=False, description="whether to ask for an address when signing up")


class OauthSettings(Model):
    """Any OAuth 2 or OpenID Connect provider."""

    service: str = Field(default="your institution", description="its name on the button of the login page")
    client_id: str = Field(default="", description="by which the provider knows the hub")
    client_secret: SecretStr | None = Field(default=None, description="the secret that goes with it")
    client_secret_file: Path | None = Field(default=None, description="a file that holds it")
    authorize_url: str = Field(default="", description="where people are sent to log in")
    token_url: str = Field(default="", description="where the hub gets the token")
    userdata_url: str = Field(default="", description="where the hub gets the name")
    callback_url: str = Field(
        default="", description="the hub's own, such as https://hub.example.edu/hub/oauth_callback"
    )
    username_claim: str = Field(default="preferred_username", description="what of it is the name on the hub")
    scope: list[str] = Field(default=["openid"], description="what is asked of the provider")


class LtiSettings(Model):
    """A learning management system, by LTI 1.3; its configuration is at /hub/lti13/config."""

    issuer: str = Field(default="", description="the platform's identifier")
    authorize_url: str = Field(default="", description="its login endpoint")
    jwks_endpoint: str = Field(default="", description="its public keys")
    client_id: list[str] = Field(default=[], description="given by the platform when the tool was registered")
    username_key: str = Field(default="email", description="the claim that is the name on the hub")
    tool_name: str = Field(default="JupyterHub", description="as the platform shows it")


class AuthSettings(Model):
    """How people log in, and who may. `chart` leaves both to Zero to JupyterHub's own values."""

    kind: Literal["", "dummy", "native", "oauth", "lti13", "chart"] = Field(
        default="", description="dummy on a laptop, chart on a cluster; a server has no default"
    )
    allow: Literal["courses", "all"] = Field(
        default="courses", description="who may log in: people of a course, or anybody known"
    )
    dummy: DummySettings = DummySettings()
    native: NativeSettings = NativeSettings()
    oauth: OauthSettings = OauthSettings()
    lti13: LtiSettings = LtiSettings()


class SpawnerSettings(Model):
    """How servers are started. `chart` leaves it to Zero to JupyterHub's own values."""

    kind: Literal["", "local", "docker", "chart"] = Field(
        default="", description="local on a laptop, docker on a server, chart on a cluster"
    )
    image: str = Field(default="tito-student", description="docker: the image of people's servers")
    network: str = Field(default="tito", description="docker: the network on which hub, exchange and servers meet")
    home: str = Field(default="/home/student", description="docker: the home folder in the image; a volume keeps it")
    volume: str = Field(default="tito-home-{username}", description="docker: the name of that volume")
    python: str = Field(default="python3", description="docker, chart: the image's interpreter")
    memory_mb: int = Field(default=1024, ge=256, description="docker: of a server with its kernels")
    cpus: float = Field(default=2.0, gt=0, description="docker: of a server, at most")
    processes: int = Field(default=256, ge=32, description="docker: of a server, at most")
    at_once: int = Field(default=4, ge=1, description="servers that start at the same time; others wait their turn")
    most: int = Field(default=0, ge=0, description="servers that run at the same time; 0: no limit")
    start_timeout_s: int = Field(default=180, ge=10, description="after which a start has failed")


class IdleSettings(Model):
    """Servers that nobody uses are stopped; their files stay."""

    after_minutes: float = Field(default=60, ge=0, description="without activity; 0: never")
    max_hours: float = Field(default=0, ge=0, description="after which a server is stopped, used or not; 0: never")
    every_s: int = Field(default=300, ge=1, description="how often it is looked")


class HubSettings(Model):
    """All of a hub."""

    deployment: Literal["laptop", "server", "cluster"] = Field(default="laptop", description="what it runs on")
    state: Path = Field(
        default=Path(".hub"), description="folder of what the hub keeps: database, cookie secret, homes; mode 0700"
    )
    bind_url: str = Field(
        default="http://127.0.0.1:8000", description="where people reach it; a path in it goes before all others"
    )
    subdomain_host: str = Field(
        default="",
        description="the hub's origin, such as https://hub.example.edu, below which servers and services have names; "
        "on a laptop localhost; `none`: all share one origin",
    )
    book_url: str = Field(
        default="",
        description="of the book, to which the hub's pages link; not on the hub's own origin, for notebooks that are "
        "practised in it run there",
    )
    hub_ip: str = Field(default="127.0.0.1", description="on which the hub itself listens, for servers and services")
    hub_port: Annotated[int, PORT] = Field(default=8081, description="its port")
    hub_host: str = Field(default="", description="the name by which servers reach that; by default hub_ip")
    db_url: SecretStr | None = Field(default=None, description="the hub's database; by default SQLite in `state`")
    db_url_file: Path | None = Field(default=None, description="a file that holds that URL")
    admins: list[str] = Field(
        default=[], description="people who may do anything on the hub; best none but who runs it"
    )
    keep_servers: bool = Field(
        default=False, description="whether servers go on running when the hub stops; true on a server"
    )
    proxy: ProxySettings = ProxySettings()
    exchange: ExchangeSettings = ExchangeSettings()
    courses: dict[str, CourseSettings] = Field(default={}, description="by id; in the environment as YAML or JSON")
    auth: AuthSettings = AuthSettings()
    spawner: SpawnerSettings = SpawnerSettings()
    idle: IdleSettings = IdleSettings()
