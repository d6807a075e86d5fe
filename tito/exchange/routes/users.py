"""Who one is."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from tito.exchange.routes import AnybodyOfTheHub, problems

router = APIRouter(tags=["users"])


class Me(BaseModel):
    """The caller, and their role in each course: student, ta or instructor."""

    name: str
    courses: dict[str, str]


@router.get("/whoami", responses=problems())
def whoami(caller: AnybodyOfTheHub) -> Me:
    """Whom the hub says that this token belongs to."""
    return Me(name=caller.name, courses={course: role.name.lower() for course, role in caller.roles.items()})
