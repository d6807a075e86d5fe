"""One server, as book/how-to/one-server.md sets it up: docker/compose.yml, init, backup and restore there, run."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest
from containers import VERSION, Container, command
from loopback import Loopback, own_origin
from server import Person, Server

MODULE = "16_quantization"
PORTS = {"caddy": 443, "db": 5432, "exchange": 8889, "formgrader": 8890, "hub": 8081, "proxy": 8000}
OPEN_TO_STUDENTS = ("exchange", "hub", "proxy")
ELSEWHERE = "1.1.1.1/80"
REACH = 'for place in {}; do timeout 3 bash -c "</dev/tcp/$place" 2>/dev/null && echo $place; done; true'


@pytest.fixture(scope="module")
def students(server: Server) -> tuple[Person, Person]:
    """Two of them, each with a server."""
    server.inside("formgrader", "nbgrader", "release_assignment", MODULE)
    first, second = (server.login(name) for name in server.students)
    first.start_server()
    second.start_server()
    for person in (first, second):
        server.wait_for_names(person)
    return first, second


def asks(person: Person, owner: str) -> httpx.Client:
    """Requests to the server of `owner`, with a token of this person's."""
    base = own_origin(str(person.http.base_url), f"/user/{owner}/")
    headers = {"Authorization": f"token {person.token()}"}
    return httpx.Client(transport=Loopback(verify=False), base_url=base, headers=headers, timeout=60)


def assignment_list(person: Person, what: str) -> None:
    """What a click in the Assignment List does."""
    with asks(person, person.name) as http:
        form = {"assignment_id": MODULE, "course_id": "tinytorch"}
        answer = http.post(f"assignments/{what}", data=form).raise_for_status().json()
    log = Container(f"jupyter-{person.name}").log()[-6000:]
    assert answer["success"], f"{answer}\n{log}"
    assert what != "fetch" or was_fetched(answer), f"{answer}\n{log}"


def verdicts_of_visible_tests(person: Person) -> str:
    """The page that comes beside the receipt by itself."""
    path = f"api/contents/tinytorch/{MODULE}/receipts/prechecks.md"
    until, page = time.monotonic() + 90, ""
    with asks(person, person.name) as http:
        while " passed (release revision" not in page:
            assert time.monotonic() < until, page
            time.sleep(0.5)
            answer = http.get(path)
            page = answer.json()["content"] if answer.status_code == 200 else ""
    return page


def was_fetched(answer: dict[str, Any]) -> bool:
    return any(
        assignment["assignment_id"] == MODULE and assignment["status"] == "fetched" for assignment in answer["value"]
    )


def test_people_reach_the_hub_and_the_exchange_by_tls(server: Server) -> None:
    with httpx.Client(transport=Loopback(verify=False), base_url=server.url) as http:
        assert http.get("/hub/health").status_code == 200
        assert http.get("/hub/login").headers["strict-transport-security"].startswith("max-age")
        assert http.get(server.address("/services/exchange/health")).json() == {"status": "ok"}


def test_a_students_server_reaches_hub_proxy_and_exchange_and_nothing_else(
    server: Server, students: tuple[Person, Person]
) -> None:
    """By address: a name that a network does not know is no fence."""
    places = {}
    for service, port in PORTS.items():
        (facts,) = json.loads(command("podman", "inspect", server.container(service)))
        for network, endpoint in facts["NetworkSettings"]["Networks"].items():
            is_open = network.endswith("-students") and service in OPEN_TO_STUDENTS
            places[f"{endpoint['IPAddress']}/{port}"] = is_open
            if service == "proxy":
                places[f"{endpoint['IPAddress']}/8001"] = False
    script = REACH.format(" ".join([*places, ELSEWHERE]))
    reached = command("podman", "exec", f"jupyter-{students[0].name}", "bash", "-c", script).split()
    assert reached == [place for place, is_open in places.items() if is_open]
    assert len(reached) == len(OPEN_TO_STUDENTS)


def test_a_question_that_the_name_server_lost_is_asked_again_soon(students: tuple[Person, Person]) -> None:
    """podman's loses them when a container starts or stops on this machine; the usual 5 s are long for a click."""
    output = command("podman", "exec", f"jupyter-{students[0].name}", "cat", "/etc/resolv.conf")
    assert "options timeout:1 attempts:5" in output


