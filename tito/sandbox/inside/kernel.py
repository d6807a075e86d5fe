"""Every call to the C library, once: what Python's own modules have no function for. Nothing else imports ctypes.

Each function makes one call, with the constants that it needs beside it, and raises an OSError that names the call.
The functions of the C library are looked up when this is imported: a process that is forked later looks up nothing.

    privileges   die_with_parent, no_new_privileges, become, drop_capabilities, …
    namespaces   fork_into_namespaces, unshare, mount, unmount
    fences       landlock_*, SystemCallFilter
    processes    ptrace_*, peek, poke, have_same_memory, signal_descriptor
    memory       Buffer, collapse, make_private, next_shared_mapping
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import signal
import struct
import sys
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

MACHINE = os.uname().machine
_INT, _LONG, _ULONG, _SIZE, _TEXT = ctypes.c_int, ctypes.c_long, ctypes.c_ulong, ctypes.c_size_t, ctypes.c_char_p
_libc = ctypes.CDLL(None, use_errno=True)


def _function(name: str, *parameters: Any, returns: Any = _INT, call: str = "") -> Callable[..., int]:
    """A function of the C library that raises what it fails with, under its name or that of the `call` it makes."""
    function = _libc[name]
    function.argtypes, function.restype = parameters, returns
    named = call or name

    def checked(result: int, _: object, __: object) -> int:
        if result == -1:
            error = ctypes.get_errno()
            raise OSError(error, f"{named}: {os.strerror(error)}")
        return result

    function.errcheck = checked  # type: ignore[assignment]
    return function


def _system_call(name: str, numbers: dict[str, int] | int, *parameters: Any) -> Callable[..., int]:
    """A system call that the C library has no function for, by its number on each machine, or on all of them."""
    number = numbers if isinstance(numbers, int) else numbers.get(MACHINE)
    function = _function("syscall", _LONG, *parameters, returns=_LONG, call=name)

    def numbered(*arguments: object) -> int:
        if number is None:
            raise OSError(errno.ENOSYS, f"{name}: {os.strerror(errno.ENOSYS)}")
        return function(number, *arguments)

    return numbered


# ---- privileges ------------------------------------------------------------------------------------

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_SET_SECCOMP = 1, 4, 8, 22
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 36, 38, 47, 2
CAPABILITY_VERSION = 0x20080522
CAP_DAC_READ_SEARCH = 2
KEYCTL_JOIN_SESSION_KEYRING = 1

_prctl = _function("prctl", _INT, _ULONG, _ULONG, _ULONG, _ULONG)
_capset = _function("capset", _TEXT, _TEXT)
_keyctl = _system_call("keyctl", {"x86_64": 250, "aarch64": 219}, _LONG, _TEXT)


def die_with_parent(number: int = signal.SIGKILL) -> None:
    """Have this process sent a signal when the thread that forked it ends. Becoming another user takes it back."""
    _prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


def set_dumpable(dumpable: bool) -> None:
    """Whether other processes of the same user may look into this one, and /proc/self is its own to write to."""
    _prctl(PR_SET_DUMPABLE, int(dumpable), 0, 0, 0)


def become_subreaper() -> None:
    """Become the parent of descendants whose own parents end."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def no_new_privileges() -> None:
    """No program that this process or its children load gains rights by its file."""
    _prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def become(uid: int, capabilities: int = 0) -> None:
    """Become a user of no rights for good, but for capabilities, as a bit mask."""
    _prctl(PR_SET_KEEPCAPS, int(bool(capabilities)), 0, 0, 0)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    drop_capabilities(capabilities)


def drop_capabilities(but: int = 0) -> None:
    """Give up all capabilities but those in a bit mask."""
    _capset(struct.pack("=Ii", CAPABILITY_VERSION, 0), struct.pack("=6I", but, but, but, 0, 0, 0))


def raise_ambient(capability: int) -> None:
    """Let programs that this process starts have one of its capabilities."""
    _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0)


def join_new_keyring() -> None:
    """Leave the session keyring that was inherited for one of this process's own."""
    _keyctl(KEYCTL_JOIN_SESSION_KEYRING, None)


# ---- namespaces ------------------------------------------------------------------------------------

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND = 1, 2, 4, 8, 4096
MNT_DETACH = 2

_clone = _system_call("clone", {"x86_64": 56, "aarch64": 220}, *[_ULONG] * 5)
_unshare = _function("unshare", _INT)
_mount = _function("mount", _TEXT, _TEXT, _TEXT, _ULONG, _TEXT)
_umount2 = _function("umount2", _TEXT, _INT)


