"""A machine on which no namespaces can be made, as inside an unprivileged container: what is refused, said and offered.

The commands run under a filter of system calls like that of a container, so that bubblewrap fails as it does there.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tiny import solved, submit

from tito.course.course import Course
from tito.sandbox.obstacles import obstacles

FILTERED = (sys.executable, str(Path(__file__).with_name("filtered.py")))
TITO = str(Path(sys.executable).with_name("tito"))


def tito(course: Course, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command where no namespaces can be made."""
    argv = [*FILTERED, TITO, *arguments]
    return subprocess.run(argv, cwd=course.root, capture_output=True, text=True, check=False, timeout=300)


def test_grading_refuses_and_names_what_would_work(released: Course) -> None:
    submit(released, "ada", solved(released))
    done = tito(released, "autograde", "7")
    assert done.returncode == 3
    (line,) = done.stderr.strip().splitlines()
    assert "bubblewrap cannot isolate" in line
    assert "'--sandbox landlock' works here; it protects less" in line
    assert "tito doctor" in line
    assert not any(released.gradebook_dir.glob("verdicts/**/*.json"))


def test_grading_goes_on_with_landlock_and_the_record_says_so(released: Course) -> None:
    submit(released, "ada", solved(released))
    done = tito(released, "autograde", "7", "--sandbox", "landlock", "--json")
    (record,) = json.loads(done.stdout)
    assert (done.returncode, record["sandbox"]) == (0, "landlock"), done.stderr
    assert {cell["verdict"] for cell in record["notebooks"][0]["cells"]} == {"passed", "manual"}


def test_the_settings_of_a_course_may_choose_landlock(released: Course) -> None:
    settings = released.root / "course.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("[sandbox]", '[sandbox]\nbackend = "landlock"'), encoding="utf-8")
    checks = {check["name"]: check for check in json.loads(tito(released, "doctor", "--json").stdout)}
    assert checks["sandbox"]["ok"]
    assert "no disk quota" in checks["sandbox"]["detail"]
    assert "not used here" in checks["sandbox bubblewrap"]["detail"]


def test_doctor_says_why_and_what_to_do(released: Course) -> None:
    done = tito(released, "doctor")
    assert done.returncode == 1
    line = next(line for line in done.stdout.splitlines() if " sandbox: " in line)
    assert line.startswith("MISSING")
    assert "System calls are filtered (seccomp)" in line
    assert "--security-opt seccomp=" in line
    assert "'--sandbox landlock' (works here" in line
    assert "'--sandbox none' (no protection)" in line
    assert any("sandbox landlock: landlock isolates" in line for line in done.stdout.splitlines())


@pytest.mark.parametrize(
    ("setting", "value", "cause"),
    [
        ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone is 0"),
        ("user/max_user_namespaces", "0", "user.max_user_namespaces is 0"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "AppArmor"),
        ("kernel/unprivileged_userns_clone", "1", "Not permitted"),
    ],
)
def test_the_setting_that_forbids_namespaces_is_named(
    setting: str, value: str, cause: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tito.sandbox.obstacles._refused", lambda: 1)
    monkeypatch.setattr("os.strerror", lambda error: "Not permitted")
    (tmp_path / setting).parent.mkdir(parents=True)
    (tmp_path / setting).write_text(f"{value}\n")
    (obstacle,) = obstacles(tmp_path, tmp_path / "status")
    assert cause in obstacle.cause
    assert obstacle.remedy


def test_where_namespaces_can_be_made_nothing_is_in_the_way() -> None:
    assert obstacles() == []