def test_students_of_the_same_user_do_not_see_each_other(students: tuple[Person, Person]) -> None:
    ada, bob = students
    with asks(bob, bob.name) as http:
        content = {"type": "file", "format": "text", "content": "bob's own"}
        http.put("api/contents/diary.txt", json=content).raise_for_status()
    with asks(ada, bob.name) as http:
        assert http.get("api/contents/diary.txt").status_code == 403
    with asks(ada, ada.name) as http:
        assert http.get("api/contents/diary.txt").status_code == 404
    for person in students:
        (facts,) = json.loads(command("podman", "inspect", f"jupyter-{person.name}"))
        assert [mount["Name"] for mount in facts["Mounts"]] == [f"tito-home-{person.name}"]
        output = command(
            "podman", "exec", facts["Id"], "sh", "-c", "id -u; ls /proc | grep -c '^[0-9]'; ls /home/student"
        )
        assert output.startswith("1000\n")
        assert ("diary.txt" in output) == (person is bob)
        assert facts["EffectiveCaps"] is None
    reached = command(
        "podman", "exec", f"jupyter-{ada.name}", "sh", "-c", "ls -A /run/secrets; test ! -e /var/run/docker.sock"
    )
    assert reached == ""


def test_what_students_hand_in_is_graded_and_survives_the_loss_of_the_server(
    server: Server, students: tuple[Person, Person], tmp_path: Path
) -> None:
    for person in students:
        assignment_list(person, "fetch")
        assignment_list(person, "submit")
        assert "Hidden tests are not run here" in verdicts_of_visible_tests(person)
    graded = server.inside("formgrader", "sh", "-c", f"tito collect {MODULE} >&2 && tito autograde {MODULE} --json")
    records = {record["student"]: record for record in json.loads(graded)}
    assert set(records) == set(server.students)
    assert {(record["sandbox"], record["fault"]) for record in records.values()} == {("bubblewrap", "")}

    held = server.inside("exchange", "tito", "exchange", "audit", "--json")
    assert json.loads(held)["submissions"] == 2
    in_home(students[1], "echo of an afternoon > notes.txt")
    backup = server.script("backup", "--homes", tmp_path).stdout.strip()
    assert {path.name for path in tmp_path.iterdir()} == {Path(backup).name}
    without = server.script("backup", tmp_path / "without").stdout.strip()
    homes = {f"home.tito-home-{name}.tar" for name in server.students}
    assert {path.name for path in Path(backup).iterdir()} == {path.name for path in Path(without).iterdir()} | homes
    refused = server.script("restore", backup, fails=True).stderr
    assert "Nothing was restored" in refused
    assert "tables in the database 'exchange'" in refused
    assert "files in the exchange" in refused
    assert "a gradebook" in refused
    assert f"the home tito-home-{students[0].name}" in refused
    assert server.inside("exchange", "tito", "exchange", "audit", "--json") == held, "and it runs on"

    lose_everything(server)
    server.script("restore", backup)
    assert server.inside("exchange", "tito", "exchange", "audit", "--json") == held
    assert in_home(students[1], "stat -c %u notes.txt; cat notes.txt") == "1000\nof an afternoon\n"
    again = server.inside("formgrader", "tito", "autograde", MODULE, "--json")
    assert verdicts(json.loads(again)) == verdicts(records.values())
    server.inside("formgrader", "sh", "-c", f"rm -r submitted && tito collect {MODULE}")
    collected = server.folder.parent / "course" / "submitted"
    assert {path.name for path in collected.iterdir()} == set(server.students)
    assert students[0].api("GET", f"/users/{students[0].name}").status_code == 200, "still logged in"


def in_home(person: Person, script: str) -> str:
    """What a command says in somebody's home, whether their server runs or not."""
    where = ["--volume", f"tito-home-{person.name}:/home/student", "--entrypoint", "sh"]
    image = f"localhost/tito-student:{VERSION}"
    return command("podman", "run", "--rm", "--no-healthcheck", "--network", "none", *where, image, "-c", script)


def lose_everything(server: Server) -> None:
    """All but secrets and settings."""
    for name in server.students:
        command("podman", "rm", "--force", "--time", "2", f"jupyter-{name}")
        command("podman", "volume", "rm", f"tito-home-{name}")
    server.compose("down", "--timeout", "3")
    for volume in ("db", "exchange", "hub"):
        command("podman", "volume", "rm", f"{server.project}_{volume}")
    for path in (server.folder.parent / "course").iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def verdicts(records: Iterable[dict[str, Any]]) -> dict[str, list[tuple[str, str]]]:
    return {
        record["student"]: [
            (cell["grade_id"], cell["verdict"]) for book in record["notebooks"] for cell in book["cells"]
        ]
        for record in records
    }


def test_graders_enter_formgrader_and_students_do_not(server: Server, students: tuple[Person, Person]) -> None:
    teacher = server.login("teacher")
    formgrader = server.address("/services/tinytorch/formgrader/")
    page = teacher.http.get(formgrader)
    assert page.status_code == 200
    assert "formgrader" in page.text
    assert students[0].http.get(formgrader).status_code == 403
