"""The student's image: what is in it, what is not, and that one can work in it."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import containers
import httpx
import nbformat
from ports import free_port

from tito.course.cells import read_cells
from tito.course.course import Course
from tito.course.script import source_notebooks
from tito.plan.secret_texts import secrets_of

MODULE = "16_quantization"
LIMIT_MB = 900
OURS = {"__init__.py", "errors.py", "models.py", "validation.py", "course", "policy"}
COURSE = {
    "__init__.py", "course.py", "course_file.py", "course_policy.py", "gradebook_database.py", "nbgrader_course.py",
    "nbgrader_settings.py", "settings.py", "sound_policy.py", "submission_files.py",
}  # fmt: skip
HUB = {"__init__.py", "extensions.py", "server.py"}
LEAST = 40  # characters of a line by which it is known

# Runs the notebook in order as far as its last warm-up, as a student who has written nothing yet.
WARM_UPS = """
import nbformat
from nbclient import NotebookClient
notebook = nbformat.read("quantization.ipynb", as_version=4)
is_warmup = lambda cell: "warmup" in cell.metadata.get("tags", [])
last = max(at for at, cell in enumerate(notebook.cells) if is_warmup(cell))
notebook.cells = notebook.cells[:last + 1]
NotebookClient(notebook, allow_errors=True, kernel_name="python3").execute()
for cell in filter(is_warmup, notebook.cells):
    failed = [one.ename + ": " + one.evalue for one in cell.outputs if one.output_type == "error"]
    print(cell.id, failed or "ran")
"""

# JupyterLab as `tito.hub.student.server` configures it, but without a hub.
AS_A_STUDENT = """
export JUPYTER_CONFIG_PATH=/tmp/config
python -c 'import pathlib
from tito.hub.student import extensions
extensions.write(pathlib.Path("/tmp/config"), "student")'
exec jupyter lab "$@"
"""


def test_it_is_small(images: dict[str, str]) -> None:
    bytes_in_all = int(containers.command("podman", "image", "inspect", "--format", "{{.Size}}", images["student"]))
    assert bytes_in_all < LIMIT_MB * 1_000_000


def test_of_the_platform_it_holds_only_what_reaches_the_exchange(images: dict[str, str]) -> None:
    with containers.files_of(images["student"]) as root:
        assert {path.name for path in (root / "opt/tito/tito").iterdir()} == OURS | {"exchange", "hub", "__pycache__"}
        assert {path.name for path in (root / "opt/tito/tito/course").glob("*.py")} == COURSE
        assert {path.name for path in (root / "opt/tito/tito/hub").glob("*.py")} == {"__init__.py"}
        assert {path.name for path in (root / "opt/tito/tito/hub").iterdir() if path.is_dir()} <= {
            "student",
            "__pycache__",
        }
        assert {path.name for path in (root / "opt/tito/tito/hub/student").glob("*.py")} == HUB
        paths = containers.command("find", root, "-xdev", "-regextype", "egrep", "-regex", NEVER)
    assert paths == ""


NOT_THERE = "grade|author|gradebook|sandbox|cli|judge|plan|repair|bridge|precheck|otter"
NEVER = rf".*/(tito/({NOT_THERE})|tinytorch_ref|variants|gradebook\.db|.*quantization.*)(/.*)?"


def test_no_line_of_a_solution_or_of_a_hidden_test_is_in_it(
    images: dict[str, str], course: Course, tmp_path: Path
) -> None:
    (notebook,) = source_notebooks(course, course.assignment(MODULE)).values()
    lines = {line.strip() for secret in secrets_of(read_cells(notebook.cells)) for line in secret.text.split("\n")}
    marks = sorted(line for line in lines if len(line) >= LEAST)
    assert len(marks) > 50
    wanted = tmp_path / "marks"
    wanted.write_text("\n".join(marks) + "\n")
    assert scan(wanted, course.step("source")), "the marks are found where they are"
    with containers.files_of(images["student"]) as root:
        assert scan(wanted, root) == ""


def scan(marks: Path, folder: Path) -> str:
    """Files below a folder that hold one of the lines."""
    argv = ["grep", "-r", "-l", "-a", "-F", "-f", marks, folder]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env={"LC_ALL": "C"})
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def test_the_release_of_module_16_runs_in_a_students_server(images: dict[str, str], release: Path) -> None:
    port = free_port()
    mount = ("--volume", f"{release}:/home/student/{MODULE}", "--env", "JUPYTER_TOKEN=only-for-this-test")
    lab = ("sh", "-c", AS_A_STUDENT, "-", "--no-browser", "--ip=127.0.0.1", f"--port={port}")
    with containers.running(images["student"], *lab, options=mount) as container:
        containers.wait_for_answer(container, f"http://127.0.0.1:{port}/api")
        with httpx.Client(
            base_url=f"http://127.0.0.1:{port}", headers={"Authorization": "token only-for-this-test"}, timeout=30
        ) as http:
            assert http.get(f"/api/contents/{MODULE}/quantization.ipynb").status_code == 200
            listed = http.get("/assignments", params={"course_id": "tinytorch"})
            assert "No exchange is configured" in container.log(), listed.text
            assert http.get("/formgrader").status_code == 404
            menus = http.get("/lab").text
        off = re.search(r'"disabledExtensions": (\[.*?\])', menus)
        assert off is not None
        assert {name.partition(":")[2] for name in json.loads(off[1])} == {
            "course-list",
            "create-assignment",
            "formgrader",
        }
        output = container.does("sh", "-c", f"cd {MODULE} && python -c '{WARM_UPS}'")
    warm_ups = [cell for cell in released(release).cells if "warmup" in cell.metadata.get("tags", [])]
    assert len(warm_ups) > 2
    assert output.split("\n")[:-1] == [f"{cell.id} ran" for cell in warm_ups]


def released(release: Path) -> nbformat.NotebookNode:
    return nbformat.read(release / "quantization.ipynb", as_version=4)
