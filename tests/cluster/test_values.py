"""Our values for Zero to JupyterHub: keys that the chart knows, and what its hub and KubeSpawner make of them.

The chart itself is not here; test_chart.py asks it where there is one. What it does with a value is written below as
its documentation has it; KubeSpawner and our hub configuration are the real ones.
"""

from __future__ import annotations

import asyncio
import base64
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import kubernetes_validate
import pytest
import yaml
from kubernetes_asyncio.client import ApiClient
from kubespawner import KubeSpawner
from manifests import FOLDER, VERSIONS, containers, manifests, pods, values, variables
from traitlets.config import Config

from tito.errors import BadSource
from tito.hub.config.configure import apply
from tito.hub.config.origins import NO_SERVICE_WORKERS
from tito.hub.config.settings import HubSettings

TEXT, NUMBER, FLAG, NAMES = (str,), (int, float), (bool,), (list,)
NATIVE: Any = None  # passed on as it is, to Kubernetes, KubeSpawner or JupyterHub
CHART: dict[str, Any] = {  # of the values that the chart documents, those that we use
    "hub": {
        "image": {"name": TEXT, "tag": TEXT},
        "allowNamedServers": FLAG,
        "config": NATIVE,
        "extraFiles": {"tito": {"mountPath": TEXT, "data": NATIVE}},
        "extraEnv": NATIVE,
        "extraConfig": {"tito": TEXT},
        "extraVolumes": NATIVE,
        "extraVolumeMounts": NATIVE,
        "services": NATIVE,
        "loadRoles": NATIVE,
    },
    "singleuser": {
        "image": {"name": TEXT, "tag": TEXT},
        "uid": NUMBER,
        "fsGid": NUMBER,
        "allowPrivilegeEscalation": FLAG,
        "serviceAccountName": (type(None),),
        "extraPodConfig": NATIVE,
        "extraEnv": NATIVE,
        "storage": {
            "type": TEXT,
            "capacity": TEXT,
            "homeMountPath": TEXT,
            "dynamic": {"storageAccessModes": NAMES},
        },
        "memory": {"guarantee": TEXT, "limit": TEXT},
        "cpu": {"guarantee": NUMBER, "limit": NUMBER},
        "startTimeout": NUMBER,
        "cloudMetadata": {"blockWithIptables": FLAG},
        "networkPolicy": {
            "enabled": FLAG,
            "egressAllowRules": {
                "cloudMetadataServer": FLAG,
                "dnsPortsCloudMetadataServer": FLAG,
                "nonPrivateIPs": FLAG,
                "privateIPs": FLAG,
            },
            "egress": NATIVE,
        },
    },
    "cull": {"enabled": FLAG, "timeout": NUMBER, "every": NUMBER, "maxAge": NUMBER},
    "proxy": {"service": {"type": TEXT}, "chp": {"extraCommandLineFlags": NAMES, "extraEnv": NATIVE}},
    "ingress": {"enabled": FLAG, "hosts": NAMES, "annotations": NATIVE, "tls": NATIVE},
}


def unknown(data: Any, known: Any, path: str = "") -> list[str]:
    """Where values are not what the chart documents."""
    if known is NATIVE:
        return []
    if isinstance(known, tuple):
        fits = isinstance(data, known) and (bool in known or not isinstance(data, bool))
        return [] if fits else [path]
    if not isinstance(data, dict):
        return [path]
    return [
        place
        for key, value in data.items()
        for place in (unknown(value, known[key], f"{path}.{key}") if key in known else [f"{path}.{key}"])
    ]


def test_values_are_those_that_the_chart_knows() -> None:
    assert unknown(values(), CHART) == []
    wrong = values()
    wrong["singleuser"]["extraenv"] = {}
    wrong["cull"]["every"] = "often"
    assert unknown(wrong, CHART) == [".singleuser.extraenv", ".cull.every"]


# ---- people's pods -----------------------------------------------------------------------------


