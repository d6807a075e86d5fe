"""Who is in the groups of a course after the hub has started. JupyterHub adds whom it is told of, and lets nobody go.

    formgrade-, ta-    exactly whom settings and roster name
    nbgrader-          whom they name, and whom an instructor added in formgrader
    of a course that the settings name no more: nobody whom they had named

So whoever was named before and is not named any more leaves the group. Who that is stands in the group itself, in the
hub's database: a hub that gets its settings from elsewhere has no other place of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jupyterhub.app import JupyterHub
from jupyterhub.orm import Group

from tito.hub.config.people import GROUP_OF_ROLE, STUDENT

NAMED = "tito_named"  # the property of a group that holds whom the settings named at the last start
STAFF = tuple(f"{kind}-" for role, kind in GROUP_OF_ROLE.items() if role != STUDENT)
_add_members = JupyterHub.init_groups


def hold_groups_to(named: Mapping[str, Iterable[str]]) -> None:
    """Have the hub that is being configured hold its groups to these names when it starts.

    JupyterHub has no hook between its database and its services, so this goes around the step that loads groups.
    """

    async def init_groups(hub: Any) -> None:
        known = {
            name: {hub.authenticator.normalize_username(member) for member in members}
            for name, members in named.items()
        }
        for group, user in left(hub.db, known):
            hub.log.info("%s is not named any more, and leaves the group %s", user.name, group.name)
            group.users.remove(user)
        await _add_members(hub)
        _remember(hub.db, known)
        hub.db.commit()

    JupyterHub.init_groups = init_groups


def left(db: Any, known: Mapping[str, set[str]]) -> list[tuple[Any, Any]]:
    """The members who have to leave, each with the group."""
    leaving = []
    for group in db.query(Group):
        before = (group.properties or {}).get(NAMED)
        if before is None and group.name not in known:
            continue  # somebody else's
        now = known.get(group.name, set())
        everyone = group.name.startswith(STAFF)
        leaving += [
            (group, user) for user in group.users if user.name not in now and (everyone or user.name in (before or ()))
        ]
    return leaving


def _remember(db: Any, known: Mapping[str, set[str]]) -> None:
    for group in db.query(Group):
        there = dict(group.properties or {})
        if group.name in known or NAMED in there:
            group.properties = there | {NAMED: sorted(known.get(group.name, ()))}
