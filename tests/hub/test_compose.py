"""docker/compose.yml without running it: the compose specification's schema, and what it must and must not say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tito.hub.config.services import groups_of_services
from tito.precheck.worker import load_settings

DOCKER = Path(__file__).resolve().parents[2] / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
SCHEMA = "docker-compose==1.29.2 --hash=sha256:8d5589373b35c8d3b1c8c1182c6e4a4ff14bffa3dd0b605fcd08f73c94cef809"
STARTED = {name: service for name, service in SERVICES.items() if "profiles" not in service}


def networks(service: str) -> set[str]:
    return set(SERVICES[service]["networks"])


def mounts(service: str) -> list[str]:
    return [str(mount) for mount in SERVICES[service].get("volumes", [])]


def test_it_is_as_the_compose_specification_says(tmp_path: Path) -> None:
    (tmp_path / "schema.txt").write_text(SCHEMA + "\n")
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "-r", "schema.txt"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"the schema is in the package docker-compose, which pip cannot get: {done.stderr.strip()[-300:]}")
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        schema = json.loads(archive.read("compose/config/compose_spec.json"))
    younger_than_the_schema = {"name"}
    content = {key: value for key, value in COMPOSE.items() if key not in younger_than_the_schema}
    jsonschema.Draft7Validator(schema).validate(content)


def test_the_engines_socket_is_the_hubs_alone() -> None:
    assert [name for name in SERVICES if any("docker.sock" in mount for mount in mounts(name))] == ["hub"]


def test_networks_keep_students_from_the_database_and_from_the_proxys_routes() -> None:
    where = {name: {service for service in STARTED if name in networks(service)} for name in COMPOSE["networks"]}
    assert where == {
        "edge": {"caddy", "proxy"},
        "students": {"proxy", "hub", "exchange"},
        "prechecks": {"exchange", "precheck"},
        "graders": {"proxy", "hub", "exchange", "formgrader"},
        "control": {"proxy", "hub"},
        "database": {"hub", "exchange", "db"},
    }
    assert [name for name, network in COMPOSE["networks"].items() if not network.get("internal")] == ["edge"]
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["caddy"]
    environment = SERVICES["hub"]["environment"]
    assert environment["TITO_HUB_SPAWNER_NETWORK"] == COMPOSE["networks"]["students"]["name"]


def test_secrets_are_files_that_init_makes_and_no_variable_holds_one() -> None:
    secrets = {name: set(service.get("secrets", [])) for name, service in SERVICES.items()}
    assert secrets["exchange"] == {"exchange_db_url", "exchange_token"}
    assert secrets["formgrader"] == {"formgrader_token"}
    assert secrets["precheck"] == {"precheck_token"}
    assert secrets["caddy"] == secrets["student"] == set()
    assert set().union(*secrets.values()) == set(COMPOSE["secrets"])
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if any(word in variable for word in ("TOKEN", "PASSWORD", "DB")):
                assert variable.endswith("_FILE"), name
                assert value.removeprefix("/run/secrets/") in secrets[name]


def test_the_worker_of_prechecks_has_nothing_of_the_course_and_speaks_to_the_exchange_alone() -> None:
    worker = SERVICES["precheck"]
    assert mounts("precheck") == []
    assert networks("precheck") == {"prechecks"}
    assert worker["image"] == SERVICES["formgrader"]["image"]
    assert worker["security_opt"] == SERVICES["formgrader"]["security_opt"]
    documented = (DOCKER.parent / "tito" / "precheck" / "worker.py").read_text()
    assert not [name for name in worker["environment"] if name.removesuffix("_FILE") not in documented]
    here = {"JUPYTERHUB_API_TOKEN": "x", "TITO_PRECHECK_AT_ONCE": "2", "TITO_PRECHECK_COURSES": "ml101"}
    here["TITO_PRECHECK_BACKEND"] = worker["environment"]["TITO_PRECHECK_BACKEND"].partition(":-")[2].rstrip("}")
    read = load_settings(worker["environment"] | here)
    assert read.url == SERVICES["formgrader"]["environment"]["TITO_EXCHANGE_URL"]


def test_all_that_runs_is_restarted_watched_and_without_privileges() -> None:
    in_their_image = {"hub"}
    for name, service in STARTED.items():
        assert service["restart"] == "unless-stopped", name
        assert service["cap_drop"] == ["ALL"], name
        assert service["dns_opt"] == ["timeout:1", "attempts:5"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert "privileged" not in service, name
        assert "healthcheck" in service or name in in_their_image, name
    assert not [mount for name in STARTED for mount in mounts(name) if mount.startswith("/")]


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """The folder docker/ of somebody who has not run `init`, and a course beside it."""
    folder = tmp_path / "docker"
    folder.mkdir()
    for name in ("init", "hub.example.yml"):
        (folder / name).write_bytes((DOCKER / name).read_bytes())
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / "course.toml").write_text('id = "ml101"\n')
    return folder


def init(folder: Path, *argv: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", folder / "init", *argv], capture_output=True, text=True, check=False)


@pytest.mark.skipif(os.geteuid() not in (0, 1000), reason="init wants to be root or the containers' user, 1000")
def test_init_writes_every_secret_once_and_for_nobody_else(fresh: Path) -> None:
    done = init(fresh, "hub.example.edu", "ml101", fresh.parent / "course")
    assert done.returncode == 0, done.stderr
    secrets = {path.name: path.read_text() for path in (fresh / "secrets").iterdir()}
    assert set(secrets) == set(COMPOSE["secrets"])
    assert len(set(secrets.values())) == len(secrets)
    for path in (fresh / "secrets").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.stat().st_uid == 1000
        assert path.read_text().strip() not in done.stdout + done.stderr
    assert secrets["hub_db_password"] in secrets["hub_db_url"]
    again = init(fresh, "hub.example.edu", "ml101", fresh.parent / "course")
    assert "wrote" not in again.stdout
    assert {path.name: path.read_text() for path in (fresh / "secrets").iterdir()} == secrets


@pytest.mark.skipif(os.geteuid() not in (0, 1000), reason="init wants to be root or the containers' user, 1000")
def test_the_hub_takes_what_init_writes(fresh: Path, tmp_path: Path) -> None:
    from tito.hub.config.load_settings import load_settings

    init(fresh, "hub.example.edu", "ml101", fresh.parent / "course")
    environment = {
        name: str(value) for name, value in SERVICES["hub"]["environment"].items() if name.startswith("TITO_HUB_")
    }
    settings = load_settings(environment | {"TITO_HUB_CONFIG": str(fresh / "hub.yml")})
    assert settings.deployment == "server"
    assert settings.courses["ml101"].url == "http://formgrader:8890"
    assert settings.courses["ml101"].precheck
    counted = json.loads(
        SERVICES["exchange"]["environment"]["TITO_EXCHANGE_SERVICES"]
        .replace("${TITO_COURSE:?run docker/init first}", "ml101")
        .replace("${TITO_COURSE}", "ml101")
    )
    assert counted == json.loads(groups_of_services(settings))


@pytest.mark.skipif(os.geteuid() not in (0, 1000), reason="init wants to be root or the containers' user, 1000")
def test_init_writes_what_names_below_the_sites_take(fresh: Path) -> None:
    """And without them it says what that means, each time."""
    site = ("hub.example.edu", "ml101", fresh.parent / "course")
    assert "All of this site has one origin" in init(fresh, *site).stdout
    assert "All of this site has one origin" in init(fresh, *site).stdout
    (fresh / ".env").unlink()
    assert "origin" not in init(fresh, "--subdomains", *site).stdout
    written = dict(line.split("=", 1) for line in (fresh / ".env").read_text().splitlines())
    lines = re.findall(r"(?m)^(TITO_\w+)=(\S+)$", (DOCKER.parent / "book/how-to/one-server.md").read_text())
    documented = {name: value for name, value in lines if name in written}
    assert documented == {name: written[name] for name in ("TITO_SUBDOMAIN_HOST", "TITO_WILDCARD", "TITO_HOST_ROUTING")}
    used = json.dumps(SERVICES) + (DOCKER / "Caddyfile").read_text()
    assert all(f"{{{name}:-}}" in used for name in documented)


@pytest.mark.parametrize(
    "argv",
    [
        (),
        ("hub.example.edu", "ml101"),
        ("hub.example.edu", "no name", "course"),
        ("hub.example.edu", "ml101", "/nowhere"),
    ],
)
def test_init_says_what_it_wants_and_writes_nothing(fresh: Path, argv: tuple[str, ...]) -> None:
    done = init(fresh, *(fresh.parent / argument if argument == "course" else argument for argument in argv))
    assert done.returncode == 2
    assert done.stderr.strip()
    assert not (fresh / "secrets").exists()
