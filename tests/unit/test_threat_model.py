"""The threat model names what shows each fence: all of it is there, and every kind of hostile case is spoken for."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "book/explanation/threat-model.md"
KINDS = ("forging", "hostile", "sabotage", "secrets", "tampering")
NAME = re.compile(r"`([^`\s]+)`")


def _named() -> list[str]:
    """What stands in the last column of the tables of fences, a case without its folder."""
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.count("|") == 4]
    return [name.removeprefix("tests/cases/") for row in rows for name in NAME.findall(row.split("|")[3])]


@pytest.mark.parametrize("name", _named())
def test_what_shows_a_fence_is_there(name: str) -> None:
    if not name.startswith("tests/"):
        assert (ROOT / "tests" / "cases" / name / "case.toml").is_file()
        return
    path, _, function = name.partition("::")
    tests = [node.name for node in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(node, ast.FunctionDef)]
    assert any(test.startswith("test_") for test in tests)
    assert not function or function in tests


def test_every_kind_of_hostile_case_shows_a_fence() -> None:
    assert {name.partition("_")[0] for name in _named()} >= set(KINDS)
    assert len(_named()) > 60


@pytest.mark.parametrize("page", ["SECURITY.md", "book/explanation/threat-model.md", "README.md"])
def test_links_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#]+)", (ROOT / page).read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert local
    assert not [link for link in local if not ((ROOT / page).parent / link).exists()]