def fork_into_namespaces(flags: int) -> int:
    """Fork a process that is the first in new namespaces (CLONE_NEW…); 0 in that process, in the parent its number.

    `os.fork` and `unshare` would need one more process, which stays outside.
    """
    return _clone(flags | signal.SIGCHLD, 0, 0, 0, 0)


def unshare(flags: int) -> None:
    """Move this process into new namespaces (CLONE_NEW…). In `os` since Python 3.12."""
    _unshare(flags)


def mount(kind: str, folder: str, flags: int, options: bytes | None = None) -> None:
    """Mount a file system that needs no device, of which its kind is the name of the source as well."""
    _mount(kind.encode(), folder.encode(), kind.encode(), flags, options)


def bind(source: str, folder: str) -> None:
    """Let what is seen in one folder be seen in another too."""
    _mount(source.encode(), folder.encode(), b"", MS_BIND, None)


def unmount(folder: str) -> None:
    """Take a mount out of the tree at once, though files in it may be open."""
    _umount2(folder.encode(), MNT_DETACH)


# ---- fences ----------------------------------------------------------------------------------------

LANDLOCK_CREATE_RULESET_VERSION, LANDLOCK_RULE_PATH_BENEATH = 1, 1
SECCOMP_MODE_FILTER = 2

_landlock_create_ruleset = _system_call("landlock_create_ruleset", 444, _TEXT, _SIZE, _ULONG)
_landlock_add_rule = _system_call("landlock_add_rule", 445, _LONG, _LONG, _TEXT, _ULONG)
_landlock_restrict_self = _system_call("landlock_restrict_self", 446, _LONG, _ULONG)


def landlock_version() -> int:
    """The kernel's version of Landlock."""
    return _landlock_create_ruleset(None, 0, LANDLOCK_CREATE_RULESET_VERSION)


def landlock_create_ruleset(handled: bytes) -> int:
    """A descriptor of a new ruleset. `handled` is a struct landlock_ruleset_attr."""
    return _landlock_create_ruleset(handled, len(handled), 0)


def landlock_add_rule(ruleset: int, descriptor: int, rights: int) -> None:
    """Allow rights on the file of a descriptor, or on the folder and all below it."""
    _landlock_add_rule(ruleset, LANDLOCK_RULE_PATH_BENEATH, struct.pack("=Qi", rights, descriptor), 0)


def landlock_restrict_self(ruleset: int) -> None:
    """Hold this process and all that it starts to a ruleset."""
    _landlock_restrict_self(ruleset, 0)


class SystemCallFilter:
    """A program of classic BPF that answers for the kernel which system calls are let through.

    Args:
        instructions: code, jump if true, jump if false and operand of each.
    """

    def __init__(self, instructions: Iterable[tuple[int, int, int, int]]) -> None:
        code = [struct.pack("=HBBI", *instruction) for instruction in instructions]
        self._code = Buffer(b"".join(code))
        self._program = Buffer(struct.pack("@HP", len(code), self._code.address))  # struct sock_fprog

    def install(self) -> None:
        """Put it on this process and all that it starts. The process must have set no-new-privileges."""
        _prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, self._program.address, 0, 0)


def takes_filters() -> bool:
    """Whether the kernel knows filters of system calls: then it looks for the program, which is not there."""
    try:
        _prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, 0, 0, 0)
    except OSError as error:
        return error.errno == errno.EFAULT
    return False


# ---- processes -------------------------------------------------------------------------------------

PTRACE_PEEKDATA, PTRACE_POKEDATA, PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 2, 5, 17, 0x4206, 0x4207
KCMP_VM = 1
SIGNAL_SET_BYTES = 128  # glibc's sigset_t

_ptrace = _libc["ptrace"]  # of which -1 may be an answer
_ptrace.argtypes, _ptrace.restype = (_LONG, _LONG, _SIZE, _SIZE), _LONG
_kcmp = _system_call("kcmp", {"x86_64": 312, "aarch64": 272}, *[_ULONG] * 5)
_signalfd = _function("signalfd", _INT, _TEXT, _INT)


def ptrace_seize(pid: int) -> None:
    """Trace a process, which goes on."""
    _traced(PTRACE_SEIZE, pid)


def ptrace_interrupt(pid: int) -> None:
    """Stop a process that is traced; it has stopped when it can be waited for."""
    _traced(PTRACE_INTERRUPT, pid)


