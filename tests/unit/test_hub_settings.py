"""Settings of a hub: where they come from, and what is refused with which words."""

from __future__ import annotations

import asyncio
import copy
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from traitlets.config import Config
from whole_hub import PROJECT

from tito.bridge.guard import PLAIN_VARIABLE
from tito.errors import BadSource, SandboxUnavailable, TitoError
from tito.hub.config.configure import apply, configure
from tito.hub.config.load_settings import known_settings, load_settings, secret_of
from tito.hub.config.origins import book_address, hub_address, service_address, subdomain_host
from tito.hub.config.people import formgraders_of, groups, role_of
from tito.hub.config.settings import HubSettings
from tito.hub.config.spawn_throttle import LOOK_S, SpawnThrottle
from tito.hub.config.spawners import THREADS, environment


def configured(tmp_path: Path, **settings: Any) -> Config:
    c = Config()
    apply(c, HubSettings.model_validate({"state": tmp_path / "state"} | settings))
    return c


def refusal(data: dict[str, Any] | str, tmp_path: Path, **variables: str) -> str:
    """What is said to a YAML file with this in it."""
    path = tmp_path / "hub.yaml"
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    with pytest.raises(BadSource) as caught:
        apply(Config(), load_settings({"TITO_HUB_CONFIG": str(path)} | variables))
    return str(caught.value)


# ---- reading -----------------------------------------------------------------------------------------------------


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "hub.yaml"
    file.write_text("deployment: server\nidle: {after_minutes: 5}\nauth: {kind: oauth, oauth: {client_id: one}}\n")
    variables = {
        "TITO_HUB_CONFIG": str(file),
        "TITO_HUB_AUTH_OAUTH_CLIENT_ID": "two",
        "TITO_HUB_ADMINS": "ada, bob",
        "TITO_HUB_COURSES": "{c101: {students: [zoe], ta_formgrader: true}}",
        "TITO_HUB_KEEP_SERVERS": "true",
        "OTHER": "ignored",
    }
    read = load_settings(variables)
    assert (read.deployment, read.idle.after_minutes, read.auth.kind) == ("server", 5, "oauth")
    assert (read.auth.oauth.client_id, read.admins, read.keep_servers) == ("two", ["ada", "bob"], True)
    assert read.courses["c101"].students == ["zoe"]
    assert read.courses["c101"].ta_formgrader


