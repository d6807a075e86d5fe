"""What the cluster's pods do, done by local processes: a real hub with the settings of docker/kubernetes/values.yaml,
the exchange with PostgreSQL and an object store, and the commands of the Jobs, each in a container's stead: with the
variables that its manifest gives it and no others, as an ordinary user, with the folders that are mounted there.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import postgresql
import pytest
import real_hub
import yaml
from exchange_process import ServiceProcess
from exchange_support import uploads, wait_for
from nbgrader.api import Gradebook
from object_store import object_store
from ports import free_port
from tiny import ASSIGNMENT, solved

import tito
from tito.author.release import publish
from tito.course.course import Course, load_course
from tito.course.script import build
from tito.exchange.client.client import Client
from tito.exchange.protocol.files import folder_files, snapshot
from tito.exchange.protocol.problems import Refused
from tito.exchange.protocol.records import Policy, PrecheckPolicy

FOLDER = Path(__file__).parents[2] / "docker" / "kubernetes"
COURSE = "tiny"  # in the place of `tinytorch`
TOKENS = {
    name: f"{name}-{'0123456789abcdef' * 2}" for name in (COURSE, f"{COURSE}-collect", "exchange", f"precheck-{COURSE}")
}
CURIOUS = """\
import json, os, socket
found = {"environment": [one for one in os.environ if one.startswith(("TITO", "JUPYTERHUB", "ASSIGNMENT"))]}
for path in ("/srv/course/course.toml", "/srv/course/source", "/srv/course/submitted/ada", "/proc/1/environ"):
    try:
        found[path] = sorted(os.listdir(path)) if os.path.isdir(path) else open(path).read()
    except OSError as error:
        found[path] = type(error).__name__
for kind in (socket.AF_INET, socket.AF_UNIX):
    try:
        socket.socket(kind)
        found[int(kind)] = "had"
    except OSError as error:
        found[int(kind)] = type(error).__name__
print("FOUND", json.dumps(found))
def double(values):
    return np.asarray(values, dtype=np.float64) * 2
"""


@dataclass
class Cluster:
    """Where things are in the place of the Services' names, and what is in the Secrets."""

    hub_api: str
    exchange: ServiceProcess
    database: postgresql.Server
    secrets: dict[tuple[str, str], str]

    def here(self, text: str) -> str:
        """A text of a manifest, with the addresses that there are here."""
        for theirs, ours in (("http://exchange:8889/services/exchange", self.exchange.url),
                             ("http://hub:8081/hub/api", self.hub_api), ("tinytorch", COURSE)):  # fmt: skip
            text = text.replace(theirs, ours)
        return text

    def environment(self, container: dict[str, Any]) -> dict[str, str]:
        """What a container finds in its environment: what its manifest says, and the path of its image."""
        environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
        for variable in container.get("env", []):
            reference = variable.get("valueFrom", {}).get("secretKeyRef")
            key = (self.here(reference["name"]), self.here(reference["key"])) if reference else None
            environment[variable["name"]] = self.secrets[key] if key else self.here(variable["value"])
        return environment


def of_job(name: str, step: str) -> dict[str, Any]:
    """A container of a Job."""
    spec = yaml.safe_load((FOLDER / "jobs" / f"{name}.yaml").read_text())["spec"]["template"]["spec"]
    return next(
        container for container in [*spec.get("initContainers", []), *spec["containers"]] if container["name"] == step
    )


def of_course(name: str, step: str) -> dict[str, Any]:
    """A container of a Deployment of the course's."""
    deployment = next(yaml.safe_load_all((FOLDER / "course" / f"{name}.yaml").read_text()))
    spec = deployment["spec"]["template"]["spec"]
    return next(
        container for container in [*spec.get("initContainers", []), *spec["containers"]] if container["name"] == step
    )


def run(cluster: Cluster, container: dict[str, Any], course: Path | None = None, **changed: str) -> Any:
    """Run a container's command in its stead."""
    command = in_its_stead(cluster, container, course, **changed)
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)


