"""Plain nbgrader on our results, and beside us on the same submissions: the same points for honest work."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from demo_course import Demo
from nbgrader_forks import nbgrader_forks
from ports import free_port

from tito.author.release import build_release
from tito.author.variants import read_variants, submission
from tito.cli.demo import plain_nbgrader_scores
from tito.course.course import load_course
from tito.course.script import source_notebooks
from tito.gradebook.records import read_record, record_path

DISHONEST = ("hostile", "endless")  # the endless loop stops nbgrader's whole run


def environment(home: Path) -> dict[str, str]:
    scripts = str(Path(sys.executable).parent)
    return os.environ | {"PATH": f"{scripts}:{os.environ['PATH']}", "HOME": str(home), "JUPYTER_PREFER_ENV_PATH": "1"}


def test_plain_nbgrader_gives_every_honest_submission_the_same_points(demo: Demo, tmp_path: Path) -> None:
    """Every honest student of the demo by both graders; the notebook is the one handed in."""
    source = source_notebooks(demo.course, demo.assignment)["quantization"]
    released = nbformat.read(build_release(demo.course, demo.assignment, tmp_path) / "quantization.ipynb", as_version=4)
    ours = {}
    for path in demo.course.step("submitted").glob("*/16_quantization/quantization.ipynb"):
        record = read_record(demo.course, "16_quantization", path.parts[-3])
        assert record is not None
        ours[path.read_bytes()] = (path.parts[-3], sum(cell.points or 0 for cell in record.cells))
    compared = {}
    for variant in read_variants(demo.course, demo.assignment):
        handed_in = nbformat.writes(submission(variant, source, released)).encode() + b"\n"
        if variant.kind not in DISHONEST and handed_in in ours:
            student, points = ours[handed_in]
            compared[student] = points
    assert len(compared) == 10
    assert plain_nbgrader_scores(demo.course, demo.assignment, tuple(compared)) == compared


def test_nbgraders_autograde_is_ours_and_gives_the_same_verdicts(demo: Demo, tmp_path: Path) -> None:
    """`nbgrader autograde`, on all submissions, the hostile and the endless one too, with a gradebook of its own."""
    course = tmp_path / "course"
    ignored = shutil.ignore_patterns("autograded", "feedback", "verdicts", "homes", "*.csv")
    shutil.copytree(demo.course.root, course, ignore=ignored)
    done = nbgrader_forks()(course, environment(tmp_path), "autograde", "16_quantization", "--force")
    assert done.code == 0, done.err
    again = load_course(course)
    for folder in sorted(demo.course.step("submitted").iterdir()):
        ours = read_record(demo.course, "16_quantization", folder.name)
        theirs = read_record(again, "16_quantization", folder.name)
        assert ours is not None
        assert theirs is not None
        assert [(cell.grade_id, cell.verdict) for cell in theirs.cells] == [
            (cell.grade_id, cell.verdict) for cell in ours.cells
        ]
        assert (course / "autograded" / folder.name / "16_quantization" / "quantization.ipynb").is_file()


def test_nbgrader_exports_and_writes_feedback_from_our_gradebook(demo: Demo, tmp_path: Path) -> None:
    course = tmp_path / "course"
    shutil.copytree(demo.course.root, course)
    for command in (
        ["export", "--to", "grades.csv"],
        ["generate_feedback", "16_quantization", "--force", "--student=ada"],
    ):
        done = nbgrader_forks()(course, environment(tmp_path), *command)
        assert done.code == 0, done.err
    exported = pd.read_csv(course / "grades.csv").set_index("student_id")
    ours = pd.read_csv(demo.course.gradebook_dir / "exports" / "16_quantization.csv").set_index("student_id")
    assert exported["raw_score"].to_dict() == ours["raw_score"].astype(float).to_dict()
    page = (course / "feedback" / "ada" / "16_quantization" / "quantization.html").read_text(encoding="utf-8")
    assert "BEGIN HIDDEN" not in page
    assert "Grade cell" in page


@pytest.fixture(scope="module")
def formgrader(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Jupyter server with nbgrader's formgrader on the demo course; gives its base URL."""
    home = tmp_path_factory.mktemp("home")
    port = free_port()
    config = home / "jupyter_server_config.json"
    extensions = {"nbgrader.server_extensions.formgrader": True}
    config.write_text(json.dumps({"ServerApp": {"jpserver_extensions": extensions}}), encoding="utf-8")
    command = [sys.executable, "-m", "jupyter_server", "--allow-root", "--no-browser", "--ip=127.0.0.1"]
    command += [
        f"--port={port}",
        f"--config={config}",
        "--IdentityProvider.token=",
        "--ServerApp.disable_check_xsrf=True",
        f"--ServerApp.root_dir={demo.course.root}",
    ]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=demo.course.root, env=environment(home), stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            _await(url, server, home / "log")
            yield url
        finally:
            server.terminate()
            server.wait()


