"""The project's own tools: what set-up hands on to uv and compiles, which names are fillers, what is too long."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # its dataclasses look for it there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def names() -> ModuleType:
    return script("names")


@pytest.fixture(scope="module")
def with_pip_settings() -> ModuleType:
    return script("with_pip_settings")


def test_every_way_to_bind_a_name_is_counted(names: ModuleType) -> None:
    source = """
import one
def made(found, *told, said=1, **kept):
    given: int = 2
    for one in range(3):
        with open(one) as made, open(one) as (a, b):
            c = [found for found in made]
    try:
        d.one = (e := 3)
    except OSError as told:
        match e:
            case [said, *kept]: pass
"""
    bound = sorted(place.name for place in names.bound_names(ast.parse(source)))
    fillers = ["found", "found", "given", "kept", "kept", "made", "one", "said", "said", "told", "told"]
    assert bound == sorted([*fillers, "a", "b", "c", "e"])


def test_a_function_is_too_long_from_one_line_over_the_limit(names: ModuleType) -> None:
    def function(lines: int) -> ast.Module:
        return ast.parse("@decorated\nasync def long():\n" + "    pass\n" * (lines - 1))

    assert not list(names.long_functions(function(names.LONGEST)))
    [place] = names.long_functions(function(names.LONGEST + 1), "tito/a.py")
    assert str(place) == "tito/a.py:2: long has 61 lines"
    assert not list(names.long_functions(function(names.LONGEST + 1), names.MIGRATIONS + "a.py"))


def test_the_corpus_is_not_looked_at_and_all_else_is(names: ModuleType) -> None:
    if not (names.ROOT / ".git").exists():
        pytest.skip("git lists the project's files, and this is no checkout")
    paths = names.python_files(names.ROOT)
    assert {"scripts/names.py", "source/16_quantization.py", "tests/support/cases_support.py", "tito/models.py"} <= set(
        paths
    )
    assert not [path for path in paths if path.startswith(("tests/cases/", ".venv/"))]


def test_pip_settings_come_from_the_environment_before_its_files(with_pip_settings: ModuleType) -> None:
    listing = (
        ":env:.index-url='https://mirror.test/simple'\n"
        "global.extra-index-url='\\nhttps://a.test/simple\\n  https://b.test/simple'\n"
        "global.index-url='https://other.test/simple?a=b'\n"
        "download.timeout='3'\n"
        "install.trusted-host='a.test b.test:8443'\n"
    )
    settings = with_pip_settings.pip_settings(listing)
    assert with_pip_settings.uv_environment(settings, {}) == {
        "UV_DEFAULT_INDEX": "https://mirror.test/simple",
        "UV_INDEX": "https://a.test/simple https://b.test/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }
    trusted = ["--allow-insecure-host=a.test", "--allow-insecure-host=b.test:8443"]
    assert with_pip_settings.uv_arguments(settings) == trusted


def test_what_is_set_for_uv_itself_stays(with_pip_settings: ModuleType) -> None:
    settings = {"index-url": "https://mirror.test/simple", "find-links": "/a /b", "cert": "/ca.pem", "no-index": "yes"}
    environment = {"UV_DEFAULT_INDEX": "https://own.test/simple", "UV_INDEX_STRATEGY": "first-index"}
    assert with_pip_settings.uv_environment(settings, environment) == {
        "UV_FIND_LINKS": "/a,/b",
        "SSL_CERT_FILE": "/ca.pem",
    }
    assert with_pip_settings.uv_arguments(settings) == ["--no-index"]


def test_modules_of_what_the_platform_needs_are_compiled_and_no_tests() -> None:
    compile_modules = script("compile_modules")
    packages = {package.name.lower(): package for package in compile_modules.needed(Requirement("nbgrader"))}
    assert {"nbgrader", "jupyter_server", "sqlalchemy", "tornado"} <= set(packages)
    assert not {"moto", "fastapi", "pytest"} & set(packages)
    modules = {
        path.as_posix().partition("site-packages/")[2] for path in compile_modules.modules_of(packages["nbgrader"])
    }
    assert "nbgrader/api.py" in modules
    assert not [path for path in modules if "/tests/" in path]


def test_extras_bring_more() -> None:
    compile_modules = script("compile_modules")
    plain, with_hub = (
        {package.name for package in compile_modules.needed(Requirement(text))}
        for text in ("tinytorch-tito", "tinytorch-tito[hub]")
    )
    assert plain < with_hub
    assert {"fastapi", "jupyterhub"} <= with_hub - plain


# ---- the picture of the demo -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo_picture() -> ModuleType:
    return script("demo_picture")


def test_of_many_lines_of_a_kind_the_first_are_drawn_and_the_others_counted(demo_picture: ModuleType) -> None:
    cells = "   ok    variant x (wrong)\n" * 5
    text = f"1. check\n{cells}   FAIL  packages\nada: 3/4 points\nbob: 4/4 points\n"
    assert list(demo_picture.drawn_lines(text)) == [
        "1. check",
        *["   ok    variant x (wrong)"] * 3,
        "   … and 2 more",
        "   FAIL  packages",
        "ada: 3/4 points",
        "bob: 4/4 points",
    ]


def test_the_picture_asks_nobody_for_a_font(demo_picture: ModuleType) -> None:
    svg = demo_picture.picture(["\x1b[1mstudent\x1b[0m  points"], "make demo")
    assert "student" in svg
    assert "@font-face" not in svg
    assert "Fira" not in svg
    assert "url(http" not in svg


def test_what_fails_is_not_drawn(demo_picture: ModuleType) -> None:
    assert demo_picture.written_by(["sh", "-c", "echo a; echo b >&2"], 40) == "a\nb\n"
    with pytest.raises(SystemExit, match="nothing was drawn"):
        demo_picture.written_by(["sh", "-c", "exit 3"], 40)