def in_its_stead(cluster: Cluster, container: dict[str, Any], course: Path | None, **changed: str) -> list[str]:
    """The command of a container, with around it what there would be."""
    environment = cluster.environment(container) | changed
    command = [environment[argument[2:-1]] if argument.startswith("$(") else argument for argument in container["args"]]
    fence = ["bwrap", "--die-with-parent", "--unshare-pid", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    fence += [
        "--tmpfs",
        "/srv",
        "--perms",
        "1777",
        "--tmpfs",
        "/dev/shm",
        "--perms",
        "1777",
        "--tmpfs",
        "/tmp",
        *image(),
    ]
    if any(cluster.database.scratch.name in value for value in environment.values()):
        fence += ["--bind", str(cluster.database.scratch), str(cluster.database.scratch)]
    for mount in sorted(container.get("volumeMounts", []), key=lambda mount: str(mount["mountPath"])):
        if mount["name"] == "course":
            assert course is not None
            how = "--ro-bind" if mount.get("readOnly") else "--bind"
            fence += [how, str(course / mount.get("subPath", "")), mount["mountPath"]]
    fence += ["--chdir", container.get("workingDir", "/"), "--clearenv"]
    for name, value in environment.items():
        fence += ["--setenv", name, value]
    if os.geteuid() == 0:
        user = ["--reuid", "1000", "--regid", "1000", "--clear-groups", "--bounding-set", "-all", "--inh-caps", "-all"]
        fence += ["setpriv", "--no-new-privs", *user]
    return [*fence, *command]


def image() -> list[str]:
    """What the image holds, where everybody can read it: the interpreter, its packages, our code."""
    arguments: list[str] = []
    for path in (Path(sys.base_prefix), Path(sys.prefix), Path(tito.__file__).parent):
        above = list(reversed(path.parents))
        hidden = [parent for parent in above if parent == Path("/tmp") or not parent.stat().st_mode & 0o001]
        if hidden and os.geteuid() == 0:
            arguments += ["--tmpfs", str(hidden[0])] if str(hidden[0]) not in ("/tmp", *arguments) else []
            for parent in above[above.index(hidden[0]) + 1 :]:
                arguments += ["--perms", "0755", "--dir", str(parent)]
        arguments += ["--ro-bind", str(path), str(path)]
    return arguments


def given_to_pods(folder: Path) -> None:
    """As `fsGroup` does: what is in a volume is the pod's to write."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, 1000, 1000, follow_symlinks=False)


# ---- the cluster -------------------------------------------------------------------------------


@contextmanager
def hub(folder: Path, exchange_port: int) -> Iterator[str]:
    """A real hub with the chart's part as its documentation has it, and our settings; gives its API."""
    folder.mkdir()
    values = yaml.safe_load((FOLDER / "values.yaml").read_text().replace("tinytorch", COURSE))["hub"]
    data = values["extraFiles"]["tito"]["data"]
    secret = folder / "secret"
    secret.write_text(TOKENS[COURSE])
    data["exchange"]["url"] = f"http://127.0.0.1:{exchange_port}"
    data["auth"]["oauth"]["client_secret_file"] = str(secret)
    data["courses"][COURSE] |= {
        "url": f"http://127.0.0.1:{free_port()}", "api_token_file": str(secret), "students": ["ada", "eve"],
    }  # fmt: skip
    for service, of, name in (
        ("exchange", data["exchange"], "api_token_file"),
        (f"precheck-{COURSE}", data["courses"][COURSE], "precheck_token_file"),
    ):
        of[name] = str(folder / f"token-of-{service}")
        (folder / f"token-of-{service}").write_text(TOKENS[service])
    (folder / "tito.yaml").write_text(yaml.safe_dump(data))
    services = [{"name": name, "api_token": TOKENS[name]} | service for name, service in values["services"].items()]
    roles = [{"name": name} | role for name, role in values["loadRoles"].items()]
    admin = {"name": "tests", "scopes": ["admin:users", "tokens"], "services": ["tests"]}
    port = free_port()
    no_proxy = real_hub.CONFIG.partition("c = get_config()")[0].replace("{{", "{").replace("}}", "}")
    config = f"""
{no_proxy}
c = get_config()
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.hub_ip, c.JupyterHub.hub_port = "127.0.0.1", {port}
c.JupyterHub.bind_url = "http://127.0.0.1:{free_port()}"
c.JupyterHub.services = {[*services, {"name": "tests", "api_token": real_hub.ADMIN_TOKEN}]!r}
c.JupyterHub.load_roles = {[*roles, admin]!r}
{values["extraConfig"]["tito"]}"""
    (folder / "jupyterhub_config.py").write_text(config)
    log = folder / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", "jupyterhub_config.py"], cwd=folder, stdout=out, stderr=out,
            env=os.environ | {"TITO_HUB_CONFIG": str(folder / "tito.yaml")}, start_new_session=True,
        )  # fmt: skip
    api = f"http://127.0.0.1:{port}/hub/api"

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return httpx.get(api, timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    try:
        wait_for(answers, 90)
        yield api
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, postgresql_server: postgresql.Server) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    exchange_url, gradebook_url = (postgresql.database_in(postgresql_server.url) for _ in range(2))
    port = free_port()
    secrets = {
        ("exchange", "owner-db-url"): exchange_url,
        ("exchange", "db-url"): exchange_url,
        (f"course-{COURSE}", "gradebook-url"): gradebook_url,
        **{("hub", f"hub.services.{name}.apiToken"): token for name, token in TOKENS.items()},
    }
    config = yaml.safe_load((FOLDER / "exchange" / "config.yaml").read_text().replace("tinytorch", COURSE))["data"]
    scopes = ("TITO_EXCHANGE_SERVICES", "JUPYTERHUB_OAUTH_ACCESS_SCOPES")
    with hub(folder / "hub", port) as api, object_store() as store:
        environment = {name: config[name] for name in scopes} | {"TITO_EXCHANGE_DB": exchange_url} | store.environment
        exchange = ServiceProcess(
            folder / "exchange", api, port=port, prefix="/services/exchange", environment=environment
        )
        cluster = Cluster(api, exchange, postgresql_server, secrets)
        migrated = run(cluster, of_job("migrate", "migrate"))
        assert migrated.returncode == 0, migrated.stderr
        with exchange:
            exchange.start()
            yield cluster


