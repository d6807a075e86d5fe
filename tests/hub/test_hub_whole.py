"""The whole hub of a laptop: people log in through the proxy, their servers start, and each gets what is theirs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from exchange_support import wait_for
from loopback import Loopback
from tiny import ASSIGNMENT
from whole_hub import PASSWORD, PROJECT, Person, WholeHub

from tito.course.course import load_course
from tito.course.script import build
from tito.exchange.client.client import Client
from tito.exchange.protocol.files import folder_files, snapshot
from tito.exchange.protocol.problems import Refused
from tito.exchange.protocol.records import Policy, PrecheckPolicy
from tito.exchange.server.local import LocalGateway

SERVICE = "/services/tiny/"
LAB = "@jupyter/nbgrader:"
OFF_FOR_STUDENTS = {f"{LAB}{name}" for name in ("course-list", "create-assignment", "formgrader")}


def course_of_tests(folder: Path, released_once: Path) -> Path:
    """The tiny course with its module released, and handed to the exchange that the hub will serve."""
    root = folder / "course"
    shutil.copytree(released_once, root)
    shutil.copy(PROJECT / "nbgrader_config.py", root)
    course = load_course(root)
    build(course, course.assignment(ASSIGNMENT))
    exchange = LocalGateway(folder / "state" / "exchange", "teacher")
    files = folder_files(root / "release" / ASSIGNMENT, lambda *_: [], lambda *_: None)
    with snapshot(files) as uploads:
        exchange.publish("tiny", ASSIGNMENT, uploads, replace=False)
    exchange.set_policy("tiny", Policy(precheck=PrecheckPolicy(20, course.sandbox.packages, course.limits)))
    exchange.close()
    return root


def settings_of_tests(root: Path, ports: list[int]) -> dict[str, str]:
    token = root.parent / "token"
    token.write_text("token-of-the-formgrader-apart")
    url = f"http://127.0.0.1:{ports[5]}"
    apart = {"url": url, "api_token_file": str(token), "instructors": ["teacher"]}
    course = {
        "title": "A tiny course",
        "root": str(root),
        "port": ports[4],
        "instructors": ["teacher", "helper"],
        "tas": ["tutor"],
        "students": ["ada", "bob"],
        "precheck": True,
    }
    return {"AUTH_DUMMY_PASSWORD": PASSWORD, "COURSES": json.dumps({"tiny": course, "apart": apart})}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, released_once: Path) -> Iterator[WholeHub]:
    folder = tmp_path_factory.mktemp("whole")
    hub = WholeHub(folder, {})
    hub.settings = settings_of_tests(course_of_tests(folder, released_once), hub.ports)
    try:
        hub.start_proxy()
        hub.start()
        yield hub
    finally:
        hub.close()


@pytest.fixture(scope="module")
def ada(hub: WholeHub) -> Person:
    person = hub.person("ada")
    person.start_server()
    return person


@pytest.fixture(scope="module")
def teacher(hub: WholeHub) -> Person:
    person = hub.person("teacher")
    person.start_server()
    return person


def page_config(answer: httpx.Response) -> dict[str, Any]:
    answer.raise_for_status()
    text = answer.text.split('id="jupyter-config-data" type="application/json">')[1].split("</script>")[0]
    config: dict[str, Any] = json.loads(text)
    return config


def server_extensions(log: str, user: str) -> set[str]:
    return {line.split(" | ")[0].split()[-1] for line in log.splitlines() if "successfully loaded" in line}


# ---- logging in --------------------------------------------------------------------------------------------------


def test_the_password_and_the_name_are_both_needed(hub: WholeHub) -> None:
    assert "Sign in" in httpx.get(f"{hub.url}/hub/login").text
    for name, password in (("ada", "wrong-password"), ("stranger", PASSWORD)):
        who = Person(hub, name)
        assert who.log_in(password).status_code == 403
    assert Person(hub, "ada").log_in().status_code == 200


def test_no_secret_is_in_the_log_and_no_file_of_the_state_is_open_to_others(hub: WholeHub, ada: Person) -> None:
    log = hub.log.read_text()
    assert PASSWORD not in log
    assert ada.token not in log
    assert (hub.folder / "state").stat().st_mode & 0o777 == 0o700
    assert hub.process is not None
    for pid in (ada.process.pid, hub.process.pid):
        assert "Umask:\t0077" in Path(f"/proc/{pid}/status").read_text()
    assert PASSWORD not in "".join(" ".join(values) for values in [ada.process.environ().values()])


# ---- what people see ---------------------------------------------------------------------------------------------


def test_a_student_sees_the_assignment_list_and_validate_and_nothing_of_instructors(ada: Person) -> None:
    config = page_config(ada.get("/lab"))
    assert set(config["disabledExtensions"]) >= OFF_FOR_STUDENTS
    assert set(config["lockedExtensions"]) >= OFF_FOR_STUDENTS
    assert not set(config["disabledExtensions"]) & {f"{LAB}assignment-list", f"{LAB}validate-assignment"}
    menus = ada.get("/lab/api/settings/@jupyterlab/mainmenu-extension:plugin").json()
    assert "formgrader" not in json.dumps(menus)
    assert ada.get("/assignments", params={"course_id": "tiny"}).status_code == 200
    assert ada.get("/formgrader").status_code == 404
    assert ada.get("/formgrader/api/status").status_code == 404
    assert ada.get("/course_list").status_code == 404


def test_an_instructor_sees_create_assignment_and_the_way_to_formgrader(teacher: Person) -> None:
    config = page_config(teacher.get("/lab"))
    assert {f"{LAB}formgrader", f"{LAB}course-list"} <= set(config["disabledExtensions"])
    shown = {f"{LAB}{name}" for name in ("assignment-list", "validate-assignment", "create-assignment")}
    assert not shown & set(config["disabledExtensions"])
    menus = teacher.get("/lab/api/settings/@jupyterlab/mainmenu-extension:plugin").json()
    assert "/services/tiny/formgrader" in json.dumps(menus["schema"]["properties"]["menus"]["default"])
    assert teacher.get("/formgrader").status_code == 404  # nor in a frame: it is a service of its own


def test_formgrader_is_open_to_instructors_only(hub: WholeHub, teacher: Person, ada: Person) -> None:
    page = teacher.browser.get(teacher.hub.address("/services/tiny/formgrader"))
    assert page.status_code == 200
    assert "Manage Assignments" in page.text
    listed = teacher.browser.get(teacher.hub.address("/services/tiny/formgrader/api/assignments")).json()
    assert [(assignment["name"], assignment["status"]) for assignment in listed] == [(ASSIGNMENT, "released")]
    for name in ("ada", "tutor"):
        person = ada if name == "ada" else hub.person(name)
        assert person.browser.get(person.hub.address("/services/tiny/formgrader")).status_code == 403
        assert person.browser.get(person.hub.address("/services/tiny/formgrader/api/assignments")).status_code == 403
    assert "/services/tiny/" in teacher.browser.get("/hub/home").text
    assert "/services/tiny/" not in ada.browser.get("/hub/home").text
    assert "/services/precheck" not in ada.browser.get("/hub/home").text


def test_everybody_finds_the_page_of_what_they_handed_in(teacher: Person, ada: Person) -> None:
    for name, person in (("teacher", teacher), ("ada", ada)):
        address = person.hub.address("/services/exchange/")
        assert f'href="{address}"' in person.browser.get("/hub/home").text
        page = person.browser.get(address)
        assert page.status_code == 200
        assert f"What you handed in, {name}" in page.text


def test_nothing_runs_in_the_account_of_formgrader(teacher: Person) -> None:
    teacher.browser.get(teacher.hub.address(f"{SERVICE}formgrader")).raise_for_status()  # logs in to the service
    for path in ("api/kernelspecs", "api/kernels", "api/terminals", "api/contents", "lab", "files/course.toml"):
        assert teacher.browser.get(teacher.hub.address(f"{SERVICE}{path}")).status_code == 404, path
    for path in ("api/kernels", "api/terminals", "api/contents"):
        assert teacher.send("POST", SERVICE, path, json={}).status_code == 404, path


def test_a_student_added_in_formgrader_is_in_the_group(hub: WholeHub, teacher: Person) -> None:
    hub.person("bob")
    teacher.browser.get(teacher.hub.address("/services/tiny/formgrader/manage_students"))
    body = {"first_name": "T", "last_name": None, "email": None}
    assert teacher.send("PUT", SERVICE, "formgrader/api/student/tutor", json=body).status_code == 200
    tutor = hub.person("tutor")
    assert "nbgrader-tiny" in tutor.api("GET", "/user").json()["groups"]


def test_a_formgrader_in_a_place_of_its_own_needs_what_the_book_says(hub: WholeHub, teacher: Person) -> None:
    root = hub.folder / "apart"
    shutil.copytree(hub.folder / "course", root, ignore=shutil.ignore_patterns("submitted"))
    (root / "course.toml").write_text((root / "course.toml").read_text().replace('id = "tiny"', 'id = "apart"'))
    environment = {
        "JUPYTERHUB_SERVICE_NAME": "apart",
        "JUPYTERHUB_API_TOKEN": (hub.folder / "token").read_text(),
        "JUPYTERHUB_API_URL": f"http://127.0.0.1:{hub.ports[2]}/hub/api",
        "JUPYTERHUB_HOST": hub.url,
        "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{hub.ports[5]}",
        "TITO_EXCHANGE_URL": hub.exchange,
    }
    page = (PROJECT / "book/how-to/hub.md").read_text()
    assert all(f"| `{name}` |" in page for name in environment)
    (hub.folder / "home").mkdir()
    usual = {"PATH": os.environ["PATH"], "HOME": str(hub.folder / "home")}
    command = [sys.executable, "-P", "-m", "tito.hub.formgrader.service"]
    log = hub.folder / "apart.log"
    with log.open("wb") as out:
        service = subprocess.Popen(command, cwd=root, env=usual | environment, stdout=out, stderr=out)
    try:
        wait_for(lambda: teacher.browser.get(teacher.hub.address("/services/apart/formgrader")).status_code == 200, 60)
        assert "Manage Assignments" in teacher.browser.get(teacher.hub.address("/services/apart/formgrader")).text
        listed = teacher.browser.get(teacher.hub.address("/services/apart/formgrader/api/assignments")).json()
        assert [(assignment["name"], assignment["status"]) for assignment in listed] == [(ASSIGNMENT, "draft")]
        assert "/services/exchange/courses/apart/releases 200" in hub.log.read_text()
    except AssertionError as error:
        raise AssertionError(log.read_text()[-3000:]) from error
    finally:
        service.terminate()
        service.wait(20)


# ---- what a server's token can do --------------------------------------------------------------------------------


def test_a_students_token_opens_the_exchange_and_nothing_of_others(hub: WholeHub, ada: Person, teacher: Person) -> None:
    token = ada.token
    client = Client(hub.exchange, token)
    assert client.who().name == "ada"
    assert [release.assignment for release in client.releases("tiny")] == [ASSIGNMENT]
    client.close()

    def status(method: str, path: str, body: Any = None) -> int:
        headers = {"Authorization": f"token {token}"}
        with httpx.Client(transport=Loopback(), timeout=30) as asking:
            return asking.request(method, hub.address(path), headers=headers, json=body).status_code

    api = "/hub/api"
    assert status("GET", f"{api}/user") == 200
    refused = [
        ("GET", f"{api}/users", None),
        ("GET", f"{api}/users/teacher", None),
        ("GET", f"{api}/groups", None),
        ("GET", f"{api}/groups/nbgrader-tiny", None),
        ("POST", f"{api}/groups/formgrade-tiny/users", {"users": ["ada"]}),
        ("GET", f"{api}/services", None),
        ("GET", f"{api}/proxy", None),
        ("GET", f"{api}/info", None),
        ("POST", f"{api}/shutdown", {}),
        ("POST", f"{api}/users/mallory", None),
        ("DELETE", f"{api}/users/bob", None),
        ("PATCH", f"{api}/users/ada", {"admin": True}),
        ("POST", f"{api}/users/bob/server", None),
        ("DELETE", f"{api}/users/teacher/server", None),
        ("POST", f"{api}/users/ada/server", None),  # their browser may, their notebooks need not
        ("POST", f"{api}/users/ada/tokens", {}),
        ("GET", f"{api}/users/ada/tokens", None),
        ("POST", f"{api}/users/teacher/tokens", {}),
        ("GET", "/user/teacher/api/contents", None),
        ("GET", "/services/tiny/formgrader/api/assignments", None),
    ]
    allowed = [(method, path) for method, path, body in refused if status(method, path, body) not in (403, 404)]
    assert allowed == []


def test_a_student_in_a_browser_reaches_nobody_elses_server(hub: WholeHub, ada: Person, teacher: Person) -> None:
    assert ada.browser.get(hub.address("/user/teacher/api/contents")).status_code in (403, 404)
    assert ada.api("GET", "/users/teacher").status_code == 404
    assert ada.api("GET", "/users").status_code == 403
    assert ada.api("POST", "/users/bob/server").status_code in (403, 404)
    assert ada.browser.get("/hub/admin").status_code == 403
    assert teacher.browser.get("/hub/admin").status_code == 403


def test_each_server_has_a_folder_of_its_own(hub: WholeHub, ada: Person, teacher: Person) -> None:
    homes = hub.folder / "state" / "homes"
    assert Path(ada.process.cwd()) == homes / "ada"
    assert Path(teacher.process.cwd()) == homes / "teacher"
    assert homes.stat().st_mode & 0o777 == 0o700


# ---- an assignment's way -----------------------------------------------------------------------------------------


def submit(student: Person) -> dict[str, Any]:
    """What the Assignment List's button does."""
    student.get("/lab")
    form = {"course_id": "tiny", "assignment_id": ASSIGNMENT}
    answer: dict[str, Any] = student.send("POST", f"/user/{student.name}/", "assignments/submit", data=form).json()
    return answer


