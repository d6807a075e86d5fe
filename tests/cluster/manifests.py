"""The manifests and the chart's values in docker/kubernetes/, read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / "docker" / "kubernetes"
VERSIONS = ("1.33", "1.37")  # of Kubernetes: the oldest and the newest that all is checked against
Manifest = dict[str, Any]


def manifests() -> dict[str, Manifest]:
    """All objects of ours, by kind and name (of Jobs, what their names begin with)."""
    objects: dict[str, Manifest] = {}
    for path in sorted(FOLDER.glob("*/*.yaml")):
        if path.name == "kustomization.yaml":
            continue
        for manifest in yaml.safe_load_all(path.read_text()):
            name = manifest["metadata"].get("name") or manifest["metadata"]["generateName"].rstrip("-")
            assert f"{manifest['kind']}/{name}" not in objects
            objects[f"{manifest['kind']}/{name}"] = manifest
    return objects


def values() -> dict[str, Any]:
    """Our values for Zero to JupyterHub."""
    read: dict[str, Any] = yaml.safe_load((FOLDER / "values.yaml").read_text())
    return read


def pods() -> dict[str, Manifest]:
    """The template of every pod, by what makes it."""
    return {
        name: manifest["spec"]["template"]
        for name, manifest in manifests().items()
        if "template" in manifest.get("spec", {})
    }


def containers(pod: Manifest) -> list[Manifest]:
    """Its init containers first."""
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def variables(container: Manifest) -> dict[str, Manifest]:
    """Its environment by name, but for what it has from a ConfigMap."""
    return {variable["name"]: variable for variable in container.get("env", [])}


def nested(data: Any, *path: str) -> Iterator[tuple[str, Any]]:
    """All values in a tree, with their paths."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from nested(value, *path, str(key))
    elif isinstance(data, list):
        for value in data:
            yield from nested(value, *path)
    else:
        yield ".".join(path), data
