"""The page of the exchange's routes, from the application itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi.routing import APIRoute

from tito.docs.markdown import code, table
from tito.exchange.server.routes import courses, feedback, health, pages, prechecks, releases, submissions, users

INTRODUCTION = """\
# Routes of the exchange

Below the prefix that the hub gives the service, `/services/exchange` by default. Who calls says so with JupyterHub's
token (`Authorization: token …`), and what they may is what JupyterHub says of them; pages take the browser's login
instead. An error is `{"error", "where", "hint"}` and a status. The service tells its own schema at `openapi.json`.
"""
NOUNS = (health, users, courses, releases, submissions, feedback, prechecks, pages)


def page() -> str:
    """The whole page, in Markdown."""
    parts = [INTRODUCTION]
    for noun in NOUNS:
        name = noun.__name__.rpartition(".")[2]
        parts += [f"## {name.capitalize()}\n", f"{' '.join((noun.__doc__ or '').split())}\n"]
        parts.append(table(("method", "path", "what it does"), _rows(noun.router.routes)))
    return "\n".join(parts)


def _rows(routes: list[Any]) -> Iterator[tuple[str, str, str]]:
    for route in routes:
        if isinstance(route, APIRoute):
            summary = " ".join((route.endpoint.__doc__ or "").strip().partition("\n\n")[0].split())
            yield ", ".join(sorted(route.methods or ())), code(route.path), summary