def test_a_student_fetches_submits_and_the_instructor_collects(hub: WholeHub, ada: Person, teacher: Person) -> None:
    assert ada.get("/assignments", params={"course_id": "tiny"}).json()["value"][0]["assignment_id"] == ASSIGNMENT
    form = {"course_id": "tiny", "assignment_id": ASSIGNMENT}
    fetched = ada.send("POST", "/user/ada/", "assignments/fetch", data=form).json()
    assert fetched["success"], fetched
    submitted = submit(ada)
    assert submitted["success"], submitted
    assert (hub.folder / "state" / "homes" / "ada" / "tiny" / ASSIGNMENT / "receipts").is_dir()
    teacher.browser.get(teacher.hub.address(f"{SERVICE}formgrader"))
    collected = teacher.send("POST", SERVICE, f"formgrader/api/assignment/{ASSIGNMENT}/collect").json()
    assert collected["success"], collected
    assert (hub.folder / "course" / "submitted" / "ada" / ASSIGNMENT / "receipt.json").is_file()
    assert "service:tiny" in hub.log.read_text()  # with the service's own token


def test_what_was_not_done_is_told_in_the_exchanges_own_words(hub: WholeHub, ada: Person, teacher: Person) -> None:
    """The page shows what is answered here; nbgrader's answer is a traceback, or a list as if nothing had been."""
    teachers = Client(hub.exchange, teacher.token)
    course = load_course(hub.folder / "course")
    usual = Policy(precheck=PrecheckPolicy(20, course.sandbox.packages, course.limits))
    closed = datetime(2020, 1, 1, tzinfo=UTC)
    try:
        teachers.set_policy("tiny", Policy(deadlines={ASSIGNMENT: closed}, cutoffs={ASSIGNMENT: closed}))
        refused = submit(ada)
    finally:
        teachers.set_policy("tiny", usual)
        teachers.close()
    assert refused["success"] is False
    assert "was closed at 2020-01-01 00:00:00 UTC" in " ".join(refused["value"].split())
    assert max(map(len, refused["value"].splitlines())) <= 80, "the dialog breaks no line"
    form = {"course_id": "tiny", "assignment_id": ASSIGNMENT}
    again = ada.send("POST", "/user/ada/", "assignments/fetch", data=form).json()
    assert again["success"] is False
    assert f"You already have a copy of the assignment in this directory: tiny/{ASSIGNMENT}" in again["value"]
    never = ada.send("POST", "/user/ada/", "assignments/fetch", json=form | {"assignment_id": "never"}).json()
    assert f"Assignment not found: never. Released in tiny: {ASSIGNMENT}." in never["value"]
    for answer in (refused, again, never):
        assert "Traceback" not in answer["value"]
        assert ada.token not in answer["value"]