def test_every_setting_has_one_variable_and_stands_in_the_book() -> None:
    known = list(known_settings())
    variables = [setting.variable for setting in known if setting.variable]
    assert len(set(variables)) == len(variables)
    assert len(known) > 60
    assert not [setting.dotted for setting in known if not setting.description]
    page = (PROJECT / "book/reference/settings.md").read_text()
    assert not [setting.dotted for setting in known if f"| `{setting.dotted}` |" not in page]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"deploymnt": "laptop"}, "no setting 'deploymnt'. Did you mean 'deployment'?"),
        ({"auth": {"oauht": {}}}, "no setting 'auth.oauht'. Did you mean 'oauth'?"),
        ({"courses": {"c1": {"student": []}}}, "no setting 'courses.c1.student'. Did you mean 'students'?"),
        ({"deployment": "moon"}, "'deployment' must be 'laptop', 'server' or 'cluster'"),
        ({"hub_port": 70000}, "'hub_port' must be at most 65535."),
        ({"courses": {"c1": {"students": [1234]}}}, "'courses.c1.students.0' must be a text."),
        ("just text", "holds no settings"),
        ("a: [", "cannot be read"),
        ("courses:\n  c1:\n    tas: [ada]\n    tas: [bob]\n", "'tas' stands there twice"),
        ("auth: {kind: dummy}\nauth: {allow: all}\n", "'auth' stands there twice"),
        ({"courses": {"../up": {}}}, "This is no name of course"),
        ({"courses": {"exchange": {}}}, "'exchange' is the name of a service of the hub"),
        ({"courses": {"c1": {"students": ["a/b"]}}}, "courses.c1: The exchange cannot serve the user"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_place(data: dict[str, Any] | str, message: str, tmp_path: Path) -> None:
    assert message in refusal(data, tmp_path)


def test_a_variable_that_does_not_exist_is_refused_with_what_was_meant(tmp_path: Path) -> None:
    assert "There is no setting TITO_HUB_BINDURL. Did you mean TITO_HUB_BIND_URL?" in refusal(
        {}, tmp_path, TITO_HUB_BINDURL="http://localhost"
    )


def test_a_variable_of_courses_names_each_once(tmp_path: Path) -> None:
    assert "TITO_HUB_COURSES" in refusal({}, tmp_path, TITO_HUB_COURSES="c1: {tas: [ada]}\nc1: {tas: [bob]}")


def test_no_fault_repeats_a_secret(tmp_path: Path) -> None:
    secret = "sehr-geheim"
    for data in (
        {"auth": {"oauth": {"client_secret": secret}}},
        {"db_url": f"postgresql://tito:{secret}@db/hub"},
        {"courses": {"c1": {"api_token": secret}}},
    ):
        message = refusal(data, tmp_path)
        assert secret not in message
        assert "stands in the file" in message
        assert "_file'" in message
    assert secret not in refusal({}, tmp_path, TITO_HUB_AUTH_DUMMY_PASSWORD=secret, TITO_HUB_HUB_PORT=secret)
    read = load_settings({"TITO_HUB_AUTH_OAUTH_CLIENT_SECRET": secret})
    assert secret not in repr(read)
    assert secret not in str(read)


def test_a_secret_comes_from_one_place(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from-the-file\n")
    oauth = {"client_secret_file": str(file)}
    chosen = HubSettings.model_validate({"auth": {"oauth": oauth}}).auth.oauth
    assert secret_of(chosen, "client_secret") == "from-the-file"
    both = HubSettings.model_validate({"auth": {"oauth": oauth | {"client_secret": "x"}}})
    with pytest.raises(BadSource, match="Both"):
        secret_of(both.auth.oauth, "client_secret")
    file.write_text("")
    with pytest.raises(BadSource, match="is empty"):
        secret_of(chosen, "client_secret")
    file.unlink()
    with pytest.raises(BadSource, match="cannot be read"):
        secret_of(chosen, "client_secret")


def test_a_fault_ends_the_hub_with_one_line() -> None:
    with pytest.raises(SystemExit) as caught:
        configure(Config(), {"TITO_HUB_DEPLOYMENT": "moon"})
    assert str(caught.value).startswith("tito.hub: ")
    assert "\n" not in str(caught.value)


# ---- people ------------------------------------------------------------------------------------------------------


def test_a_roster_and_the_lists_make_the_groups(tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text("\ufeffid,first_name,role\nZoe,Zoe,\nyan,Yan,student\nkim,Kim,TA\nada,Ada,instructor\n")
    courses = {"c1": {"instructors": ["Prof"], "students": ["bob", "zoe"], "roster": str(roster)}}
    assert groups(HubSettings.model_validate({"courses": courses})) == {
        "formgrade-c1": ["prof", "ada"],
        "ta-c1": ["kim"],
        "nbgrader-c1": ["bob", "zoe", "yan"],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,role\nada,student\n", "line 2: nobody is named"),
        ("id,role\nada,boss\n", "line 2: no role 'boss'"),
        ("id,rolle\nada,ta\n", "a column 'rolle'. Did you mean 'role'?"),
        ("username,Role\nada,ta\n", "a column 'Role'. Did you mean 'role'?"),
        ("user_name,role\nada,ta\n", "a column 'user_name'. Did you mean 'username'?"),
    ],
)
def test_a_roster_that_does_not_fit_is_refused_with_its_line(text: str, message: str, tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text(text)
    assert message in refusal({"courses": {"c1": {"roster": str(roster)}}}, tmp_path)
    roster.unlink()
    assert "cannot be read" in refusal({"courses": {"c1": {"roster": str(roster)}}}, tmp_path)


def test_the_best_role_in_any_course_is_what_a_person_sees() -> None:
    assert role_of({"nbgrader-c1", "formgrade-c2"}) == "instructor"
    assert role_of({"nbgrader-c1", "ta-c1"}) == "ta"
    assert role_of({"nbgrader-c1"}) == role_of(set()) == role_of({"tax-office", "formgrader"}) == "student"


def test_who_enters_a_formgrader() -> None:
    courses = {
        "c1": {"url": "http://one", "title": "One", "ta_formgrader": True},
        "c2": {"url": "http://two"},
        "c3": {},  # has none
    }
    known = HubSettings.model_validate({"courses": courses}).courses
    everything = {f"{kind}-{course}" for kind in ("formgrade", "ta", "nbgrader") for course in courses}
    assert formgraders_of(everything, known) == {"c1": "One", "c2": "c2"}
    assert formgraders_of({"ta-c1", "ta-c2", "nbgrader-c2"}, known) == {"c1": "One"}
    assert formgraders_of({"nbgrader-c1", "nbgrader-c2"}, known) == {}


class _Spawner:
    def __init__(self, *names: str) -> None:
        group = type("Group", (), {})
        groups = []
        for name in names:
            membership = group()
            membership.name = name
            groups.append(membership)
        self.user = type("User", (), {"groups": groups})()


def test_servers_are_told_their_role_when_they_start() -> None:
    courses = {"c1": {"url": "http://one", "title": "One"}}
    variables = environment(HubSettings.model_validate({"bind_url": "http://h/jupyter", "courses": courses}))
    role, formgraders = variables["TITO_SERVER_ROLE"], variables["TITO_SERVER_FORMGRADERS"]
    assert callable(role)
    assert callable(formgraders)
    assert (role(_Spawner("nbgrader-c1")), formgraders(_Spawner("nbgrader-c1"))) == ("student", "{}")
    assert role(_Spawner("formgrade-c1")) == "instructor"
    assert json.loads(formgraders(_Spawner("formgrade-c1"))) == {"One": "/jupyter/services/c1/formgrader"}
    assert variables["TITO_EXCHANGE_URL"] == "http://127.0.0.1:8889/jupyter/services/exchange"


@pytest.mark.parametrize(("cpus", "threads"), [(None, "1"), (0.5, "1"), (2.0, "2"), (3.9, "3")])
def test_numerical_libraries_start_as_many_threads_as_a_server_may_use(cpus: float | None, threads: str) -> None:
    variables = environment(HubSettings())
    spawner = SimpleNamespace(cpu_limit=cpus)
    for name in THREADS:
        asked = variables[name]
        assert callable(asked)
        assert asked(spawner) == threads


# ---- origins ---------------------------------------------------------------------------------------------------------

ONE, TWO = {"c1": {}}, {"c1": {}, "c2": {}}


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        ({}, "http://localhost:8000"),
        ({"bind_url": "https://localhost:9000/jupyter", "courses": TWO}, "https://localhost:9000"),
        ({"bind_url": "http://[::1]:9000"}, "http://localhost:9000"),
        ({"bind_url": "http://0.0.0.0:8000", "courses": TWO}, ""),  # a laptop whose name nobody knows
        ({"subdomain_host": "none"}, ""),
        ({"deployment": "server", "courses": ONE}, ""),
        ({"deployment": "server", "courses": TWO, "subdomain_host": "none"}, ""),
        (
            {"deployment": "server", "courses": TWO, "subdomain_host": "https://hub.example.edu/"},
            "https://hub.example.edu",
        ),
    ],
)
def test_servers_and_services_have_names_below_the_hubs(settings: dict[str, Any], host: str) -> None:
    assert subdomain_host(HubSettings.model_validate(settings)) == host


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"subdomain_host": "hub.example.edu"}, "no origin with a name"),
        ({"subdomain_host": "https://hub.example.edu/jupyter"}, "no origin with a name"),
        ({"subdomain_host": "https://192.0.2.1"}, "no origin with a name"),
        ({"subdomain_host": "https://[2001:db8::1]:8000"}, "no origin with a name"),
        ({"subdomain_host": "ftp://hub.example.edu"}, "no origin with a name"),
        ({"deployment": "server", "courses": TWO}, "has several courses"),
        ({"deployment": "cluster", "courses": TWO}, "has several courses"),
    ],
)
def test_a_hub_of_several_courses_says_what_its_origins_are(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(BadSource, match=message):
        subdomain_host(HubSettings.model_validate(settings))


def test_what_people_open_is_on_the_origin_of_what_it_is() -> None:
    settings = HubSettings.model_validate({"bind_url": "http://127.0.0.1:8000/jupyter/"})
    assert hub_address(settings) == "http://localhost:8000/jupyter"
    assert service_address(settings, "c1") == "http://c1--service.localhost:8000/jupyter/services/c1"
    shared = settings.model_copy(update={"subdomain_host": "none"})
    assert hub_address(shared) == "http://127.0.0.1:8000/jupyter"
    assert service_address(shared, "c1") == "/jupyter/services/c1"


ON_A_SERVER = {"deployment": "server", "subdomain_host": "https://hub.example.edu"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"book_url": "book.example.edu"}, "no address"),
        ({"book_url": "javascript:alert(1)"}, "no address"),
        ({"book_url": "http://book.example.edu:http/"}, "no address"),
        ({"book_url": "http://[::1/"}, "no address"),
        ({"book_url": "http://localhost:8000/book/"}, "on the hub's own origin"),
        (ON_A_SERVER | {"book_url": "https://hub.example.edu/b"}, "on the hub's own origin"),
        (ON_A_SERVER | {"book_url": "https://hub.example.edu:443/b"}, "on the hub's own origin"),
        (ON_A_SERVER | {"book_url": "https://book@Hub.Example.EDU/b"}, "on the hub's own origin"),
    ],
)
def test_a_book_that_could_act_on_the_hub_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(BadSource, match=message):
        book_address(HubSettings.model_validate(settings))