def token_of(cluster: Cluster, user: str) -> str:
    headers = {"Authorization": f"token {real_hub.ADMIN_TOKEN}"}
    body = {"scopes": real_hub.SCOPES}
    answer = httpx.post(f"{cluster.hub_api}/users/{user}/tokens", headers=headers, json=body, timeout=30)
    answer.raise_for_status()
    return str(answer.json()["token"])


def files_in(folder: Path) -> list[tuple[str, Path]]:
    return folder_files(folder, lambda *_: [], lambda *_: None)


def hand_in(cluster: Cluster, course: Course, student: str, folder: Path, **cells: str) -> None:
    folder.mkdir()
    (folder / "doubling.ipynb").write_text(json.dumps(solved(course, **cells)))
    client = Client(cluster.exchange.url, token_of(cluster, student))
    with snapshot(files_in(folder)) as files:
        assert client.submit(COURSE, ASSIGNMENT, files).student == student
    client.close()


@pytest.fixture
def course(cluster: Cluster, released: Course, monkeypatch: pytest.MonkeyPatch) -> Course:
    """The course as formgrader's pod has it: released by its service's token, its gradebook in PostgreSQL."""
    monkeypatch.setenv("TITO_GRADEBOOK_DB", cluster.secrets[(f"course-{COURSE}", "gradebook-url")])
    course = load_course(released.root)
    build(course, course.assignment(ASSIGNMENT))  # as the gates of `tito release` do
    publish(course, course.assignment(ASSIGNMENT))
    shutil.copy(FOLDER.parents[1] / "nbgrader_config.py", course.root)
    given_to_pods(course.root)
    filled = run(cluster, of_course("formgrader", "course"), course.root)
    assert filled.returncode == 0, filled.stderr
    formgrader = Client(cluster.exchange.url, TOKENS[COURSE])
    with snapshot(files_in(course.step("release", ASSIGNMENT))) as files:
        formgrader.publish(COURSE, ASSIGNMENT, files, replace=False)
    formgrader.close()
    return course


# ---- the Jobs ----------------------------------------------------------------------------------