def test_a_student_reads_what_the_visible_tests_say_and_nobody_elses(hub: WholeHub, ada: Person) -> None:
    """Run by the worker that the hub started, with its own token."""
    client = Client(hub.exchange, ada.token)
    submission = client.my_submissions("tiny", ASSIGNMENT)[-1]
    wait_for(lambda: client.precheck(submission).state.final, 60)
    precheck = client.precheck(submission)
    client.close()
    assert precheck.result is not None
    assert {test.name: test.verdict for test in precheck.result.tests}.keys() == {"test_double", "test_halve"}
    assert ada.get("/assignments", params={"course_id": "tiny"}).status_code == 200  # the list is refreshed
    page = hub.folder / "state" / "homes" / "ada" / "tiny" / ASSIGNMENT / "receipts" / "prechecks.md"
    assert f"Submission {submission.id}" in page.read_text()
    assert "test_double" in page.read_text()
    bob = hub.person("bob")
    bob.browser.get("/hub/token")
    body = {"scopes": ["access:services!service=exchange"]}
    other = Client(hub.exchange, bob.api("POST", "/users/bob/tokens", json=body).json()["token"])
    with pytest.raises(Refused) as caught:
        other.precheck(submission)
    assert caught.value.status == 404
    other.close()
    assert "POST /services/exchange/courses/tiny/prechecks/claim 200" in hub.log.read_text()


