"""What a sandbox is made for: the files, the packages and the limits of its sessions."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tito.models import Limits


@dataclass(frozen=True)
class SandboxSpec:
    """What a session finds: files of the assignment in its home folder, its own to change, by name; packages that it
    can import; and import statements that are run ahead of all sessions, to save each of them the time. `guarded`:
    tests run beside student code, so that what they rely on is remembered (see `guard`).

    `staged` names those of the files that nobody changes, which sessions can only read: the package of a course's
    modules. Where files have to be copied for each session, `copied_mb` of them are (see `own_files`).

    `role` is the module that says what sessions do (see `zygote`); `whole`: they can import all of the platform, not
    just what runs beside student code; `offline`: they can open no socket."""

    files: tuple[tuple[Path, str], ...] = ()
    packages: tuple[str, ...] = ()
    warm: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    guarded: bool = True
    role: str = "tito.sandbox.inside.notebook"
    whole: bool = False
    staged: tuple[str, ...] = ()
    copied_mb: int = 16
    offline: bool = False
