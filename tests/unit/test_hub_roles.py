"""The scopes of everybody on the hub, as a table: a scope that is added has to be added here too."""

from __future__ import annotations

from jupyterhub import scopes as hub_scopes

from tito.hub.config.roles import roles
from tito.hub.config.settings import HubSettings

EXCHANGE = "access:services!service=exchange"
TABLE = {
    "user": (["self", EXCHANGE], {}),
    "server": (["users:activity!user", "access:servers!server", EXCHANGE], {}),
    "graders-c1": (["access:services!service=c1"], {"groups": ["formgrade-c1"]}),
    "formgrader-c1": ([EXCHANGE, "groups!group=nbgrader-c1"], {"services": ["c1"]}),
    "graders-c2": (["access:services!service=c2"], {"groups": ["formgrade-c2", "ta-c2"]}),
    "formgrader-c2": ([EXCHANGE, "groups!group=nbgrader-c2"], {"services": ["c2"]}),
    "precheck-c2": ([EXCHANGE], {"services": ["precheck-c2"]}),
    "approvers": (["custom:approve-sign-ups"], {"groups": ["formgrade-c1", "formgrade-c2", "formgrade-c3"]}),
    "idle-culler": (
        ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        {"services": ["idle-culler"]},
    ),
}
SETTINGS = HubSettings.model_validate(
    {
        "auth": {"kind": "native"},
        "courses": {
            "c1": {"url": "http://one"},
            "c2": {"url": "http://two", "ta_formgrader": True, "precheck": True},
            "c3": {},
        },
    }
)


def test_the_scopes_of_everybody_are_these_and_no_others() -> None:
    table = {
        role["name"]: (role["scopes"], {who: role[who] for who in ("groups", "services", "users") if who in role})
        for role in roles(SETTINGS)
    }
    assert table == TABLE


def test_nothing_is_inherited_and_nobody_is_an_admin() -> None:
    scopes = {scope for role in roles(SETTINGS) for scope in role["scopes"]}
    assert not scopes & {"inherit", "all", "admin-ui"}
    assert not [scope for scope in scopes if scope.startswith("admin:")]


def test_only_the_culler_reaches_all_users() -> None:
    for role in roles(SETTINGS):
        for scope in role["scopes"]:
            if role["name"] != "idle-culler" and scope != "self" and not scope.startswith("custom:"):
                assert "!" in scope, scope


def test_what_the_table_names_are_scopes_of_the_hub() -> None:
    known = hub_scopes.scope_definitions
    for role in roles(SETTINGS):
        for scope in role["scopes"]:
            assert scope.split("!")[0] in known or scope.startswith("custom:"), scope


def test_without_sign_up_nobody_approves_and_without_limits_nobody_culls() -> None:
    settings = HubSettings.model_validate({"courses": {"c3": {}}, "idle": {"after_minutes": 0}})
    assert [role["name"] for role in roles(settings)] == ["user", "server"]
