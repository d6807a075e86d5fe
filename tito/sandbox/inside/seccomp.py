"""System calls that no notebook needs, refused to every process of a session: other processes' memory, keyrings,
mounts, namespaces, kernel modules, and memory that no limit counts: that of System V and of message queues is no
process's. Nor can a process hide from the grader what it holds. What is refused fails with EPERM, as for lack of
privilege. A filter in the kernel's classic BPF, for x86-64 and AArch64; on other machines there is none.

A session without namespaces of its own shares the machine's network, message queues and processes: of these it is
refused what Landlock does not watch. Where it shares the grader's user too, whatever changes a file's mode, owner,
times or attributes is answered as done and is not done: a filter cannot see whose file it is, and `shutil.copy` asks.
"""

from __future__ import annotations

import platform
from functools import cache

from tito.sandbox.inside import kernel
from tito.sandbox.inside.kernel import CLONE_NEWUSER, PR_SET_DUMPABLE

# name: (x86-64, AArch64), from the kernel's syscall_64.tbl and asm-generic/unistd.h
REFUSED = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "fsmount": (432, 432), "mount_setattr": (442, 442),
    "unshare": (272, 97), "setns": (308, 268), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "memfd_create": (319, 279), "memfd_secret": (447, 447),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104), "kexec_file_load": (320, 294),
    "personality": (135, 92), "quotactl": (179, 60), "acct": (163, 89), "swapon": (167, 224), "reboot": (169, 142),
    "syslog": (103, 116),
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "semget": (64, 190),
    "semop": (65, 193), "semtimedop": (220, 192), "semctl": (66, 191), "msgget": (68, 186), "msgsnd": (69, 189),
    "msgrcv": (70, 188), "msgctl": (71, 187), "mq_open": (240, 180), "mq_unlink": (241, 181),
    "mq_timedsend": (242, 182), "mq_timedreceive": (243, 183), "mq_notify": (244, 184), "mq_getsetattr": (245, 185),
}  # fmt: skip
NONE = -1  # no such call on this machine
# Refused to sessions that share the machine's namespaces. Of sockets only connected pairs are left, as asyncio uses.
REFUSED_IF_SHARED = {
    "socket": (41, 198), "connect": (42, 203), "bind": (49, 200), "listen": (50, 201), "accept": (43, 202),
    "accept4": (288, 242),
    "inotify_init": (253, NONE), "inotify_init1": (294, 26), "fanotify_init": (300, 262), "ioprio_set": (251, 30),
    "migrate_pages": (256, 238), "move_pages": (279, 239), "process_madvise": (440, 440), "truncate": (76, 45),
}  # fmt: skip
# Allowed on the caller itself, where these arguments are 0, and refused on any other process: it may be the warden, or
# a copy of the notebook that waits.
ON_ITSELF = {
    "prlimit64": (302, 261, 0), "sched_setaffinity": (203, 122, 0), "sched_setattr": (314, 274, 0),
    "sched_setscheduler": (144, 119, 0), "sched_setparam": (142, 118, 0), "setpriority": (141, 140, 0, 1),
}  # fmt: skip
PRCTL = (157, 167)
SOCKETPAIR, AF_UNIX, SOCK_STREAM, SOCK_SEQPACKET, SOCK_TYPES = (53, 199), 1, 1, 5, 0xF
ANSWERED_IF_OWNER = {
    "chmod": (90, NONE), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, NONE),
    "fchown": (93, 55), "lchown": (94, NONE), "fchownat": (260, 54), "utime": (132, NONE), "utimes": (235, NONE),
    "futimesat": (261, NONE), "utimensat": (280, 88), "setxattr": (188, 5), "lsetxattr": (189, 6),
    "fsetxattr": (190, 7), "setxattrat": (463, 463), "removexattr": (197, 14), "lremovexattr": (198, 15),
    "fremovexattr": (199, 16), "removexattrat": (466, 466), "file_setattr": (469, 469),
}  # fmt: skip
MACHINES = {"x86_64": (0, 0xC000003E, 56), "aarch64": (1, 0xC00000B7, 220)}  # column, AUDIT_ARCH_*, clone
CLONE3, X32 = 435, 0x40000000
LOAD, EQUAL, GREATER_OR_EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # BPF_LD|W|ABS, BPF_JMP|…|K, BPF_RET|K
AND = 0x54  # BPF_ALU|AND|K
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
NUMBER_AT, ARCH_AT, FIRST_ARGUMENT_AT, ARGUMENT_SIZE = 0, 4, 16, 8  # in struct seccomp_data
EPERM, ENOSYS = 1, 38


Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand


