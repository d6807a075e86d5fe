"""Who one is."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel

from tito.exchange.server.routes import AnybodyOfTheHub, problems

router = APIRouter(tags=["users"])


class Me(BaseModel):
    """The caller, and their role in each course: student, ta or instructor; and where their page is for a browser, at
    the hub's address, where there is one."""

    name: str
    courses: dict[str, str]
    page: str


@router.get("/whoami", responses=problems())
def whoami(caller: AnybodyOfTheHub, request: Request) -> Me:
    """Whom the hub says that this token belongs to."""
    login = request.app.state.login
    courses = {course: role.name.lower() for course, role in caller.roles.items()}
    return Me(name=caller.name, courses=courses, page=login.page if login else "")
