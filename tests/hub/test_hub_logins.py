"""Each way to log in, on a real hub: sign-up, an OAuth provider, a learning management system."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from login_providers import CLIENT_ID, CLIENT_SECRET, Provider, provider
from whole_hub import Person, WholeHub, hidden_fields, whole_hub

from tito.errors import TitoError
from tito.hub.accounts import open_accounts
from tito.hub.config.load_settings import load_settings

COURSES = json.dumps({"tiny": {"instructors": ["teacher"], "students": ["ada", "bob"]}})
USUAL = {"COURSES": COURSES, "IDLE_AFTER_MINUTES": "0"}
SIGN_UP_PASSWORD = "a long password of theirs"
PASSWORD_FIELDS = ("signup_password", "signup_password_confirmation")


def sign_up(hub: WholeHub, name: str) -> Person:
    person = Person(hub, name)
    page = person.browser.get("/hub/signup")
    assert page.status_code == 200
    form = {"username": name, "signup_password": SIGN_UP_PASSWORD, "signup_password_confirmation": SIGN_UP_PASSWORD}
    person.browser.post("/hub/signup", data=hidden_fields(page.text) | form)
    return person


def is_in(person: Person) -> bool:
    answer = person.browser.get("/hub/home", follow_redirects=False)
    return answer.status_code == 200


def decide(person: Person, action: str, name: str, token: str = "") -> int:
    """Press a button of the page of sign-ups; the status of what comes of it."""
    page = person.browser.get("/hub/home")
    form = {"_xsrf": token or person.browser.cookies.get("_xsrf", path="/hub/") or hidden_fields(page.text)["_xsrf"]}
    return person.browser.post(f"/hub/{action}/{name}", data=form).status_code


def open_account(hub: WholeHub, *names: str) -> dict[str, str]:
    """What whoever runs the hub does, in its environment."""
    command = [sys.executable, "-P", "-m", "tito.hub.accounts", *names]
    done = subprocess.run(command, env=hub.environment, cwd=hub.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(line.split(": ") for line in done.stdout.splitlines())


def test_who_signs_up_waits_until_an_instructor_lets_them_in(tmp_path: Path) -> None:
    with whole_hub(tmp_path, USUAL | {"AUTH_KIND": "native"}) as hub:
        teacher, ada = Person(hub, "teacher"), sign_up(hub, "ada")
        teacher.log_in(open_account(hub, "teacher")["teacher"])
        assert is_in(teacher)
        answer = ada.log_in(SIGN_UP_PASSWORD)
        assert answer.status_code == 403
        assert "an instructor has to let you in first" in answer.text
        assert not is_in(ada)
        assert "ada" in teacher.browser.get("/hub/authorize").text
        assert teacher.browser.get("/hub/authorize/ada").status_code == 405, "a link lets nobody in"
        assert decide(teacher, "authorize", "ada", token="of another page") == 403
        assert not is_in(ada)
        assert decide(teacher, "authorize", "ada") == 200
        ada.log_in(SIGN_UP_PASSWORD)
        assert is_in(ada)
        # A student lets nobody in, and an instructor can do no more of an admin's than that.
        sign_up(hub, "mallory")
        assert ada.browser.get("/hub/authorize").status_code == 403
        for action in ("authorize", "discard", "withdraw"):
            assert decide(ada, action, "mallory") == decide(teacher, action, "mallory") == 403
        assert teacher.browser.get("/hub/change-password/ada").status_code == 403
        assert teacher.api("DELETE", "/users/ada").status_code in (403, 404)
        assert teacher.api("GET", "/users").status_code == 403
        assert decide(teacher, "authorize", "nobody") == 404
        weak = Person(hub, "weak")
        page = weak.browser.get("/hub/signup")
        form = {"username": "weak", "signup_password": "short", "signup_password_confirmation": "short"}
        assert "at least 10 characters" in weak.browser.post("/hub/signup", data=hidden_fields(page.text) | form).text
        assert SIGN_UP_PASSWORD not in hub.log.read_text()


def test_nobody_has_the_name_of_an_instructor_or_admin_by_signing_up_first(tmp_path: Path) -> None:
    with whole_hub(tmp_path, USUAL | {"AUTH_KIND": "native", "ADMINS": "chief"}) as hub:
        for name in ("chief", "teacher", "Teacher", " teacher"):
            mallory = Person(hub, name)
            page = mallory.browser.get("/hub/signup")
            form = {"username": name} | dict.fromkeys(PASSWORD_FIELDS, "a password")
            text = mallory.browser.post("/hub/signup", data=hidden_fields(page.text) | form).text
            assert "the name is not to be had here" in text, name
            mallory.log_in("a password")
            assert not is_in(mallory)
        early = sign_up(hub, "newcomer")  # before the settings give the name a role
        first = open_account(hub, "chief", "teacher")
        chief, teacher = Person(hub, "chief"), Person(hub, "teacher")
        for member in (chief, teacher):
            member.log_in(first[member.name])
            assert is_in(member)
        assert teacher.browser.get("/hub/authorize").status_code == 200
        assert chief.browser.get("/hub/admin").status_code == 200
        again = open_account(hub, "teacher")["teacher"]  # forgotten: the old one is good for nothing
        for password, good in ((first["teacher"], False), (again, True)):
            person = Person(hub, "teacher")
            person.log_in(password)
            assert is_in(person) is good
        hub.stop()
        hub.settings["COURSES"] = json.dumps({"tiny": {"instructors": ["teacher", "newcomer"], "students": ["ada"]}})
        hub.start()
        assert decide(chief, "authorize", "newcomer") == 403
        early.log_in(SIGN_UP_PASSWORD)
        assert not is_in(early)
        handed_out = open_account(hub, "newcomer")["newcomer"]  # and so the account is theirs who is meant
        for password, good in ((SIGN_UP_PASSWORD, False), (handed_out, True)):
            person = Person(hub, "newcomer")
            person.log_in(password)
            assert is_in(person) is good
        assert not any(password in hub.log.read_text() for password in (*first.values(), again, handed_out))


def test_an_instructor_decides_on_their_own_courses_people_and_on_nobody_who_was_in(tmp_path: Path) -> None:
    courses = {
        "tiny": {"instructors": ["teacher"], "students": ["ada", "bob"]},
        "other": {"instructors": ["professor"], "students": ["eve"]},
        "open": {"instructors": ["host"]},
    }
    settings = {"COURSES": json.dumps(courses), "IDLE_AFTER_MINUTES": "0", "AUTH_KIND": "native", "ADMINS": "chief"}
    with whole_hub(tmp_path, settings) as hub:
        passwords = open_account(hub, "chief", "teacher", "professor", "host")
        people = {name: Person(hub, name) for name in passwords}
        for name, person in people.items():
            person.log_in(passwords[name])
        chief, teacher, professor, host = (people[name] for name in ("chief", "teacher", "professor", "host"))
        ada, eve, guest = (sign_up(hub, name) for name in ("ada", "eve", "guest"))
        shown = {
            viewer: {
                name
                for name in ("ada", "eve", "guest")
                if f'id="{name}"' in people[viewer].browser.get("/hub/authorize").text
            }
            for viewer in people
        }
        assert shown == {"chief": {"ada", "eve", "guest"}, "teacher": {"ada"}, "professor": {"eve"}, "host": {"guest"}}
        for person, name in (
            (teacher, "eve"),
            (teacher, "guest"),
            (professor, "ada"),
            (host, "ada"),
            (teacher, "chief"),
        ):
            assert {decide(person, action, name) for action in ("authorize", "discard", "withdraw")} == {403}
        for person, name in ((teacher, "ada"), (professor, "eve"), (host, "guest")):
            assert decide(person, "authorize", name) == 200
        for person in (ada, eve, guest):
            person.log_in(SIGN_UP_PASSWORD)
            assert is_in(person)
        assert {decide(teacher, action, "ada") for action in ("authorize", "discard", "withdraw")} == {403}
        assert decide(chief, "discard", "ada") == 409
        assert decide(chief, "withdraw", "ada") == 200
        assert not is_in(ada), "their login ends with it"
        ada.log_in(SIGN_UP_PASSWORD)
        assert not is_in(ada)
        assert decide(teacher, "authorize", "ada") == decide(teacher, "discard", "ada") == 403, "the name stays theirs"
        assert decide(chief, "authorize", "ada") == 200
        ada.log_in(SIGN_UP_PASSWORD)
        assert is_in(ada)


def test_signing_up_holds_nobody_up_and_wrong_passwords_lock_nobody_else_out(tmp_path: Path) -> None:
    with whole_hub(tmp_path, USUAL | {"AUTH_KIND": "native"}) as hub:
        password = open_account(hub, "teacher")["teacher"]
        waited: list[float] = []
        stop = threading.Event()

        def look() -> None:
            with httpx.Client(base_url=hub.url) as client:
                while not stop.is_set():
                    started = time.monotonic()
                    assert client.get("/hub/health").status_code == 200
                    waited.append(time.monotonic() - started)

        watch = threading.Thread(target=look)
        crowd = [threading.Thread(target=sign_up, args=(hub, f"student-{letter}")) for letter in "abcdefgh"]
        for thread in (watch, *crowd):
            thread.start()
        for thread in crowd:
            thread.join()
        stop.set()
        watch.join()
        assert max(waited) < 1.5, sorted(waited)[-5:]  # one after another on the hub's own thread they took over 2 s
        stranger = Person(hub, "teacher")
        for _ in range(6):
            stranger.log_in("guessed")
        for forwarded in ("", "192.0.2.7"):  # an address is not what a browser says of itself
            again = Person(hub, "teacher")
            again.browser.headers["X-Forwarded-For"] = forwarded
            again.log_in(password)
            assert not is_in(again), "held back, where the failures came from"
        elsewhere = Person(hub, "teacher")
        elsewhere.browser = httpx.Client(
            base_url=hub.url,
            follow_redirects=True,
            timeout=90,
            transport=httpx.HTTPTransport(local_address="127.0.0.2"),
        )
        hub.browsers.append(elsewhere.browser)
        elsewhere.log_in(password)
        assert is_in(elsewhere)


@pytest.mark.parametrize(
    ("kind", "name", "reason"),
    [
        ("native", "ada", "name no instructor, TA or admin ada"),
        ("native", "teacher", "has not been started yet"),
        ("dummy", "teacher", "People do not sign up on this hub"),
    ],
)
def test_an_account_that_cannot_be_opened_is_told_why(tmp_path: Path, kind: str, name: str, reason: str) -> None:
    environment = {"TITO_HUB_STATE": str(tmp_path), "TITO_HUB_COURSES": COURSES, "TITO_HUB_AUTH_KIND": kind}
    with pytest.raises(TitoError, match=reason):
        open_accounts(load_settings(environment), [name])


def test_people_come_from_an_oauth_provider(tmp_path: Path) -> None:
    secret = tmp_path / "client_secret"
    secret.write_text(CLIENT_SECRET)
    with provider() as theirs:
        hub = WholeHub(tmp_path / "hub", {})
        hub.settings = USUAL | {
            "AUTH_KIND": "oauth",
            "AUTH_OAUTH_CLIENT_ID": CLIENT_ID,
            "AUTH_OAUTH_CLIENT_SECRET_FILE": str(secret),
            "AUTH_OAUTH_AUTHORIZE_URL": f"{theirs.url}/authorize",
            "AUTH_OAUTH_TOKEN_URL": f"{theirs.url}/token",
            "AUTH_OAUTH_USERDATA_URL": f"{theirs.url}/userinfo",
            "AUTH_OAUTH_CALLBACK_URL": f"{hub.url}/hub/oauth_callback",
            "AUTH_OAUTH_SERVICE": "Tiny College",
        }
        try:
            hub.start()
            ada = Person(hub, "ada")
            assert "Tiny College" in ada.browser.get("/hub/login").text
            ada.browser.get("/hub/oauth_login", params={"next": "/hub/home"})
            assert is_in(ada)
            assert ada.api("GET", "/user").json()["groups"] == ["nbgrader-tiny"]
            assert theirs.secrets_seen == 1
            theirs.user = "stranger"  # known to the provider, and in no course
            stranger = Person(hub, "stranger")
            assert stranger.browser.get("/hub/oauth_login", params={"next": "/hub/home"}).status_code == 403
            assert not is_in(stranger)
            assert CLIENT_SECRET not in hub.log.read_text()
        finally:
            hub.close()


def launch(hub: WholeHub, theirs: Provider, name: str, token: str | None = None) -> Person:
    """What a browser does between the platform and the hub."""
    person = Person(hub, name)
    form = {"iss": theirs.url, "login_hint": "hint", "target_link_uri": f"{hub.url}/hub/home", "client_id": CLIENT_ID}
    login = person.browser.post("/hub/lti13/oauth_login", data=form, follow_redirects=False)
    assert login.status_code == 302, login.text
    assert login.headers["Location"].startswith(f"{theirs.url}/lti/authorize?")
    answer = httpx.get(login.headers["Location"]).json()
    assert answer["to"] == f"{hub.url}/hub/lti13/oauth_callback"
    form = {"id_token": token or answer["id_token"], "state": answer["state"]}
    person.browser.post("/hub/lti13/oauth_callback", data=form)
    return person


def test_people_come_from_a_learning_management_system(tmp_path: Path) -> None:
    with provider() as theirs, provider() as others:
        settings = USUAL | {
            "AUTH_KIND": "lti13",
            "AUTH_LTI13_ISSUER": theirs.url,
            "AUTH_LTI13_AUTHORIZE_URL": f"{theirs.url}/lti/authorize",
            "AUTH_LTI13_JWKS_ENDPOINT": f"{theirs.url}/lti/jwks",
            "AUTH_LTI13_CLIENT_ID": CLIENT_ID,
            "AUTH_LTI13_TOOL_NAME": "Tiny hub",
        }
        with whole_hub(tmp_path, settings) as hub:
            config = httpx.get(f"{hub.url}/hub/lti13/config").json()
            assert config["title"] == "Tiny hub"
            assert config["oidc_initiation_url"] == f"{hub.url}/hub/lti13/oauth_login"
            ada = launch(hub, theirs, "ada")
            assert is_in(ada)
            assert ada.api("GET", "/user").json()["groups"] == ["nbgrader-tiny"]
            theirs.user = "stranger"
            assert not is_in(launch(hub, theirs, "stranger"))
            others.url, others.user = theirs.url, "teacher"
            forged = others.id_token({"client_id": CLIENT_ID, "nonce": "x"})  # signed by another key
            assert not is_in(launch(hub, theirs, "teacher", forged))