def program(*, shared: bool = False, owner: bool = False) -> list[Instruction]:
    """The filter's instructions; empty for other machines.

    Args:
        shared: the session has no namespaces of its own.
        owner: the session's user owns files outside of it.
    """
    if platform.machine() not in MACHINES:
        return []
    column, arch, clone = MACHINES[platform.machine()]
    code = [(LOAD, 0, 0, ARCH_AT), (EQUAL, 1, 0, arch), (RETURN, 0, 0, KILL), (LOAD, 0, 0, NUMBER_AT)]
    # glibc falls back from clone3, whose flags a filter cannot see, to clone, whose flags it can.
    code += [(EQUAL, 0, 1, CLONE3), (RETURN, 0, 0, ERRNO | ENOSYS), (GREATER_OR_EQUAL, 0, 1, X32), _refuse()]
    for numbers in (REFUSED | (REFUSED_IF_SHARED if shared else {})).values():
        code += _when(numbers[column], [_refuse()])
    for numbers in (ANSWERED_IF_OWNER if owner else {}).values():
        code += _when(numbers[column], [(RETURN, 0, 0, ERRNO)])  # error 0: done
    for rule in ON_ITSELF.values():
        code += _when(
            rule[column], [instruction for at in rule[2:] for instruction in (_load(at), (EQUAL, 1, 0, 0), _refuse())]
        )
    if shared:
        code += _when(SOCKETPAIR[column], _connected_for_good())
    code += _when(PRCTL[column], [_load(0), (EQUAL, 0, 1, PR_SET_DUMPABLE), _refuse()])
    code += _when(clone, [_load(0), (ANY_BIT, 0, 1, CLONE_NEWUSER), _refuse()])
    return [*code, (RETURN, 0, 0, ALLOW)]


def _when(number: int, block: list[Instruction]) -> list[Instruction]:
    """Run `block` for the system call of that number, and allow it if the block does not refuse it."""
    if number == NONE:
        return []
    if len(block) > 1:
        block = [*block, (RETURN, 0, 0, ALLOW)]
    return [(EQUAL, 0, len(block), number), *block]


def _connected_for_good() -> list[Instruction]:
    """A pair of sockets whose ends cannot be pointed elsewhere, as those of a pair of datagram sockets can."""
    family = [_load(0), (EQUAL, 1, 0, AF_UNIX), _refuse()]
    return [
        *family,
        _load(1),
        (AND, 0, 0, SOCK_TYPES),
        (EQUAL, 2, 0, SOCK_STREAM),
        (EQUAL, 1, 0, SOCK_SEQPACKET),
        _refuse(),
    ]


def _load(argument: int) -> Instruction:
    """The lower half of an argument: all that the kernel looks at, of the arguments that are looked at here."""
    return (LOAD, 0, 0, FIRST_ARGUMENT_AT + ARGUMENT_SIZE * argument)


def _refuse() -> Instruction:
    return (RETURN, 0, 0, ERRNO | EPERM)


def available() -> bool:
    """Whether this machine can be given a filter: one that we know, whose kernel takes filters."""
    return bool(program()) and kernel.takes_filters()


@cache
def packed(*, shared: bool = False, owner: bool = False) -> kernel.SystemCallFilter | None:
    """The program as the kernel wants it; made once, before the fork. None: there is none."""
    instructions = program(shared=shared, owner=owner)
    return kernel.SystemCallFilter(instructions) if instructions else None


def install(*, shared: bool = False, owner: bool = False) -> None:
    """Put the filter on this process and all that it starts. The process must have set no-new-privileges.

    The arguments are those of `program`.

    Raises:
        OSError: the kernel refuses the filter.
    """
    if (system_call_filter := packed(shared=shared, owner=owner)) is not None:
        system_call_filter.install()
