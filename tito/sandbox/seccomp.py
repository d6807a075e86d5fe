"""System calls that no notebook needs, refused to every process of a session: other processes' memory, keyrings,
mounts, namespaces, kernel modules, and memory that no limit counts. What is refused fails with EPERM, as for lack of
privilege. A filter in the kernel's classic BPF, for x86-64 and AArch64; on other machines there is none.
"""

from __future__ import annotations

import ctypes
import platform
import struct

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
}  # fmt: skip
MACHINES = {"x86_64": (0, 0xC000003E, 56), "aarch64": (1, 0xC00000B7, 220)}  # column, AUDIT_ARCH_*, clone
CLONE3, CLONE_NEWUSER, X32 = 435, 0x10000000, 0x40000000
LOAD, EQUAL, GREATER_OR_EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # BPF_LD|W|ABS, BPF_JMP|…|K, BPF_RET|K
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
NUMBER_AT, ARCH_AT, FIRST_ARGUMENT_AT = 0, 4, 16  # in struct seccomp_data
EPERM, ENOSYS = 1, 38
PR_SET_SECCOMP, FILTER = 22, 2


def program() -> list[tuple[int, int, int, int]]:
    """The filter's instructions (code, jump if true, jump if false, operand); empty for other machines."""
    if platform.machine() not in MACHINES:
        return []
    column, arch, clone = MACHINES[platform.machine()]
    head = [(LOAD, 0, 0, ARCH_AT), (EQUAL, 1, 0, arch), (RETURN, 0, 0, KILL), (LOAD, 0, 0, NUMBER_AT)]
    # glibc falls back from clone3, whose flags a filter cannot see, to clone, whose flags it can.
    head += [(EQUAL, 0, 1, CLONE3), (RETURN, 0, 0, ERRNO | ENOSYS), (GREATER_OR_EQUAL, 0, 1, X32), _refuse()]
    for numbers in REFUSED.values():
        head += [(EQUAL, 0, 1, numbers[column]), _refuse()]
    head += [(EQUAL, 0, 3, clone), (LOAD, 0, 0, FIRST_ARGUMENT_AT), (ANY_BIT, 0, 1, CLONE_NEWUSER), _refuse()]
    return [*head, (RETURN, 0, 0, ALLOW)]


def _refuse() -> tuple[int, int, int, int]:
    return (RETURN, 0, 0, ERRNO | EPERM)


def install() -> None:
    """Put the filter on this process and all that it starts. The process must have set no-new-privileges.

    Raises:
        OSError: the kernel refuses the filter.
    """
    instructions = program()
    if not instructions:
        return
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *one) for one in instructions))
    header = struct.pack("@HP", len(instructions), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_SECCOMP, FILTER, ctypes.create_string_buffer(header), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the kernel refuses the system call filter")
