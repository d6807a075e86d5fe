"""What all images have in common."""

from __future__ import annotations

import json
import re
import subprocess

import containers

SMALL_FOLDERS = ("etc", "home", "mnt", "opt", "root", "run", "srv", "tmp", "usr/local/etc", "usr/src", "var/tmp")


def test_nobody_is_root_in_them_and_they_say_what_they_are(images: dict[str, str]) -> None:
    for image in images.values():
        (facts,) = json.loads(containers.command("podman", "image", "inspect", image))
        assert facts["Config"]["User"] not in ("", "root", "0")
        assert facts["Labels"]["org.opencontainers.image.title"].startswith("tito ")
        assert facts["Healthcheck"]["Test"]


def test_no_setting_of_the_site_that_built_them_is_left_in_them(images: dict[str, str]) -> None:
    for image in images.values():
        history = containers.command("podman", "history", "--no-trunc", "--format", "{{.CreatedBy}}", image)
        assert "/mnt/docker/with-site pip install" in history
        assert containers.MARK not in history
        with containers.files_of(image) as root:
            assert list((root / "run/secrets").iterdir()) == []
            folders = [root / name for name in SMALL_FOLDERS]
            grep = ["grep", "-r", "-s", "-l", "-F", "-e", containers.MARK, "-e", "BEGIN CERTIFICATE", *folders]
            paths = subprocess.run(grep, capture_output=True, text=True, check=False).stdout
        assert [name for name in paths.splitlines() if "/etc/ssl/" not in name] == []


def test_their_python_packages_are_those_of_the_lists(images: dict[str, str]) -> None:
    for name, image in images.items():
        wanted = dict(re.findall(r"^([a-z0-9-]+)(?:\[.*\])?==([^\s;]+)", requirements(name), re.MULTILINE))
        listed = json.loads(containers.once(image, "python", "-m", "pip", "list", "--format", "json"))
        installed = {re.sub(r"[_.]", "-", package["name"].lower()): package["version"] for package in listed}
        known = {package: version for package, version in wanted.items() if package in installed}
        assert {package: version for package, version in installed.items() if package in wanted} == known
        assert set(installed) - set(wanted) <= {"pip", "setuptools", "tinytorch-tito"}
        output = containers.once(image, "sh", "-c", "python -m pip check || true")
        others = [line for line in output.splitlines() if not line.startswith("tinytorch-tito ")]
        assert others == ["No broken requirements found."] * (name != "hub"), "the hub holds a part of the platform"


def requirements(image: str) -> str:
    return (containers.ROOT / "requirements" / f"{image}.txt").read_text()


def test_the_lists_are_pinned_by_hash_and_name_no_address() -> None:
    for path in (containers.ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        entries = re.split(r"\n(?=\S)", text.strip())
        assert all(re.match(r"[a-z0-9.\[\], -]+==\S+", entry) and "--hash=sha256:" in entry for entry in entries), path
        assert "://" not in text