# ---- the hub goes and comes back ---------------------------------------------------------------------------------


def submissions_of(hub: WholeHub, student: Person) -> int:
    client = Client(hub.exchange, student.token)
    submissions = client.my_submissions("tiny", ASSIGNMENT)
    client.close()
    return len(submissions)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_servers_live_on_while_the_hub_restarts_and_submissions_work_again(
    how: signal.Signals, hub: WholeHub, ada: Person, teacher: Person
) -> None:
    before, handed_in = ada.process, submissions_of(hub, ada)
    assert hub.process is not None
    hub.process.send_signal(how)
    hub.process.wait(180)  # the hub stops its four services one after the other, each with up to 20 s of patience
    assert before.is_running()
    assert ada.get("/api/status").status_code == 200  # through the proxy, which stayed
    hub.start()
    assert ada.process == before
    wait_for(lambda: teacher.browser.get(teacher.hub.address("/services/tiny/formgrader")).status_code == 200, 60)
    assert ada.get("/api/status").status_code == 200
    submitted = submit(ada)
    assert submitted["success"], submitted
    assert submissions_of(hub, ada) == handed_in + 1


def test_servers_that_nobody_uses_are_stopped_and_their_files_stay(hub: WholeHub, ada: Person) -> None:
    process = ada.process
    notes = hub.folder / "state" / "homes" / "ada" / "notes.txt"
    notes.write_text("of an afternoon")
    hub.stop()
    hub.settings |= {"IDLE_AFTER_MINUTES": "0.05", "IDLE_EVERY_S": "1"}
    hub.start()
    wait_for(lambda: not process.is_running(), 30)
    wait_for(lambda: ada.api("GET", "/users/ada").json()["servers"] == {}, 30)
    assert notes.read_text() == "of an afternoon"


