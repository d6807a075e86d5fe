"""The filter of system calls, run instruction by instruction as the kernel would, for both kinds of machine."""

from __future__ import annotations

import pytest

from tito.sandbox.inside import seccomp

ALLOWED, REFUSED, DONE = "allowed", "refused", "answered as done"
CALLS = seccomp.REFUSED | seccomp.REFUSED_IF_SHARED | seccomp.ANSWERED_IF_OWNER
CALLS |= {"read": (0, 63), "openat": (257, 56), "execve": (59, 221), "kill": (62, 129), "tgkill": (234, 131)}
CALLS |= {"clone": (56, 220), "clone3": (435, 435), "socketpair": seccomp.SOCKETPAIR, "ftruncate": (77, 46)}
CALLS |= {name: rule[:2] for name, rule in seccomp.ON_ITSELF.items()}
MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
NEW_USER, NEW_NET = 0x10000000, 0x40000000


@pytest.fixture(params=MACHINES)
def machine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A kind of machine."""
    monkeypatch.setattr("platform.machine", lambda: request.param)
    return str(request.param)


def verdict(machine: str, call: str, *arguments: int, shared: bool = False, owner: bool = False) -> str:
    """What becomes of a system call."""
    number = CALLS[call][list(MACHINES).index(machine)]
    return RESULTS[run(seccomp.program(shared=shared, owner=owner), number, MACHINES[machine], arguments)]


RESULTS = {0x7FFF0000: ALLOWED, 0x00050001: REFUSED, 0x00050000: DONE, 0x00050026: "no such call", 0x80000000: "killed"}


def run(program: list[seccomp.Instruction], number: int, arch: int, arguments: tuple[int, ...] = ()) -> int:
    """The value that the filter returns."""
    at, value = 0, 0
    words = {0: number, 4: arch} | {
        16 + 8 * n: argument & 0xFFFFFFFF for n, argument in enumerate((*arguments, *[0] * 6)[:6])
    }
    while True:
        code, if_true, if_false, operand = program[at]
        at += 1
        if code == 0x06:
            return operand
        if code == 0x20:
            value = words[operand]
        elif code == 0x54:
            value &= operand
        else:
            holds = {0x15: value == operand, 0x35: value >= operand, 0x45: bool(value & operand)}[code]
            at += if_true if holds else if_false


@pytest.mark.parametrize("shared", [False, True])
def test_what_notebooks_need_is_allowed(machine: str, shared: bool) -> None:
    for call in ("read", "openat", "execve", "kill", "tgkill", "clone", "ftruncate"):
        assert verdict(machine, call, shared=shared, owner=shared) == ALLOWED


@pytest.mark.parametrize("call", seccomp.REFUSED)
def test_what_no_session_needs_is_refused_to_all(machine: str, call: str) -> None:
    assert verdict(machine, call) == REFUSED
    assert verdict(machine, call, shared=True, owner=True) == REFUSED


def test_namespaces_and_unknown_machines_are_refused(machine: str) -> None:
    assert verdict(machine, "clone", NEW_USER | 17) == REFUSED
    assert verdict(machine, "clone", NEW_NET | 17) == ALLOWED, "which the kernel refuses without capabilities"
    assert verdict(machine, "clone3") == "no such call"
    assert RESULTS[run(seccomp.program(), 0, 0x40000003)] == "killed"


@pytest.mark.parametrize("call", seccomp.REFUSED_IF_SHARED)
def test_what_reaches_out_is_refused_to_those_who_share_the_machine(machine: str, call: str) -> None:
    if CALLS[call][list(MACHINES).index(machine)] != seccomp.NONE:
        assert verdict(machine, call) == ALLOWED
        assert verdict(machine, call, shared=True) == REFUSED


@pytest.mark.parametrize("call", seccomp.ANSWERED_IF_OWNER)
def test_what_changes_files_that_one_owns_is_not_done_for_their_owner(machine: str, call: str) -> None:
    if CALLS[call][list(MACHINES).index(machine)] != seccomp.NONE:
        assert verdict(machine, call, shared=True) == ALLOWED
        assert verdict(machine, call, shared=True, owner=True) == DONE


@pytest.mark.parametrize("call", seccomp.ON_ITSELF)
def test_limits_and_priorities_are_ones_own(machine: str, call: str) -> None:
    assert verdict(machine, call, 0, 0, 5, shared=True) == ALLOWED
    assert verdict(machine, call, 0x1_0000_0000, 0, shared=True) == ALLOWED, "the kernel looks at the lower half"
    assert verdict(machine, call, 4321, 0, shared=True) == REFUSED
    assert verdict(machine, call, -1, 0, shared=True) == REFUSED
    assert verdict(machine, call, 4321, 0) == REFUSED


def test_a_priority_of_all_of_a_user_is_no_business_of_a_session(machine: str) -> None:
    assert verdict(machine, "setpriority", 2, 0, 19, shared=True) == REFUSED
    assert verdict(machine, "setpriority", 0, 77, 19, shared=True) == REFUSED


@pytest.mark.parametrize(
    ("family", "kind", "expected"),
    [(1, 1, ALLOWED), (1, 5, ALLOWED), (1, 1 | 0o2004000, ALLOWED), (1, 2, REFUSED), (1, 3, REFUSED), (2, 1, REFUSED),
     (1, 2 | 0o4000, REFUSED)],
)  # fmt: skip
def test_pairs_of_sockets_are_such_as_stay_connected(machine: str, family: int, kind: int, expected: str) -> None:
    assert verdict(machine, "socketpair", family, kind, shared=True) == expected
    assert verdict(machine, "socketpair", family, kind) == ALLOWED


def test_other_machines_have_no_filter_and_so_no_landlock_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert seccomp.program(shared=True) == []
    assert not seccomp.available()
