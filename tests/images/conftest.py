"""All images, built once; and a course with module 16 released."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import containers
import pytest
from server import Server, obstacle_to_networks, running_server

from tito.author.release import publish
from tito.course.course import Course, load_course

MODULE = "16_quantization"


@pytest.fixture(scope="session")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for what is built; podman and all that use it are set for this machine meanwhile."""
    if reason := containers.obstacle():
        pytest.skip(reason)
    scratch = tmp_path_factory.mktemp("images")
    settings = scratch / "containers.conf"
    settings.write_text(containers.SETTINGS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONTAINERS_CONF", str(settings))
        yield scratch


@pytest.fixture(scope="session")
def built(podman: Path) -> dict[str, str]:
    """Names of all images. The grader's first layer is the student's, so these two are built one after the other."""
    base = containers.base_image(podman)
    options = containers.site(podman)
    with ThreadPoolExecutor(2) as pool:
        rows = [("hub", "peers"), ("student", "grader")]
        built = pool.map(lambda row: {name: containers.build(name, base, options) for name in row}, rows)
        return {name: image for row in built for name, image in row.items()}


@pytest.fixture(scope="session")
def images(built: dict[str, str]) -> dict[str, str]:
    """The names of ours."""
    return {name: image for name, image in built.items() if name != "peers"}


@pytest.fixture(scope="module")
def server(built: dict[str, str], course: Course, podman: Path) -> Iterator[Server]:
    """The whole of docker/compose.yml, with the course in it."""
    if reason := obstacle_to_networks():
        pytest.skip(reason)
    with running_server(podman / "server", course.root) as running:
        yield running


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course folder as an instructor has it, with the module released and nothing collected."""
    root = tmp_path_factory.mktemp("course") / "course"
    root.mkdir()
    for name in ("course.toml", "nbgrader_config.py"):
        shutil.copy(containers.ROOT / name, root)
    shutil.copytree(
        containers.ROOT / "tinytorch_ref", root / "tinytorch_ref", ignore=shutil.ignore_patterns("__pycache__")
    )
    (root / "source").mkdir()
    shutil.copy(containers.ROOT / "source" / f"{MODULE}.py", root / "source")
    shutil.copytree(containers.ROOT / "variants" / MODULE, root / "variants" / MODULE)
    course = load_course(root.resolve())
    publish(course, course.assignment(MODULE))
    return course


@pytest.fixture
def release(course: Course, tmp_path: Path) -> Path:
    """What a student has after a fetch; theirs, in a container whose users are not those of this machine."""
    folder = tmp_path / MODULE
    shutil.copytree(course.step("release", MODULE), folder)
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, 1000, 1000)
    return folder
