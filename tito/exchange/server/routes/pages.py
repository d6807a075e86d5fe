"""The page for a browser, and the way back from the hub's login."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from tito.exchange.protocol.problems import Refused
from tito.exchange.server.access import login_of
from tito.exchange.server.page import page_of, problem_page
from tito.exchange.server.routes import TheLedger, Visitor

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/")
def page(caller: Visitor, ledger: TheLedger) -> HTMLResponse:
    """What one has handed in, and what came of it."""
    return page_of(caller, ledger)


@router.get("/oauth_callback")
async def oauth_callback(request: Request) -> Response:
    """Where the hub sends a browser back to. The token is tried before it is kept, or one could go round in circles."""
    try:
        login = login_of(request)
        token = await login.token(request)
        await request.app.state.identity.caller(f"token {token}")
    except Refused as refusal:
        return problem_page(refusal)
    return login.welcome(request, token)
