"""docker/kubernetes: every object is one that Kubernetes takes, and none gives away what it must not."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from manifests import FOLDER, VERSIONS, containers, manifests, nested, pods, values, variables

from tito.exchange.server.service import load_settings
from tito.precheck.worker import load_settings as load_worker_settings

TOKEN = "JUPYTERHUB_API_TOKEN"
OUTSIDE = {"hub", "singleuser-server", "proxy"}  # components of the chart, as it labels their pods
SECRET_NAMES = re.compile(r"(?i)token|password|secret|(^|_)key|db$|db_url|credential")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", manifests())
def test_every_object_is_what_kubernetes_takes_and_has_no_field_that_it_does_not_know(name: str, version: str) -> None:
    kubernetes_validate.validate(manifests()[name], version, strict=True)


def test_a_field_with_a_typo_is_found() -> None:
    wrong = manifests()["Deployment/exchange"]
    wrong["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="readinesProbe"):
        kubernetes_validate.validate(wrong, VERSIONS[0], strict=True)


@pytest.mark.parametrize("folder", ["exchange", "course"])
def test_each_folder_names_all_of_its_files_and_they_can_be_built(folder: str) -> None:
    listed = yaml.safe_load((FOLDER / folder / "kustomization.yaml").read_text())
    there = {path.name for path in (FOLDER / folder).glob("*.yaml")} - {"kustomization.yaml"}
    assert set(listed["resources"]) == there
    wanted = {image["name"] for image in listed["images"]}
    used = {c["image"] for name, pod in pods().items() if not name.startswith("Job/") for c in containers(pod)}
    assert wanted <= used
    if (kubectl := shutil.which("kubectl")) is None:
        return  # what it makes of them is checked where it is there
    built = subprocess.run([kubectl, "kustomize", FOLDER / folder], capture_output=True, text=True, check=True).stdout
    for manifest in yaml.safe_load_all(built):
        kubernetes_validate.validate(manifest, VERSIONS[0], strict=True)
        assert manifest["metadata"]["namespace"] == "tito"
        for container in containers(manifest["spec"]["template"]) if "template" in manifest.get("spec", {}) else []:
            assert container["image"].startswith("registry.example.edu/")


# ---- what pods may do --------------------------------------------------------------------------


@pytest.mark.parametrize("name", pods())
def test_no_pod_is_root_or_has_a_token_of_the_cluster(name: str) -> None:
    spec = pods()[name]["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 1000
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "serviceAccountName"} & set(spec)
    for container in containers(pods()[name]):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
        assert container["resources"]["requests"]["cpu"]


def test_no_volume_is_shared_between_nodes_or_is_the_nodes_own() -> None:
    for name, pod in pods().items():
        for volume in pod["spec"].get("volumes", []):
            assert set(volume) - {"name"} <= {"emptyDir", "persistentVolumeClaim"}, name
            if "emptyDir" in volume:
                assert volume["emptyDir"]["sizeLimit"]
    claims = [manifest for name, manifest in manifests().items() if name.startswith("PersistentVolumeClaim/")]
    assert [claim["spec"]["accessModes"] for claim in claims] == [["ReadWriteOnce"]]
    assert "ReadWriteMany" not in "".join(path.read_text() for path in FOLDER.rglob("*.yaml"))


def test_secrets_are_only_named() -> None:
    assert not [name for name in manifests() if name.startswith("Secret/")]
    for pod in pods().values():
        for container in containers(pod):
            for name, variable in variables(container).items():
                if SECRET_NAMES.search(name):
                    assert set(variable) == {"name", "valueFrom"}, name
                    assert set(variable["valueFrom"]) == {"secretKeyRef"}, name
    for path, value in nested(values()):
        named = isinstance(value, str) and SECRET_NAMES.search(path.rpartition(".")[2])
        if named and not path.endswith(("_file", "_url", "secretName")):
            pytest.fail(f"values.yaml: {path} is {value!r}")


# ---- grading -----------------------------------------------------------------------------------


def grading() -> tuple[dict[str, Any], dict[str, Any]]:
    spec = pods()["Job/grade-tinytorch"]["spec"]
    [collect], [grade] = spec["initContainers"], spec["containers"]
    return collect, grade


def test_where_student_code_runs_there_is_no_token_and_no_way_to_the_exchange() -> None:
    collect, grade = grading()
    assert variables(collect)[TOKEN]["valueFrom"]["secretKeyRef"]["key"].endswith("-collect.apiToken")
    assert set(variables(grade)) == {"ASSIGNMENT", "HOME", "TITO_GRADEBOOK_DB"}
    assert "envFrom" not in grade
    assert not [variable for variable in variables(grade).values() if "hub" in json.dumps(variable)]


def test_the_step_with_the_token_has_no_gradebook_and_runs_no_student_code() -> None:
    collect, _ = grading()
    assert "TITO_GRADEBOOK_DB" not in variables(collect)
    assert collect["args"][:2] == ["tito", "collect"]


def test_what_one_step_leaves_behind_in_scratch_is_not_the_others() -> None:
    of_collect, of_grade = ({mount["name"] for mount in step["volumeMounts"]} for step in grading())
    assert of_collect & of_grade == {"course"}
    for step, writable in zip(grading(), ({"submitted"}, {"autograded", "gradebook"}), strict=True):
        mounts = [mount for mount in step["volumeMounts"] if mount["name"] == "course"]
        assert {mount["subPath"] for mount in mounts if not mount.get("readOnly")} == writable
        assert [mount["mountPath"] for mount in mounts if mount.get("readOnly")] == ["/srv/course"]


def test_the_job_runs_where_its_volume_is() -> None:
    pod = pods()["Job/grade-tinytorch"]["spec"]
    [term] = pod["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    formgrader = pods()["Deployment/formgrader-tinytorch"]
    assert term["labelSelector"]["matchLabels"].items() <= formgrader["metadata"]["labels"].items()
    claims = [volume["persistentVolumeClaim"] for volume in pod["volumes"] if "persistentVolumeClaim" in volume]
    assert claims == [{"claimName": "course-tinytorch"}]


def test_the_worker_of_checks_has_its_own_token_and_nothing_of_the_course() -> None:
    pod = pods()["Deployment/precheck-tinytorch"]["spec"]
    [worker] = pod["containers"]
    assert [set(volume) - {"name"} for volume in pod["volumes"]] == [{"emptyDir"}]
    secret = {name for name, variable in variables(worker).items() if "valueFrom" in variable}
    assert secret == {TOKEN}
    assert variables(worker)[TOKEN]["valueFrom"]["secretKeyRef"]["key"] == "hub.services.precheck-tinytorch.apiToken"
    environment = {name: variable.get("value", "x") for name, variable in variables(worker).items()}
    read = load_worker_settings(environment)
    assert (read.courses, read.backend) == (("tinytorch",), "landlock")
    documented = Path(load_worker_settings.__code__.co_filename).read_text()
    assert not [name for name in environment if name != "HOME" and name not in documented]
    reached = [rule["to"] for rule in policies()["NetworkPolicy/precheck-tinytorch"]["egress"] if "to" in rule]
    assert reached == [[{"podSelector": {"matchLabels": {"app": "tito", "component": "exchange"}}}]]


# ---- the exchange ------------------------------------------------------------------------------


def test_the_exchange_has_two_replicas_of_which_one_is_always_there() -> None:
    deployment = manifests()["Deployment/exchange"]["spec"]
    assert deployment["replicas"] == 2
    assert deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert manifests()["PodDisruptionBudget/exchange"]["spec"]["minAvailable"] == 1
    [container] = deployment["template"]["spec"]["containers"]
    assert container["startupProbe"]["httpGet"]["path"] == "/services/exchange/health"
    # while database or store are away, who asks is told so: see the comment there
    for probe in ("readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["path"] == "/services/exchange/openapi.json"


def test_the_exchanges_settings_are_those_that_it_reads() -> None:
    [container] = pods()["Deployment/exchange"]["spec"]["containers"]
    environment = dict(manifests()["ConfigMap/exchange"]["data"])
    environment |= {name: variable.get("value", "x") for name, variable in variables(container).items()}
    read = load_settings(environment)
    assert (read.host, read.port, read.prefix) == ("0.0.0.0", 8889, "/services/exchange")
    assert read.store.startswith("s3://")
    assert read.access_scopes == {"access:services!service=exchange"}
    assert read.services == {
        "tinytorch": ["formgrade-tinytorch"],
        "tinytorch-collect": ["ta-tinytorch"],
        "precheck-tinytorch": ["precheck-tinytorch"],
    }
    assert read.login is not None
    documented = Path(load_settings.__code__.co_filename).read_text()
    assert not [name for name in environment if name.startswith("TITO_") and name not in documented]
    assert set(read.services) | {"exchange"} == set(values()["hub"]["services"])


# ---- the network -------------------------------------------------------------------------------


def policies() -> dict[str, dict[str, Any]]:
    return {name: manifest["spec"] for name, manifest in manifests().items() if name.startswith("NetworkPolicy/")}


def test_every_pod_has_a_policy_for_both_directions() -> None:
    for name, pod in pods().items():
        labels = pod["metadata"]["labels"].items()
        of_it = [policy for policy in policies().values() if policy["podSelector"]["matchLabels"].items() <= labels]
        assert [policy["policyTypes"] for policy in of_it] == [["Ingress", "Egress"]], name


def test_policies_and_selectors_name_labels_that_pods_have() -> None:
    ours = [pod["metadata"]["labels"] for pod in pods().values()]
    lasting = [manifest for name, manifest in manifests().items() if not name.startswith("Job/")]
    selectors = [*_selectors(lasting), *_selectors(values()["singleuser"])]
    assert len(selectors) > 12
    for selector in selectors:
        if selector.get("app") == "jupyterhub":
            assert selector["component"] in OUTSIDE
        else:
            assert any(selector.items() <= labels.items() for labels in ours), selector


def _selectors(data: Any) -> list[dict[str, str]]:
    """Whatever selects pods by their labels."""
    if isinstance(data, dict):
        own = [data["matchLabels"]] if "matchLabels" in data else []
        if data.get("sessionAffinity") or set(data) == {"selector", "ports"}:
            own.append(data["selector"])
        return own + [selector for value in data.values() for selector in _selectors(value)]
    return [selector for value in data for selector in _selectors(value)] if isinstance(data, list) else []


def test_ports_are_those_that_are_listened_on() -> None:
    listening = {
        pod["metadata"]["labels"]["component"]: {
            port["containerPort"] for container in pod["spec"]["containers"] for port in container.get("ports", [])
        }
        for pod in pods().values()
    } | {"hub": {8081}}
    rules = [rule for policy in policies().values() for rule in policy.get("egress", [])]
    rules += values()["singleuser"]["networkPolicy"]["egress"]
    aimed = [rule for rule in rules if "to" in rule]
    assert len(aimed) >= 5
    for rule in aimed:
        for target in rule["to"]:
            component = target["podSelector"]["matchLabels"]["component"]
            assert {port["port"] for port in rule["ports"]} <= listening[component]


def test_pods_that_ask_the_hub_have_the_label_by_which_its_chart_lets_them() -> None:
    for name, pod in pods().items():
        asks = any(
            "JUPYTERHUB_API_URL" in variables(container) or "envFrom" in container for container in containers(pod)
        )
        labelled = pod["metadata"]["labels"].get("hub.jupyter.org/network-access-hub") == "true"
        assert asks == labelled, name