def settings() -> HubSettings:
    return HubSettings.model_validate(values()["hub"]["extraFiles"]["tito"]["data"])


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Config:
    """What the hub's configuration is after the chart's part and ours."""
    chart = values()
    own, c = chart["singleuser"], Config()
    c.KubeSpawner.environment = dict(own["extraEnv"])
    c.KubeSpawner.image = f"{own['image']['name']}:{own['image']['tag']}"
    c.KubeSpawner.uid, c.KubeSpawner.fs_gid = own["uid"], own["fsGid"]
    c.KubeSpawner.allow_privilege_escalation = own["allowPrivilegeEscalation"]
    c.KubeSpawner.service_account = own["serviceAccountName"]
    c.KubeSpawner.extra_pod_config = own["extraPodConfig"]
    c.KubeSpawner.mem_limit, c.KubeSpawner.mem_guarantee = own["memory"]["limit"], own["memory"]["guarantee"]
    c.KubeSpawner.cpu_limit, c.KubeSpawner.cpu_guarantee = own["cpu"]["limit"], own["cpu"]["guarantee"]
    c.KubeSpawner.volumes = [{"name": "home", "persistentVolumeClaim": {"claimName": "claim-ada"}}]
    c.KubeSpawner.volume_mounts = [{"name": "home", "mountPath": own["storage"]["homeMountPath"]}]
    for name, traits in chart["hub"]["config"].items():
        c[name].update(traits)
    c.JupyterHub.services = [
        {"name": name, "api_token": f"made-for-{name}"} | service for name, service in chart["hub"]["services"].items()
    ]
    c.JupyterHub.load_roles = [{"name": name} | role for name, role in chart["hub"]["loadRoles"].items()]
    data = chart["hub"]["extraFiles"]["tito"]["data"]
    secret = tmp_path / "secret"
    secret.write_text("made by the chart\n")
    data["exchange"]["api_token_file"] = str(secret)
    data["courses"]["tinytorch"] |= {"api_token_file": str(secret), "precheck_token_file": str(secret)}
    data["auth"]["oauth"]["client_secret_file"] = str(secret)
    file = tmp_path / "tito.yaml"
    file.write_text(yaml.safe_dump(data))
    monkeypatch.setenv("TITO_HUB_CONFIG", str(file))
    exec(chart["hub"]["extraConfig"]["tito"], {"c": c})
    return c


async def pod_of(configured: Config) -> dict[str, Any]:
    """The pod of a person's server, as the real KubeSpawner makes it; it need not find a cluster for that."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("kubespawner.spawner.load_config", lambda **_: None)
        patched.setattr("kubespawner.spawner.shared_client", lambda *_: None)
        spawner = KubeSpawner(config=configured, _mock=True)
        spawner.user.groups = []
    async with ApiClient() as api:
        manifest: dict[str, Any] = api.sanitize_for_serialization(await spawner.get_pod_manifest())
    return manifest


def test_a_persons_pod_is_theirs_alone_and_has_no_token_of_the_cluster(configured: Config) -> None:
    manifest = asyncio.run(pod_of(configured))
    for version in VERSIONS:
        kubernetes_validate.validate(manifest, version, strict=True)
    pod = manifest["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert "serviceAccountName" not in pod
    assert "initContainers" not in pod
    [container] = pod["containers"]
    assert container["securityContext"]["runAsUser"] == 1000
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["args"] == ["python3", "-P", "-m", "tito.hub.student.server"]
    assert [set(volume) for volume in pod["volumes"]] == [{"name", "persistentVolumeClaim"}]


def test_servers_are_told_where_the_exchange_is_by_the_chart_and_by_us_alike(configured: Config) -> None:
    url = values()["singleuser"]["extraEnv"]["TITO_EXCHANGE_URL"]
    assert configured.KubeSpawner.environment["TITO_EXCHANGE_URL"] == url
    service = manifests()["Service/exchange"]
    prefix = manifests()["ConfigMap/exchange"]["data"]["JUPYTERHUB_SERVICE_PREFIX"].rstrip("/")
    assert url == f"http://{service['metadata']['name']}:{service['spec']['ports'][0]['port']}{prefix}"


def test_nobody_shares_a_volume_and_servers_reach_hub_and_exchange_only() -> None:
    own = values()["singleuser"]
    assert own["storage"]["type"] == "dynamic"
    assert own["storage"]["dynamic"]["storageAccessModes"] == ["ReadWriteOnce"]
    assert own["networkPolicy"]["enabled"] is True
    assert not any(own["networkPolicy"]["egressAllowRules"].values())
    assert len(own["networkPolicy"]["egress"]) == 1


# ---- services and roles ------------------------------------------------------------------------


def test_services_have_the_charts_tokens_and_our_addresses_and_scopes(configured: Config) -> None:
    services = {service["name"]: service for service in configured.JupyterHub.services}
    assert set(services) == {"exchange", "tinytorch", "tinytorch-collect", "precheck-tinytorch"}
    assert services["exchange"]["oauth_no_confirm"]  # by its token it logs browsers in, and for nothing else
    for name in services:
        assert services[name]["api_token"] == f"made-for-{name}"
    for name, manifest in (("exchange", "exchange"), ("tinytorch", "formgrader-tinytorch")):
        service = manifests()[f"Service/{manifest}"]["spec"]["ports"][0]
        assert services[name]["url"] == f"http://{manifest}:{service['port']}"
    scopes = {
        service: {scope for role in configured.JupyterHub.load_roles if service in role.get("services", ())
                  for scope in role["scopes"]}
        for service in services
    }  # fmt: skip
    access = "access:services!service=exchange"
    assert scopes == {
        "exchange": set(),
        "tinytorch": {access, "groups!group=nbgrader-tinytorch"},
        "tinytorch-collect": {access},
        "precheck-tinytorch": {access},
    }
    server = next(role for role in configured.JupyterHub.load_roles if role["name"] == "server")
    assert "inherit" not in server["scopes"]


def test_nobody_logs_in_without_the_provider(configured: Config) -> None:
    """The chart's own default lets everybody in."""
    assert configured.JupyterHub.authenticator_class == "generic-oauth"
    assert configured.JupyterHub.admin_access is False
    assert "allow_all" not in configured.Authenticator
    assert configured.Authenticator.allowed_users == {"teacher"}


