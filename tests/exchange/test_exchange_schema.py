"""schemathesis: what the OpenAPI description promises, tried with whatever it allows and what it does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from exchange_support import COURSE, Service, released, service, token
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

CHECKS = [
    not_a_server_error,
    content_type_conformance,
    ignored_auth,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
]


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(tmp_path_factory.mktemp("exchange")) as running:
        released(running)
        yield running


def tried(operation: Any, mode: GenerationMode, headers: dict[str, str]) -> Counter[int]:
    """Statuses of examples of one operation: all that its description allows, or things that it does not."""

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=12, suppress_health_check=list(HealthCheck))
    def ask(case: schemathesis.Case) -> None:
        if "course" in case.path_parameters and mode is GenerationMode.POSITIVE:
            case.path_parameters["course"] = COURSE  # of another one, the instructor is no member
        answer = case.call_and_validate(headers=headers, checks=CHECKS, timeout=30)
        seen[answer.status_code] += 1

    seen: Counter[int] = Counter()
    ask()
    return seen


def test_every_route_keeps_to_its_description(exchange: Service) -> None:
    """As the instructor of the course, who gets past every guard."""
    description = schemathesis.openapi.from_url(f"{exchange.url}/openapi.json")
    count, allowed, refused = 0, Counter[int](), Counter[int]()
    for result in description.get_all_operations():
        operation = result.ok()
        headers = {} if operation.path.endswith("/health") else {"Authorization": f"token {token('teacher')}"}
        allowed += tried(operation, GenerationMode.POSITIVE, headers)
        if operation.path_parameters or operation.query or operation.headers or operation.body:
            refused += tried(operation, GenerationMode.NEGATIVE, headers)
        count += 1
    assert count == 24
    assert allowed[200] > 50
    assert refused[422] > 50
    assert not [status for status in allowed | refused if status >= 500]
