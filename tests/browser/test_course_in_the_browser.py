"""A course in a real browser, from release to feedback: what instructor and students see."""

from __future__ import annotations

import pytest

from conftest import Class

pytestmark = pytest.mark.browser


def test_flow(returned: Class) -> None:
    for k, v in returned.said.items(): print("=====", k, "\n", v[:1500])
