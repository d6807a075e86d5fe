"""Runs uv with what pip is configured with on this machine: its index, further indexes, certificate, proxy, …

    .venv/bin/python scripts/with_pip_settings.py .venv/bin/uv pip install …

uv reads none of pip's configuration. What is set for uv itself comes first, and nothing of it is written anywhere.
Constraints are not handed on: every version that `scripts/setup` installs is pinned by hash.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Mapping

VARIABLES = {
    # pip's setting: uv's variable, and what stands between several values; pip takes any white space
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "cert": ("SSL_CERT_FILE", " "),
    "client-cert": ("SSL_CLIENT_CERT", " "),
    "proxy": ("ALL_PROXY", " "),
    "default-timeout": ("UV_HTTP_TIMEOUT", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
}
TRUE = ("1", "true", "yes", "on")


def pip_settings(listing: str) -> dict[str, str]:
    """What `pip config list` says holds for `pip install`: the environment before the command before everything."""
    layers: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listing.splitlines():
        key, _, value = line.partition("=")
        layer, _, name = key.partition(".")
        if layer in layers:
            layers[layer][name.lower()] = str(ast.literal_eval(value))
    return layers["global"] | layers["install"] | layers[":env:"]


def uv_environment(settings: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that have uv do as pip would, without those that are set already."""
    # pip looks for a version in every index; uv would stop at the first that has the name
    variables = {"UV_INDEX_STRATEGY": "unsafe-best-match"}
    for name, (variable, between) in VARIABLES.items():
        if value := settings.get(name, "").split():
            variables[variable] = between.join(value)
    return {name: value for name, value in variables.items() if name not in environment}


def uv_arguments(settings: Mapping[str, str]) -> list[str]:
    """What uv takes as arguments."""
    trusted = [f"--allow-insecure-host={host}" for host in settings.get("trusted-host", "").split()]
    return trusted + ["--no-index"] * (settings.get("no-index", "").lower() in TRUE)


def main() -> None:
    command = [sys.executable, "-m", "pip", "config", "list"]
    listing = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    settings = pip_settings(listing)
    os.environ |= uv_environment(settings, os.environ)
    os.execv(sys.argv[1], [*sys.argv[1:], *uv_arguments(settings)])


if __name__ == "__main__":
    main()
