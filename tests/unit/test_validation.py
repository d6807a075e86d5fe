"""What comes from outside is of its form, or a person is told what is wrong, where, and what to do."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

import httpx
import pytest

from tito.errors import BadSource, ExchangeUnavailable
from tito.exchange.client.client import Client
from tito.exchange.protocol.records import Entry, Policy, PrecheckPolicy, Role
from tito.exchange.server.service import load_settings as load_service_settings
from tito.gradebook.records import from_json as record_from_json
from tito.gradebook.records import to_json as record_to_json
from tito.models import (
    CellVerdict,
    CheckVerdict,
    Evidence,
    Fingerprint,
    Limits,
    NotebookVerdicts,
    SubmissionRecord,
    Verdict,
)
from tito.precheck.worker import load_settings as load_worker_settings
from tito.validation import NO_OTHERS, from_json, names_at, near, to_json

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


def answering(text: str, kind: str = "application/json") -> Client:
    """A client of a service that always says this."""
    answer = httpx.Response(200, content=text.encode(), headers={"Content-Type": kind})
    return Client("http://exchange", "token", transport=httpx.MockTransport(lambda request: answer))


RELEASE = {
    "course": "c1",
    "assignment": "ps1",
    "revision": 1,
    "released_at": "2026-12-07T12:00:00Z",
    "released_by": "teacher",
    "manifest_sha256": "0" * 64,
    "files": [{"path": "p1.ipynb", "sha256": "1" * 64, "size": 3}],
}


def test_what_the_exchange_answers_is_read_as_what_it_is() -> None:
    [release] = answering(json.dumps([RELEASE | {"of_a_newer_version": 1}])).releases("c1")
    assert (release.released_at.tzinfo, release.files) == (UTC, [Entry("p1.ipynb", "1" * 64, 3)])
    who = answering('{"name": "ada", "courses": {"c1": "ta"}, "page": ""}').who()
    assert who.courses == {"c1": Role.TA}
    assert answering("null").claim_precheck("c1", 0) is None


@pytest.mark.parametrize(
    "change", [{"revision": "1"}, {"released_at": "noon"}, {"files": [{"path": 3}]}, {"files": None}]
)
def test_an_answer_of_another_form_is_an_error_that_does_not_repeat_it(change: dict[str, object]) -> None:
    for text in (json.dumps([RELEASE | change]), json.dumps(RELEASE), "[" * 100_000, "secret"):
        with pytest.raises(ExchangeUnavailable, match="not of the form of an answer") as caught:
            answering(text).releases("c1")
        assert "noon" not in str(caught.value)
    with pytest.raises(ExchangeUnavailable, match="not of the form"):
        answering('{"name": "ada", "courses": {"c1": "emperor"}}').who()


def test_a_policy_says_its_moments_in_utc_wherever_they_were_written() -> None:
    noon = datetime(2026, 12, 7, 12, tzinfo=timezone(timedelta(hours=1)))
    policy = Policy(
        {"ps1": noon}, {}, {"ps1": {"ada": noon}}, submission_mb=20, precheck=PrecheckPolicy(3, ("numpy",), Limits())
    )
    read = from_json(Policy, to_json(policy))
    assert read == policy
    assert read.deadlines["ps1"].tzinfo == read.extensions["ps1"]["ada"].tzinfo == UTC
    with pytest.raises(ValueError, match="timezone"):
        from_json(Policy, '{"deadlines": {"ps1": "2026-12-07T12:00:00"}}')


def test_a_record_is_read_as_it_was_written_or_not_at_all() -> None:
    cell = CellVerdict(
        "t", Verdict.ERROR, 0.0, 2.0, Evidence.JUDGED, "a lone \ud800", checks=(CheckVerdict("c", 1, 2),)
    )
    notebooks = (NotebookVerdicts("p1", (cell,), ("a note",)),)
    record = SubmissionRecord("ada", "ps1", Fingerprint("a", "b", "c"), "bubblewrap", "2026", notebooks)
    data = json.loads(json.dumps(record_to_json(record)))
    assert record_from_json(data) == record
    for change in ({"notebooks": [{}]}, {"student": None}, {"fingerprint": "abc"}):
        with pytest.raises(ValueError, match="validation error"):
            record_from_json(data | change)