def _await(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        assert server.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(f"{url}/api", timeout=2).close()
        except OSError:
            time.sleep(0.25)
        else:
            return
    raise AssertionError(log.read_text())


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return str(answer.read().decode())


def test_formgrader_shows_our_scores_and_the_graded_notebook(demo: Demo, formgrader: str) -> None:
    rows = json.loads(fetch(f"{formgrader}/formgrader/api/submissions/16_quantization"))
    scores = {row["student"]: row["score"] for row in rows if row["autograded"]}
    ours = pd.read_csv(demo.course.gradebook_dir / "exports" / "16_quantization.csv").set_index("student_id")
    assert scores == ours["raw_score"].astype(float).to_dict()
    notebooks = json.loads(fetch(f"{formgrader}/formgrader/api/submitted_notebooks/16_quantization/quantization"))
    failing = next(notebook for notebook in notebooks if notebook["student"] == "ada")
    page = fetch(f"{formgrader}/formgrader/submissions/{failing['id']}/")
    assert "FAILED" in page
    assert "MARK SCHEME" in page  # the TA sees how to grade the written questions


def test_formgrader_at_home_runs_no_script_of_a_submission(demo: Demo, formgrader: str) -> None:
    notebooks = json.loads(fetch(f"{formgrader}/formgrader/api/submitted_notebooks/16_quantization/quantization"))
    submitted = next(notebook for notebook in notebooks if notebook["student"] == "mary")
    path = demo.course.step("autograded", "mary", "16_quantization", "quantization.ipynb")
    before = path.read_text(encoding="utf-8")
    notebook = json.loads(before)
    attack = "<script>owned()</script><img src=x onerror='owned()'>"
    picture = {"output_type": "display_data", "data": {"image/png": "AAAA"}, "metadata": {"width": "1 onerror=owned()"}}
    code = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    code["outputs"] = [picture, picture | {"data": {"text/html": attack}}]
    notebook["cells"].append({"cell_type": "markdown", "id": "answer", "metadata": {}, "source": attack})
    path.write_text(json.dumps(notebook), encoding="utf-8")
    try:
        page = fetch(f"{formgrader}/formgrader/submissions/{submitted['id']}/")
    finally:
        path.write_text(before, encoding="utf-8")
    soup = BeautifulSoup(page, "html.parser")
    assert "owned()" in soup.get_text()  # it is shown, as text
    assert not [script for script in soup.find_all("script") if "owned" in str(script)]
    assert not soup.find_all(lambda tag: any("owned" in str(value) for value in tag.attrs.values()))
    assert "window.MathJax" in page  # which formgrader's scripts wait for


def test_formgraders_button_is_ours_too(demo: Demo, formgrader: str) -> None:
    """Pressed twice: the second time a worker is there already, and it grades again."""
    records = [read_record(demo.course, "16_quantization", "mary")]
    path = record_path(demo.course, "16_quantization", "mary")
    written = [path.stat().st_mtime_ns]
    for _ in range(2):
        url = f"{formgrader}/formgrader/api/submission/16_quantization/mary/autograde"
        with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=120) as answer:
            result = json.loads(answer.read())
        assert result["success"], result
        records.append(read_record(demo.course, "16_quantization", "mary"))
        written.append(path.stat().st_mtime_ns)
    assert len(set(written)) == 3
    graded = {tuple((cell.verdict, cell.points) for cell in record.cells) for record in records if record is not None}
    assert len(graded) == 1