def test_each_server_and_each_service_has_a_name_below_the_hubs(configured: Config) -> None:
    host = settings().subdomain_host
    assert configured.JupyterHub.subdomain_host == host
    assert configured.JupyterHub.cookie_host_prefix_enabled is True
    (formgrader,) = containers(pods()["Deployment/formgrader-tinytorch"])[-1:]
    assert variables(formgrader)["JUPYTERHUB_HOST"]["value"] == host
    assert manifests()["ConfigMap/exchange"]["data"]["JUPYTERHUB_HOST"] == host
    names = [urlsplit(host).hostname, f"*.{urlsplit(host).hostname}"]
    ingress = values()["ingress"]
    assert ingress["hosts"] == ingress["tls"][0]["hosts"] == names
    proxy = values()["proxy"]["chp"]
    assert proxy["extraCommandLineFlags"] == ["--host-routing"]
    _, _, encoded = proxy["extraEnv"]["NODE_OPTIONS"].partition("--import=data:text/javascript;base64,")
    assert base64.b64decode(encoded) == NO_SERVICE_WORKERS.read_bytes()


def test_there_is_one_culler(configured: Config) -> None:
    assert values()["cull"]["enabled"] is True
    assert "idle-culler" not in {service["name"] for service in configured.JupyterHub.services}


def test_tokens_that_pods_use_are_those_that_the_chart_makes() -> None:
    tokens = {f"hub.services.{name}.apiToken" for name in values()["hub"]["services"]}
    text = "".join(path.read_text() for path in FOLDER.rglob("*.yaml"))
    assert set(re.findall(r"hub\.services\.[\w-]+\.apiToken", text)) == tokens
    course = settings().courses["tinytorch"]
    for name, file in (
        ("exchange", settings().exchange.api_token_file),
        ("tinytorch", course.api_token_file),
        ("precheck-tinytorch", course.precheck_token_file),
    ):
        assert file == Path(f"/usr/local/etc/jupyterhub/secret/hub.services.{name}.apiToken")


def test_the_charts_hub_image_needs_of_ours_what_its_dockerfile_copies(tmp_path: Path) -> None:
    root = FOLDER.parents[1]
    for line in re.findall(r"(?m)^COPY (.*)$", (FOLDER / "hub" / "Dockerfile").read_text()):
        *sources, target = line.split()
        for source in sources:
            to = tmp_path / target.removeprefix("/opt/tito/")
            if (root / source).is_dir():
                shutil.copytree(root / source, to)
            else:
                to.mkdir(exist_ok=True)
                shutil.copy(root / source, to)
    program = """
import sys
closed = ("nbgrader", "fastapi", "numpy", "nbformat", "httpx")  # JupyterHub brings SQLAlchemy and alembic
class Closed:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in closed:
            raise ImportError(f"{name} is not in the chart's hub image")
sys.meta_path.insert(0, Closed())
import tito
assert tito.__file__.startswith(sys.argv[1]), tito.__file__
from traitlets.config import Config
from tito.hub.config.configure import configure
c = Config()
configure(c)
assert [one["name"] for one in c.JupyterHub.services] == ["exchange"]
"""
    file = tmp_path / "tito.yaml"
    file.write_text("{deployment: cluster, exchange: {url: 'http://exchange:8889'}, idle: {after_minutes: 0}}")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), "TITO_HUB_CONFIG": str(file)}
    command = [sys.executable, "-P", "-c", program, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_secret_that_is_not_there_is_told_by_its_name() -> None:
    with pytest.raises(BadSource, match="api_token_file"):
        apply(Config(), settings())
