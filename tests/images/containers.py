"""Images of ours built on a base made by debootstrap, and containers of them: without a daemon, without a registry.

The base has the official Python image's layout: `python` and `pip` below /usr/local. It stays in podman's storage under
a name made of its recipe, so that it is made once on a machine. A site's certificates and pip settings, where the
machine has any, are handed to the build as secrets, as docker/with-site takes them.
"""

from __future__ import annotations

import configparser
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from loopback import Loopback

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = {
    "buildah": "buildah", "podman": "podman", "runc": "runc", "debootstrap": "debootstrap", "npm": "npm",
}  # fmt: skip
SUITE = "bookworm"
PACKAGES = ("ca-certificates", "python3-venv")
VERSION = os.environ.get("TITO_TEST_TAG", "test")  # the images' tag; two people on one machine take two
# podman's. Both limits, or runc fails where root may not raise them.
SETTINGS = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4000:4000"]
[engine]
runtime = "runc"
compat_api_enforce_docker_hub = false
"""
CERTIFICATES = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
PIP_SETTINGS = ("index-url", "extra-index-url", "proxy", "trusted-host")
HOW = ("--network", "host", "--no-healthcheck")  # a container is run by itself
MARK = "a secret of the build"


def obstacle() -> str:
    """Why images cannot be built here, or nothing."""
    missing = [package for program, package in PROGRAMS.items() if program != "npm" and not shutil.which(program)]
    if missing:
        return f"images are built with {', '.join(missing)}, which this machine lacks (Debian: of the same names)"
    return "" if os.geteuid() == 0 else "debootstrap and chroot isolation need root"


def command(*argv: str | Path, **how: object) -> str:
    """Run a program; its output, or a failure with all that it said."""
    done = subprocess.run([*map(str, argv)], capture_output=True, text=True, check=False, **how)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{' '.join(map(str, argv))}\n{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
    return str(done.stdout)


# ---- building ----------------------------------------------------------------------------------


def base_image(scratch: Path) -> str:
    """The name of the base; made where it is not there yet."""
    recipe = hashlib.sha256(repr((SUITE, PACKAGES, BASE)).encode()).hexdigest()[:12]
    name = f"localhost/tito-test-python:{recipe}"
    if subprocess.run(["podman", "image", "exists", name], check=False).returncode == 0:
        return name
    system = scratch / "system"
    command("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, system)
    for left in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc"):
        shutil.rmtree(system / left)
    command("tar", "-C", system, "-cf", scratch / "system.tar", ".")
    command("podman", "import", scratch / "system.tar", f"{name}-raw")
    recipe_file = scratch / "Dockerfile"
    recipe_file.write_text(f"FROM {name}-raw\n{BASE}")
    command("buildah", "bud", "--isolation", "chroot", "-t", name, "-f", recipe_file, scratch)
    shutil.rmtree(system)
    return name


BASE = """
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin
RUN python3 -m venv /usr/local && mkdir -p /var/lib/apt/lists/partial /var/cache/apt/archives/partial
"""


def site(scratch: Path) -> list[str]:
    """Options that hand a build what this machine needs to reach its package registries, where it needs anything."""
    options = []
    certificates = next((os.environ[variable] for variable in CERTIFICATES if os.environ.get(variable)), "")
    if certificates and Path(certificates).is_file():
        options += ["--secret", f"id=ca,src={certificates}"]
    listed = command(sys.executable, "-m", "pip", "config", "list")
    settings = dict(line.split("=", 1) for line in listed.splitlines() if "=" in line)
    addresses = {
        name: value.strip("'") for key, value in settings.items() if (name := key.split(".")[-1]) in PIP_SETTINGS
    }
    config = configparser.RawConfigParser()
    config["global"] = {name: " ".join(words) for name, value in addresses.items() if (words := _remote(name, value))}
    path = scratch / "pip.conf"
    path.touch(0o600)
    with path.open("w") as file:
        file.write(f"# {MARK}\n")
        config.write(file)
    options += ["--secret", f"id=pip,src={path}"]
    npm = Path.home() / ".npmrc"
    return [*options, "--secret", f"id=npm,src={npm}"] if npm.is_file() else options


def _remote(name: str, value: str) -> list[str]:
    """Of addresses those that a container reaches too."""
    words = value.replace("\\n", " ").split()
    return [word for word in words if not (name.endswith("index-url") and word.startswith("file:"))]


def build(image: str, base: str, options: Sequence[str]) -> str:
    """Build one of our images, from the repository as a user has it; or what stands for others' images. Its name."""
    name = f"localhost/tito-{image}:{VERSION}"
    where: list[str | Path] = ["-f", ROOT / "docker" / image / "Dockerfile", ROOT]
    if image == "peers":
        where = [Path(__file__).with_name("peers")]
    how = ["--layers", "--isolation", "chroot", "--network", "host", "--format", "docker"]
    command("buildah", "bud", *how, "--build-arg", f"BASE_IMAGE={base}", *options, "-t", name, *where)
    return name


# ---- running -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Container:
    """A container that runs, in the network of this machine."""

    id: str

    def does(self, *argv: str, **how: object) -> str:
        return command("podman", "exec", self.id, *argv, **how)

    def log(self) -> str:
        done = subprocess.run(["podman", "logs", self.id], capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def runs(self) -> bool:
        return command("podman", "inspect", "--format", "{{.State.Running}}", self.id).strip() == "true"


def once(image: str, *argv: str, options: Sequence[str] = ()) -> str:
    """What a command in a container of its own says."""
    return command("podman", "run", "--rm", *HOW, *options, image, *argv)


@contextmanager
def running(image: str, *argv: str, options: Sequence[str] = ()) -> Iterator[Container]:
    """A container with `argv` in it, or what the image starts; gone at the end."""
    container = Container(command("podman", "run", "--detach", *HOW, *options, image, *argv).strip())
    try:
        yield container
    finally:
        command("podman", "rm", "--force", "--time", "5", container.id)


@contextmanager
def files_of(image: str) -> Iterator[Path]:
    """The file system of an image, to read."""
    try:
        yield Path(command("podman", "image", "mount", image).strip())
    finally:
        command("podman", "image", "unmount", image)


def healthy(container: Container) -> None:
    """Run the image's health check in the container, as an engine with a timer would."""
    image = command("podman", "inspect", "--format", "{{.Image}}", container.id).strip()
    (config,) = json.loads(command("podman", "image", "inspect", image))
    kind, *argv = config["Healthcheck"]["Test"]
    container.does(*(["sh", "-c", *argv] if kind == "CMD-SHELL" else argv))


def wait_for_answer(container: Container, url: str, seconds: float = 90.0) -> None:
    """Wait until an address answers; with the container's log where it does not."""
    until = time.monotonic() + seconds
    while True:
        try:
            with httpx.Client(transport=Loopback(), timeout=5) as client:
                if client.get(url).status_code == 200:
                    return
        except httpx.HTTPError:
            pass
        assert container.runs() and time.monotonic() < until, container.log()[-6000:]
        time.sleep(0.2)