def test_a_book_elsewhere_is_linked_to() -> None:
    assert book_address(HubSettings.model_validate({})) == ""
    elsewhere = "https://book.hub.example.edu/"
    assert book_address(HubSettings.model_validate({"book_url": elsewhere})) == elsewhere


# ---- deployments -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"deployment": "server"}, "Nothing says how people log in"),
        ({"deployment": "server", "auth": {"kind": "dummy"}}, "one password for all"),
        ({"bind_url": "http://0.0.0.0:8000"}, "others can reach http://0.0.0.0:8000"),
        ({"auth": {"dummy": {"password": "short"}}}, "less than 8 characters"),
        ({"auth": {"dummy": {"password": "long enough"}}, "admins": ["ada"]}, "there can be no admins"),
        ({"auth": {"kind": "chart"}}, "this is no cluster"),
        ({"auth": {"kind": "oauth"}}, "Not set: auth.oauth.client_id, auth.oauth.authorize_url"),
        ({"auth": {"kind": "lti13"}}, "Not set: auth.lti13.issuer"),
        ({"deployment": "server", "auth": {"kind": "native"}, "spawner": {"kind": "local"}}, "would share one account"),
        ({"deployment": "cluster"}, "On a cluster the exchange runs in a pod of its own"),
        ({"courses": {"c1": {"url": "http://f:1"}}}, "the formgrader at http://f:1 has no token"),
        ({"courses": {"c1": {"precheck": True}, "precheck-c1": {}}}, "the worker of c1 has that name"),
        ({"proxy": {"start": False}, "auth": {"dummy": {"password": "long enough"}}}, "by which token"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_refused(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(TitoError) as caught:
        configured(tmp_path, **settings)
    assert message in str(caught.value)
    assert caught.value.hint


def test_a_server_has_containers_a_database_and_an_exchange_elsewhere(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("token-of-the-exchange\n")
    c = configured(
        tmp_path,
        deployment="server",
        db_url="postgresql+psycopg://tito@db/hub",
        hub_ip="0.0.0.0",
        hub_host="hub",
        auth={"kind": "native"},
        exchange={"url": "http://exchange:8889", "api_token_file": str(token)},
        courses={"c1": {"url": "http://formgrader:8890", "api_token": "token-of-formgrader", "instructors": ["ada"]}},
    )
    by_name = {service["name"]: service for service in c.JupyterHub.services}
    assert by_name["exchange"] == {
        "name": "exchange", "url": "http://exchange:8889", "api_token": "token-of-the-exchange", "timeout": 2,
        "oauth_no_confirm": True, "info": {"title": "What I handed in"},
    }  # fmt: skip
    assert by_name["c1"]["url"] == "http://formgrader:8890"
    assert "command" not in by_name["c1"]
    assert by_name["idle-culler"]["command"][-2:] == ["--timeout=3600", "--cull-every=300"]
    assert c.JupyterHub.db_url == "postgresql+psycopg://tito@db/hub"
    assert c.JupyterHub.cleanup_servers is False
    assert c.JupyterHub.hub_connect_ip == "hub"
    assert c.JupyterHub.spawner_class == "dockerspawner.DockerSpawner"
    assert c.DockerSpawner.extra_host_config["cap_drop"] == ["ALL"]
    assert c.DockerSpawner.extra_host_config["dns_opt"] == ["timeout:1", "attempts:5"]
    assert c.DockerSpawner.mem_limit == "1024M"
    assert c.Spawner.environment.get_value({})["TITO_EXCHANGE_URL"] == "http://exchange:8889/services/exchange"
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_a_worker_of_prechecks_is_started_for_the_courses_that_have_one(tmp_path: Path) -> None:
    courses = {"c1": {"precheck": True}, "c2": {"precheck": True, "precheck_token": "of-a-worker"}, "c3": {}}
    by_name = {service["name"]: service for service in configured(tmp_path, courses=courses).JupyterHub.services}
    assert by_name["precheck-c1"]["environment"]["TITO_PRECHECK_COURSES"] == "c1"
    assert by_name["precheck-c1"]["command"][-2:] == ["-m", "tito.precheck"]
    assert by_name["precheck-c2"] == {"name": "precheck-c2", "api_token": "of-a-worker", "display": False}
    assert "precheck-c3" not in by_name
    counted = json.loads(by_name["exchange"]["environment"]["TITO_EXCHANGE_SERVICES"])
    assert counted == {"precheck-c1": ["precheck-c1"], "precheck-c2": ["precheck-c2"]}


def test_on_a_cluster_what_the_chart_has_set_is_added_to(tmp_path: Path) -> None:
    c = Config()
    c.JupyterHub.services = [
        {"name": "exchange", "url": "http://chart:1", "api_token": "of-the-chart"},
        {"name": "x"},
    ]
    c.JupyterHub.load_roles = [{"name": "x", "scopes": ["list:users"], "services": ["x"]}]
    c.KubeSpawner.environment = {"FROM": "chart"}
    settings = {"deployment": "cluster", "exchange": {"url": "http://exchange:8889"}, "idle": {"after_minutes": 0}}
    apply(c, HubSettings.model_validate(settings | {"courses": {"c1": {"students": ["ada"]}}}))
    assert [service["name"] for service in c.JupyterHub.services] == ["exchange", "x"]
    assert c.JupyterHub.services[0] == {
        "name": "exchange", "url": "http://chart:1", "api_token": "of-the-chart", "timeout": 2, "display": False,
    }  # fmt: skip
    assert [role["name"] for role in c.JupyterHub.load_roles] == ["x", "user", "server"]
    assert c.KubeSpawner.environment.keys() == {
        "FROM",
        *THREADS,
        "TITO_EXCHANGE_URL",
        "TITO_SERVER_ROLE",
        "TITO_SERVER_FORMGRADERS",
    }
    assert c.KubeSpawner.cmd == ["python3", "-P", "-m", "tito.hub.student.server"]
    assert "spawner_class" not in c.JupyterHub
    assert "authenticator_class" not in c.JupyterHub
    assert "bind_url" not in c.JupyterHub


def test_what_was_added_before_stays(tmp_path: Path) -> None:
    c = Config()
    c.JupyterHub.services.append({"name": "x"})
    apply(c, HubSettings.model_validate({"state": tmp_path / "state"}))
    assert [service["name"] for service in c.JupyterHub.services] == ["x", "exchange", "idle-culler"]


def test_the_image_that_the_hub_starts_needs_no_other_file_of_the_hub() -> None:
    import ast

    for name in ("server", "extensions"):
        tree = ast.parse((PROJECT / "tito" / "hub" / "student" / f"{name}.py").read_text())
        ours = {
            f"{node.module}.{alias.name}"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tito")
            for alias in node.names
        }
        assert ours <= {"tito.hub.student.extensions"}


def test_a_formgrader_without_a_sandbox_is_refused(
    course: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = {"tiny": {"root": str(course.root)}}
    assert "tiny" in {service["name"] for service in configured(tmp_path, courses=here).JupyterHub.services}
    with pytest.raises(BadSource, match="is of the course 'tiny', not 'big'"):
        configured(tmp_path, courses={"big": {"root": str(course.root)}})
    text = (course.root / "course.toml").read_text()
    (course.root / "course.toml").write_text(text.replace("[sandbox]\n", '[sandbox]\nbackend = "none"\n'))
    with pytest.raises(SandboxUnavailable, match="would run student code in its own account"):
        configured(tmp_path, courses=here)
    (course.root / "course.toml").write_text(text)
    monkeypatch.setenv(PLAIN_VARIABLE, "1")
    with pytest.raises(SandboxUnavailable, match="asks for nbgrader's own engine"):
        configured(tmp_path, courses=here)


def test_servers_start_a_few_at_a_time_and_nobody_is_refused() -> None:
    running, most = 0, 0

    class Start:
        pending = "spawn"

        async def run(self, throttle: SpawnThrottle) -> None:
            nonlocal running, most
            await throttle(self)
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.03)
            running -= 1
            self.pending = ""

    async def a_class() -> None:
        throttle = SpawnThrottle(3)  # and what spawners get is a copy of the configuration
        await asyncio.gather(*(Start().run(copy.deepcopy(throttle)) for _ in range(10)))
        await asyncio.sleep(3 * LOOK_S)
        assert not throttle._starting

    asyncio.run(a_class())
    assert most == 3
