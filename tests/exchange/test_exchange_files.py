"""Which files beside a notebook a course asks for: the exchange tells the worker that runs prechecks."""

from __future__ import annotations

import json
from pathlib import Path

from exchange_support import ACCESS, ASSIGNMENT, COURSE, LOGIN, FakeHub, released, service, uploads

from tito.course.settings import FileSettings
from tito.exchange.protocol.records import Policy, PrecheckPolicy
from tito.precheck.release import plan_release

WANTED = FileSettings(("*.csv",), {ASSIGNMENT: ("helper.py",), "ps2": ("*.txt",)}, most=3, size_mb=1, total_mb=2)


def test_a_precheck_takes_the_files_that_grading_takes(tmp_path: Path) -> None:
    hub = FakeHub()
    hub.add_service("precheck-worker", [ACCESS])
    services = {"precheck-worker": [f"precheck-{COURSE}"]}
    with service(tmp_path / "exchange", hub, services=services, login=LOGIN) as running:
        released(running)
        policy = Policy(precheck=PrecheckPolicy(per_hour=5, packages=("numpy",), files=WANTED))
        teacher = running.client("teacher")
        assert teacher.set_policy(COURSE, policy).policy == policy == teacher.policy(COURSE).policy
        running.client("ada").submit(COURSE, ASSIGNMENT, uploads())
        claim = running.client("precheck-worker").claim_precheck(COURSE, 0.0)
    assert claim is not None
    assert claim.files == WANTED
    (tmp_path / "release").mkdir()
    (tmp_path / "release" / "p1.ipynb").write_text(
        json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    )
    rule = plan_release(claim, tmp_path / "release").handed_in
    assert (rule.wanted, rule.limits) == (("*.csv", "helper.py"), (3, 1 << 20, 2 << 20))
