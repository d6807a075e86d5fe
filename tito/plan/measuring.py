"""Whether what a plan wants measured can be measured: asked before any student code runs."""

from __future__ import annotations

from tito.errors import SandboxUnavailable
from tito.plan.plan import AssignmentPlan
from tito.sandbox.metering import obstacle


def require_measuring(plan: AssignmentPlan, sandbox: str) -> None:
    """Refuse where a test wants to be measured from outside and cannot be.

    Raises:
        SandboxUnavailable: naming the test.
    """
    tests = [test for notebook in plan.notebooks for test in notebook.tests.values()]
    wanting = [test.grade_id for test in tests if any(section.is_measured for section, _ in test.sections)]
    reason = obstacle(sandbox) if wanting else ""
    if reason:
        raise SandboxUnavailable(
            f"Test '{wanting[0]}' is measured from outside of the notebook, which cannot be done in the sandbox "
            f"'{sandbox}': {reason}.",
            hint="Use '--sandbox bubblewrap' or '--sandbox landlock'; 'tito doctor' says what works here.",
        )