def ptrace_detach(pid: int) -> None:
    """Let a process that is traced and has stopped go on, untraced."""
    _traced(PTRACE_DETACH, pid)


def peek(pid: int, address: int) -> int:
    """A word of the memory of a process that is traced and has stopped."""
    return _traced(PTRACE_PEEKDATA, pid, address)


def poke(pid: int, address: int, word: int) -> None:
    """Write a word into the memory of a process that is traced and has stopped."""
    _traced(PTRACE_POKEDATA, pid, address, word)


def _traced(request: int, pid: int, address: int = 0, data: int = 0) -> int:
    ctypes.set_errno(0)
    word = int(_ptrace(request, pid, address, data))
    error = ctypes.get_errno()
    if word == -1 and error:
        raise OSError(error, f"ptrace: {os.strerror(error)}")
    return word


def have_same_memory(first: int, second: int) -> bool:
    """Whether two processes have one address space."""
    return _kcmp(first, second, KCMP_VM, 0, 0) == 0


def signal_descriptor(signals: Iterable[int]) -> int:
    """A descriptor that can be read when one of these signals, which are blocked, has come."""
    mask = sum(1 << (number - 1) for number in signals).to_bytes(8, sys.byteorder)
    return _signalfd(-1, mask.ljust(SIGNAL_SET_BYTES, b"\0"), os.O_CLOEXEC | os.O_NONBLOCK)


# ---- memory ----------------------------------------------------------------------------------------

MADV_COLLAPSE = 25
PROT_READ, PROT_WRITE = 1, 2
MAP_PRIVATE, MAP_FIXED, MAP_ANONYMOUS = 0x02, 0x10, 0x20
PATH_MAX = 4096
PROCMAP_QUERY_BYTES, NAME_AT, VMA_WRITABLE, VMA_SHARED, THIS_OR_NEXT = 104, 80, 2, 8, 16  # since Linux 6.11
PROCMAP_QUERY = 3 << 30 | PROCMAP_QUERY_BYTES << 16 | ord("f") << 8 | 17

_madvise = _function("madvise", _SIZE, _SIZE, _INT)
_mmap = _function("mmap", _SIZE, _SIZE, _INT, _INT, _INT, _LONG, returns=ctypes.c_ssize_t)


class Buffer:
    """Bytes at an address that stays, for the kernel to read or to write."""

    def __init__(self, content: bytes) -> None:
        self._bytes = ctypes.create_string_buffer(content, len(content))
        self.address = ctypes.addressof(self._bytes)

    @property
    def text(self) -> bytes:
        """What stands before the first zero."""
        return self._bytes.value


class Mapping(NamedTuple):
    """A part of a process's memory that is shared with others, or with a file."""

    start: int
    end: int
    is_writable: bool
    name: str  # of the file


def collapse(start: int, end: int) -> None:
    """Put memory of this process into huge pages."""
    _madvise(start, end - start, MADV_COLLAPSE)


def make_private(start: int, end: int) -> None:
    """Put private memory of the same content in the place of shared memory."""
    content = ctypes.string_at(start, end - start)
    _mmap(start, end - start, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0)
    ctypes.memmove(start, content, end - start)


def memory_at(address: int, size: int) -> bytes:
    """What stands in this process's memory there."""
    return ctypes.string_at(address, size)


def clear(address: int, size: int) -> None:
    """Put zeros there."""
    ctypes.memset(address, 0, size)


def next_shared_mapping(maps: int, address: int) -> Mapping | None:
    """The shared memory at an address or next after it, of the process whose /proc/N/maps the descriptor is.

    Raises:
        OSError: the kernel does not answer questions on it, as before Linux 6.11.
    """
    name, query = Buffer(bytes(PATH_MAX)), bytearray(PROCMAP_QUERY_BYTES)
    struct.pack_into("=3Q", query, 0, PROCMAP_QUERY_BYTES, VMA_SHARED | THIS_OR_NEXT, address)
    struct.pack_into("=IIQQ", query, NAME_AT, PATH_MAX, 0, name.address, 0)
    try:
        fcntl.ioctl(maps, PROCMAP_QUERY, query)
    except FileNotFoundError:
        return None
    start, end, flags = struct.unpack_from("=3Q", query, 24)
    name_bytes = struct.unpack_from("=I", query, NAME_AT)[0]
    path = name.text.decode(errors="replace") if name_bytes else ""
    return Mapping(start, end, bool(flags & VMA_WRITABLE), path)
