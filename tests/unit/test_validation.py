"""What comes from outside is of its form, or a person is told what is wrong, where, and what to do."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field

import pytest

from tito.errors import BadSource
from tito.exchange.server.service import load_settings as load_service_settings
from tito.precheck.worker import load_settings as load_worker_settings
from tito.validation import NO_OTHERS, from_json, names_at, near

pytestmark = pytest.mark.unit

WORKER = {"TITO_EXCHANGE_URL": "http://exchange", "JUPYTERHUB_API_TOKEN": "secret", "TITO_PRECHECK_COURSES": "c1, c2"}


@dataclass(frozen=True)
class Inner:
    __pydantic_config__ = NO_OTHERS

    depth: int = 0


@dataclass(frozen=True)
class Outer:
    __pydantic_config__ = NO_OTHERS

    inner: Inner = field(default_factory=Inner)
    named: dict[str, Inner] = field(default_factory=dict)


def test_json_is_read_as_exactly_these_types() -> None:
    assert from_json(Outer, '{"inner": {"depth": 3}, "named": {"a": {}}}') == Outer(Inner(3), {"a": Inner()})
    for text in ('{"inner": {"depth": "3"}}', '{"inner": {"depth": true}}', '{"other": 1}', "[]", "{", ""):
        with pytest.raises(ValueError, match="validation error"):
            from_json(Outer, text)


def test_names_are_known_at_every_place() -> None:
    assert names_at(Outer, ()) == ["inner", "named"]
    assert names_at(Outer, ("inner",)) == names_at(Outer, ("named", "anything")) == ["depth"]
    assert near("deph", ["depth"]) == "Did you mean 'depth'?"
    assert near("x", ["depth", "breadth"]) == "Known: breadth, depth."


@pytest.mark.parametrize(
    ("variables", "refusal"),
    [
        ({"TITO_EXCHANGE_SUBMISSION_MB": "secret"}, "TITO_EXCHANGE_SUBMISSION_MB must be a whole number."),
        ({"TITO_EXCHANGE_SUBMISSION_MB": "0"}, "TITO_EXCHANGE_SUBMISSION_MB must be more than 0."),
        ({"TITO_EXCHANGE_REQUESTS_PER_MINUTE": "1.5"}, "TITO_EXCHANGE_REQUESTS_PER_MINUTE must be a whole number."),
        ({"TITO_EXCHANGE_IDENTITY_KEEP_S": "-1"}, "TITO_EXCHANGE_IDENTITY_KEEP_S must be more than 0."),
        ({"TITO_EXCHANGE_SERVICES": "{secret"}, "TITO_EXCHANGE_SERVICES must be JSON."),
        ({"TITO_EXCHANGE_SERVICES": '["secret"]'}, "TITO_EXCHANGE_SERVICES must be a table."),
        ({"TITO_EXCHANGE_SERVICES": '{"secret": [3]}'}, "TITO_EXCHANGE_SERVICES must be a text."),
    ],
)
def test_a_variable_of_the_exchange_that_does_not_fit_is_named_and_not_repeated(
    variables: dict[str, str], refusal: str
) -> None:
    with pytest.raises(BadSource) as caught:
        load_service_settings(variables)
    assert str(caught.value) == f"{refusal} Correct the variable."


def test_the_exchange_is_told_in_its_environment_what_is_not_as_usual() -> None:
    settings = load_service_settings(
        {
            "JUPYTERHUB_SERVICE_URL": "http://0.0.0.0:9000/services/exchange/",
            "JUPYTERHUB_SERVICE_PREFIX": "/services/exchange/",
            "JUPYTERHUB_OAUTH_ACCESS_SCOPES": '["access:services"]',
            "TITO_EXCHANGE_SERVICES": '{"c1": ["formgrade-c1"]}',
            "TITO_EXCHANGE_STUDENT_MB": "7",
            "TITO_EXCHANGE_DB": "",
        }
    )
    assert (settings.host, settings.port, settings.prefix) == ("0.0.0.0", 9000, "/services/exchange")
    assert (settings.access_scopes, settings.services) == ({"access:services"}, {"c1": ["formgrade-c1"]})
    assert (settings.quotas.student_mb, settings.quotas.submission_mb, settings.db_url) == (7, 20, "")


def test_a_worker_of_prechecks_is_told_where_what_and_how_many() -> None:
    settings = load_worker_settings(WORKER | {"TITO_PRECHECK_SPARE": "1", "TITO_PRECHECK_FOLDER": ""})
    assert (settings.courses, settings.spare, settings.at_once, settings.folder) == (("c1", "c2"), 1, 2, None)
    assert "secret" not in repr(settings)
    for name in WORKER:
        with pytest.raises(BadSource, match=f"{name} is missing. The hub sets it"):
            load_worker_settings({**WORKER, name: ""})
    with pytest.raises(BadSource, match="TITO_PRECHECK_BACKEND must be 'bubblewrap', 'landlock' or 'none'"):
        load_worker_settings(WORKER | {"TITO_PRECHECK_BACKEND": "bublewrap"})


def test_pydantic_is_imported_when_something_is_read_and_not_before() -> None:
    program = "import sys, tito.course.course, tito.models, tito.validation; print('pydantic' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.strip() == "False"