def test_a_job_collects_with_a_token_and_grades_without_one(cluster: Cluster, course: Course, tmp_path: Path) -> None:
    hand_in(cluster, course, "ada", tmp_path / "ada")
    hand_in(cluster, course, "eve", tmp_path / "eve", double=textwrap.dedent(CURIOUS))
    collect, grade = of_job("grade", "collect"), of_job("grade", "grade")
    of_collect, of_grade = cluster.environment(collect), cluster.environment(grade)
    assert of_collect["JUPYTERHUB_API_TOKEN"] == TOKENS[f"{COURSE}-collect"]
    assert not [value for value in of_grade.values() if any(token in value for token in TOKENS.values())]

    done = run(cluster, collect, course.root, ASSIGNMENT="7")
    assert done.returncode == 0, done.stderr
    assert "2 submissions, 2 of them new" in done.stderr
    receipt = json.loads((course.step("submitted", "ada", ASSIGNMENT) / "receipt.json").read_text())
    assert receipt["student"] == "ada"

    done = run(cluster, grade, course.root, ASSIGNMENT="7")
    assert done.returncode == 0, done.stderr
    assert "2 graded, 0 unchanged" in done.stderr
    with Gradebook(of_grade["TITO_GRADEBOOK_DB"], COURSE) as opened:
        scores = {submission.student.id: submission.score for submission in opened.assignment_submissions(ASSIGNMENT)}
    assert scores["ada"] == scores["eve"] > 0
    assert found_by_eve(course) == {
        "environment": [],
        "/srv/course/course.toml": "PermissionError",
        "/srv/course/source": "PermissionError",
        "/srv/course/submitted/ada": "PermissionError",
        "/proc/1/environ": "PermissionError",
        "2": "PermissionError",
        "1": "PermissionError",
    }

    again = run(cluster, grade, course.root, ASSIGNMENT="7")
    assert "0 graded, 2 unchanged" in again.stderr


def found_by_eve(course: Course) -> dict[str, Any]:
    """What the curious cell could say about where it was graded."""
    notebook = json.loads((course.step("autograded", "eve", ASSIGNMENT) / "doubling.ipynb").read_text())
    texts = [out.get("text", "") for cell in notebook["cells"] for out in cell.get("outputs", [])]
    line = next(text for text in ("".join(lines) for lines in texts) if text.startswith("FOUND "))
    facts: dict[str, Any] = json.loads(line.removeprefix("FOUND "))
    return facts


def test_visible_tests_are_run_in_a_pod_that_has_nothing_of_the_course(
    cluster: Cluster, course: Course, tmp_path: Path
) -> None:
    client = Client(cluster.exchange.url, TOKENS[COURSE])
    client.set_policy(COURSE, Policy(precheck=PrecheckPolicy(20, course.sandbox.packages, course.limits)))
    client.close()
    worker = of_course("precheck", "precheck")
    assert [mount["mountPath"] for mount in worker["volumeMounts"]] == ["/tmp"]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(in_its_stead(cluster, worker, None), stdout=log, stderr=log)
        try:
            hand_in(cluster, course, "ada", tmp_path / "ada")
            ada = Client(cluster.exchange.url, token_of(cluster, "ada"))
            submission = ada.my_submissions(COURSE)[-1]
            wait_for(lambda: ada.precheck(submission).state.final or process.poll() is not None, 90)
            result = ada.precheck(submission).result
            ada.close()
            log.seek(0)
            assert result is not None, log.read()
            assert not result.fault, log.read()
            assert {test.verdict for test in result.tests} == {"PASSED"}
        finally:
            process.terminate()
            process.wait(30)


def test_formgrader_starts_in_its_pod_and_sends_who_comes_to_the_hub(cluster: Cluster, course: Course) -> None:
    container = of_course("formgrader", "formgrader")
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = in_its_stead(cluster, container, course.root, JUPYTERHUB_SERVICE_URL=address)
    page = f"{address}/services/{COURSE}/formgrader"
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:

            def answers() -> bool:
                log.seek(0)
                assert process.poll() is None, log.read()
                try:
                    return httpx.get(page, timeout=5).status_code == 302
                except httpx.HTTPError:
                    return False

            wait_for(answers, 90)
            sent = httpx.get(page, timeout=30).headers["Location"]
        finally:
            process.terminate()
            process.wait(30)
    assert f"client_id=service-{COURSE}" in sent


def test_the_collecting_token_does_not_release_and_is_good_for_nothing_on_the_hub(cluster: Cluster) -> None:
    client = Client(cluster.exchange.url, TOKENS[f"{COURSE}-collect"])
    assert {name: role.name for name, role in client.who().courses.items()} == {COURSE: "TA"}
    with pytest.raises(Refused) as caught:
        client.publish(COURSE, "other", uploads(), replace=True)
    assert caught.value.status == 403
    client.close()
    headers = {"Authorization": f"token {TOKENS[f'{COURSE}-collect']}"}
    for path in ("users", "groups", "users/ada/tokens", "services"):
        assert httpx.get(f"{cluster.hub_api}/{path}", headers=headers, timeout=30).status_code == 403