def groups_of(person: Person) -> set[str]:
    person.browser.get("/hub/home")
    return set(person.api("GET", "/user").raise_for_status().json()["groups"])


def test_who_is_taken_out_of_the_settings_leaves_the_course_and_who_was_added_in_formgrader_stays(
    hub: WholeHub, teacher: Person
) -> None:
    helper, bob = hub.person("helper"), hub.person("bob")
    teacher.browser.get(teacher.hub.address(f"{SERVICE}formgrader/manage_students"))
    body = {"first_name": "H", "last_name": None, "email": None}
    assert teacher.send("PUT", SERVICE, "formgrader/api/student/helper", json=body).status_code == 200
    assert groups_of(helper) == {"formgrade-tiny", "nbgrader-tiny"}
    assert groups_of(bob) == {"nbgrader-tiny"}
    hub.stop()
    courses = json.loads(hub.settings["COURSES"])
    courses["tiny"] |= {"instructors": ["teacher"], "students": ["ada"]}
    del courses["apart"]
    hub.settings["COURSES"] = json.dumps(courses)
    hub.start()
    assert groups_of(bob) == set()
    assert groups_of(helper) == {"nbgrader-tiny"}, "formgrader's is not the settings' to take"
    assert groups_of(teacher) == {"formgrade-tiny"}, "but that of a course that is gone is"
    wait_for(lambda: teacher.browser.get(teacher.hub.address(f"{SERVICE}formgrader")).status_code == 200, 60)
    assert helper.browser.get(helper.hub.address(f"{SERVICE}formgrader")).status_code == 403
    log = hub.log.read_text()
    assert "bob is not named any more, and leaves the group nbgrader-tiny" in log
    assert "ada is not named" not in log
