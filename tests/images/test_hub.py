"""The hub's image: the hub with its proxy and its exchange, as it starts without any other container."""

from __future__ import annotations

import containers
import httpx
from loopback import Loopback, own_origin
from ports import free_port


def test_the_hub_its_proxy_and_its_exchange_answer(images: dict[str, str]) -> None:
    proxy, hub, exchange, api = (free_port() for _ in range(4))
    settings = {
        "BIND_URL": f"http://127.0.0.1:{proxy}",
        "HUB_PORT": hub,
        "PROXY_API_URL": f"http://127.0.0.1:{api}",
        "EXCHANGE_PORT": exchange,
        "STATE": "/srv/jupyterhub/data",
    }
    options = [word for name, value in settings.items() for word in ("--env", f"TITO_HUB_{name}={value}")]
    with containers.running(images["hub"], options=options) as container:
        containers.wait_for_answer(container, f"http://127.0.0.1:{proxy}/hub/health")
        service = own_origin(f"http://localhost:{proxy}", "/services/exchange/")
        containers.wait_for_answer(container, f"{service}health")
        with httpx.Client(transport=Loopback()) as client:
            assert client.get(f"{service}whoami").status_code == 401
        assert container.does("id", "-un").strip() == "hub"
        assert container.does("configurable-http-proxy", "--version").strip() == "5.3.0"
        containers.healthy(container)
