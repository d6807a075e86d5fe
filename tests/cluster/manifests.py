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
    found: dict[str, Manifest] = {}
    for path in sorted(FOLDER.glob("*/*.yaml")):
        if path.name == "kustomization.yaml":
            continue
        for one in yaml.safe_load_all(path.read_text()):
            name = one["metadata"].get("name") or one["metadata"]["generateName"].rstrip("-")
            assert f"{one['kind']}/{name}" not in found
            found[f"{one['kind']}/{name}"] = one
    return found


def values() -> dict[str, Any]:
    """Our values for Zero to JupyterHub."""
    read: dict[str, Any] = yaml.safe_load((FOLDER / "values.yaml").read_text())
    return read


def pods() -> dict[str, Manifest]:
    """The template of every pod, by what makes it."""
    return {name: one["spec"]["template"] for name, one in manifests().items() if "template" in one.get("spec", {})}


def containers(pod: Manifest) -> list[Manifest]:
    """Its init containers first."""
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]


def variables(container: Manifest) -> dict[str, Manifest]:
    """Its environment by name, but for what it has from a ConfigMap."""
    return {one["name"]: one for one in container.get("env", [])}


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
