"""Names below `localhost`: every one of them is this machine, as browsers have it without being told."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx


class Loopback(httpx.HTTPTransport):
    """Asks this machine for whatever name there is; the name stays in the request, and decides who answers.

    A cookie for the domain `localhost` is one of that host alone to browsers, and none at all to Python.
    """

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._ask(request)
        pairs = [(name, value.replace("Domain=localhost;", "")) for name, value in answer.headers.multi_items()]
        answer.headers = httpx.Headers(pairs)
        return answer

    def _ask(self, request: httpx.Request) -> httpx.Response:
        if not request.url.host.endswith(".localhost"):
            return super().handle_request(request)
        there = httpx.Request(
            request.method,
            request.url.copy_with(host="127.0.0.1"),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions | {"sni_hostname": request.url.host},
        )
        return super().handle_request(there)


def own_origin(hub: str, path: str) -> str:
    """The whole address of a path, where each server and each service has its name below the hub's."""
    parts = urlsplit(hub)
    kind, _, rest = path.lstrip("/").partition("/")
    name = rest.partition("/")[0]
    below = {"user": f"{name}.", "services": f"{name}--service."}.get(kind, "")
    return f"{parts.scheme}://{below}{parts.netloc}{path}"
