"""The hub, on a laptop, a server or a cluster. What it does is chosen by TITO_HUB_* in the environment, or by the YAML
file that TITO_HUB_CONFIG names: book/how-to/hub.md lists all of it."""

from tito.hub.config.configure import configure

configure(get_config())  # type: ignore[name-defined]  # noqa: F821  (traitlets defines it)
