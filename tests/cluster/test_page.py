"""book/how-to/kubernetes.md: the files that it names are there, and the Secrets that it makes are those asked for."""

from __future__ import annotations

import re

from manifests import FOLDER, containers, manifests, pods, values

ROOT = FOLDER.parents[1]
PAGE = (ROOT / "book/how-to/kubernetes.md").read_text()


def test_the_files_that_are_named_are_there() -> None:
    named = set(re.findall(r"docker/[\w./-]*\w", PAGE))
    assert len(named) > 8
    assert not [path for path in named if not (ROOT / path).exists()]


def test_the_secrets_that_the_page_makes_are_those_that_are_asked_for() -> None:
    created = {
        (name, key)
        for name, rest in re.findall(r"create secret generic (\S+)((?:.*\\\n)*.*)", PAGE)
        for key in re.findall(r"--from-(?:literal|file)=([\w-]+)", rest)
    }
    asked = {
        (reference["name"], reference["key"])
        for pod in pods().values()
        for container in containers(pod)
        for variable in container.get("env", [])
        if (reference := variable.get("valueFrom", {}).get("secretKeyRef"))
    }
    mounted = {volume["name"]: volume["secret"]["secretName"] for volume in values()["hub"]["extraVolumes"]}
    assert mounted == {"tito": "tito-hub"}
    chart = {reference for reference in asked if reference[0] == "hub"}
    assert {key.removeprefix("hub.services.") for _, key in chart} == {
        f"{name}.apiToken" for name in values()["hub"]["services"]
    }
    assert asked - chart | {("tito-hub", "oauth-client-secret")} == created


def test_objects_that_the_page_names_are_there() -> None:
    for name in re.findall(r"deployment/(\S+)", PAGE):
        assert f"Deployment/{name}" in manifests()
    for component in re.findall(r"component=(\w+)", PAGE):
        assert component in {pod["metadata"]["labels"]["component"] for pod in pods().values()}
