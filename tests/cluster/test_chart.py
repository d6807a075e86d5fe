"""Our values held to Zero to JupyterHub's own chart, where TITO_CHART names a folder of it; and what it makes of them,
where there is `helm` too. The chart is not in this tree; book/how-to/kubernetes.md says how it is had,
and what was checked with.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from manifests import FOLDER, VERSIONS, Manifest, containers, values

from tito.hub.config.settings import HubSettings

SCHEMAS = (
    "values.schema.json",
    "values.schema.yaml",
    "schema.yaml",
)  # the first in a package, the second in its source
MOUNTED = "/usr/local/etc/jupyterhub"


@pytest.fixture(scope="module")
def chart() -> Path:
    folder = Path(os.environ.get("TITO_CHART", ""))
    if not os.environ.get("TITO_CHART"):
        pytest.skip("TITO_CHART names no folder of Zero to JupyterHub's chart (helm pull --untar makes one)")
    assert (folder / "values.yaml").is_file(), f"TITO_CHART={folder} is no folder of a chart"
    return folder


@pytest.fixture(scope="module")
def objects(chart: Path) -> dict[str, Manifest]:
    """What helm makes of the chart with our values, by kind and name."""
    helm = os.environ.get("TITO_HELM") or shutil.which("helm")
    if not helm:
        pytest.skip("there is no `helm` here; TITO_HELM names one that is elsewhere")
    argv = [helm, "template", "hub", chart, "--namespace", "tito", "--values", FOLDER / "values.yaml"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return {
        f"{manifest['kind']}/{manifest['metadata']['name']}": manifest
        for manifest in yaml.safe_load_all(done.stdout)
        if manifest
    }


def merged(defaults: Any, ours: Any) -> Any:
    """Values as helm gives them to a chart: maps are filled up, anything else is replaced, and null takes away."""
    if not isinstance(defaults, dict) or not isinstance(ours, dict):
        return ours
    whole = defaults | {key: merged(defaults.get(key), value) for key, value in ours.items()}
    return {key: value for key, value in whole.items() if value is not None or ours.get(key, 0) is not None}


def decoded(secret: Manifest, key: str) -> str:
    if key in secret.get("stringData", {}):
        return str(secret["stringData"][key])
    return base64.b64decode(secret["data"][key]).decode()


def pods(objects: dict[str, Manifest]) -> dict[str, Manifest]:
    return {
        name: manifest["spec"]["template"]
        for name, manifest in objects.items()
        if "template" in manifest.get("spec", {})
    }


def test_our_values_fit_the_charts_own_schema(chart: Path) -> None:
    path = next((chart / name for name in SCHEMAS if (chart / name).is_file()), None)
    assert path is not None, f"{chart} has no schema: {', '.join(SCHEMAS)}"
    check = jsonschema.Draft7Validator(yaml.safe_load(path.read_text()))
    defaults = yaml.safe_load((chart / "values.yaml").read_text())
    assert [f"{error.json_path}: {error.message}" for error in check.iter_errors(merged(defaults, values()))] == []
    wrong = values()
    wrong["singleuser"]["extraenv"] = {}
    assert not check.is_valid(merged(defaults, wrong))


def test_what_helm_makes_of_them_are_objects_of_kubernetes(objects: dict[str, Manifest]) -> None:
    for name, manifest in objects.items():
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(manifest, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                pytest.fail(f"{name}, Kubernetes {version}: {error.message}")


def test_no_pod_of_the_chart_is_privileged_or_reads_a_node(objects: dict[str, Manifest]) -> None:
    for name, pod in pods(objects).items():
        assert not any("hostPath" in volume for volume in pod["spec"].get("volumes", [])), name
        for container in containers(pod):
            assert not container.get("securityContext", {}).get("privileged"), name


def test_the_hub_reads_our_settings_and_the_secrets_that_they_name(objects: dict[str, Manifest]) -> None:
    secret, pod = objects["Secret/hub"], objects["Deployment/hub"]["spec"]["template"]
    hub = next(container for container in containers(pod) if container["name"] == "hub")
    mounts = {mount["mountPath"].rstrip("/"): mount for mount in hub["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    assert f"{MOUNTED}/tito.yaml" in mounts
    read = yaml.safe_load(decoded(secret, mounts[f"{MOUNTED}/tito.yaml"]["subPath"]))
    assert HubSettings.model_validate(read).courses.keys() == {"tinytorch"}
    variables = {variable["name"]: variable.get("value") for variable in hub["env"]}
    assert variables["TITO_HUB_CONFIG"] == f"{MOUNTED}/tito.yaml"
    assert volumes[mounts[f"{MOUNTED}/secret"]["name"]]["secret"]["secretName"] == "hub"
    assert volumes[mounts["/run/secrets/tito"]["name"]]["secret"]["secretName"] == "tito-hub"
    for name in values()["hub"]["services"]:
        assert len(decoded(secret, f"hub.services.{name}.apiToken")) >= 32


def test_what_the_chart_tells_its_hub_is_what_we_wrote(objects: dict[str, Manifest]) -> None:
    """Its jupyterhub_config.py reads this file."""
    theirs = yaml.safe_load(decoded(objects["Secret/hub"], "values.yaml"))
    ours = values()
    for part in ("extraConfig", "services", "loadRoles"):
        assert theirs["hub"][part] == ours["hub"][part]
    assert theirs["hub"]["config"]["JupyterHub"]["admin_access"] is False
    assert theirs["singleuser"].get("serviceAccountName") is None
    assert theirs["singleuser"]["extraPodConfig"]["automountServiceAccountToken"] is False
    assert theirs["singleuser"]["cloudMetadata"]["blockWithIptables"] is False


def test_students_servers_reach_hub_proxy_exchange_and_name_server_only(objects: dict[str, Manifest]) -> None:
    policy = objects["NetworkPolicy/singleuser"]["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    components = set()
    for rule in policy["egress"]:
        ports = {port["port"] for port in rule.get("ports", [])}
        assert ports, f"all ports are open: {json.dumps(rule)}"
        for target in rule.get("to", [{}]):
            component = target.get("podSelector", {}).get("matchLabels", {}).get("component", "")
            components.add(component)
            assert component or ports == {53}, json.dumps(rule)
    assert components - {""} <= {"hub", "proxy", "autohttps", "exchange"}
    assert {"hub", "exchange"} <= components
    for rule in policy["ingress"]:
        assert all("podSelector" in peer for peer in rule["from"]), json.dumps(rule)
