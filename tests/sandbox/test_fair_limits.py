"""Limits that honest code does not meet, whoever the grader is: threads, arrays, a name, and a /proc of one's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from remote import Remote

from tito.sandbox.inside.step_status import StepStatus

WAITING = """
import threading
enough = threading.Event()
waiting = [threading.Thread(target=enough.wait) for _ in range({})]
for thread in waiting: thread.start()
"""
MAPS = "print(any('.so' in line for line in open('/proc/self/maps')))"
OTHERS = "import os\nprint({int(name) for name in os.listdir('/proc') if name.isdigit()} <= {1, os.getpid()})"


@pytest.fixture(
    scope="module",
    params=[("bubblewrap", "root"), ("bubblewrap", "nobody"), ("landlock", "root")],
    ids=lambda param: "-".join(param),
)
def grader(request: pytest.FixtureRequest) -> Iterator[Remote]:
    sandbox, user = request.param
    with Remote(user, {}, sandbox=sandbox, limits={"processes": 160}) as remote:
        remote.open()
        yield remote


def test_a_hundred_threads_wait_at_once(grader: Remote) -> None:
    assert grader.run(WAITING.format(100) + "print(threading.active_count()); enough.set()").text == "101\n"


def test_arrays_may_take_three_quarters_of_the_memory_while_threads_wait(grader: Remote) -> None:
    """Sixteen threads reserve more address space than that."""
    held = "import numpy as np\nheld = [np.ones(1 << 20) for _ in range(95)]\ndel held\nenough.set()"
    assert grader.run(WAITING.format(16) + held, limit_s=20).status is StepStatus.OK


def test_what_is_too_much_is_an_error_that_the_notebook_outlives(grader: Remote) -> None:
    ran = grader.run("held = []\nwhile True: held.append(bytearray(b'x') * (16 << 20))", limit_s=20)
    assert (ran.status, ran.ename) == (StepStatus.ERROR, "MemoryError")
    assert grader.run("del held").status is StepStatus.OK


def test_the_student_has_a_name(grader: Remote) -> None:
    assert grader.run("import getpass\nprint(getpass.getuser())").text == "student\n"


# Nobody is a root in disguise here, for whom bubblewrap covers parts of /proc, and nobody may undo it: of a grader who
# is another user in truth it covers none.
@pytest.mark.parametrize("grader", [("bubblewrap", "root")], indirect=True, ids="-".join)
def test_a_session_sees_its_own_processes_in_proc_and_no_others(grader: Remote) -> None:
    assert grader.run(MAPS).text == grader.run(OTHERS).text == "True\n"
    assert grader.run("open('/proc/self/mem', 'r+b')").ename == "OSError"
