"""Which names the exchange takes: of courses, assignments and students, and of the files in a bundle.

Every name becomes a part of a path on somebody's machine, so the rules are those of the strictest one: what passes here
can be written on Linux, macOS and Windows, inside its folder and nowhere else, and no two names fall on one file.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from tito.exchange.protocol.problems import Refused

ID_BYTES = 200
PART_BYTES = 200
PATH_BYTES = 800
DEPTH = 16
# Written beside a submission's own files by whoever collects it; nbgrader reads the first two.
RESERVED = frozenset({"timestamp.txt", "submission_secret.txt", "receipt.json", "receipts", "feedback"})

_PLAIN_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*")
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?")
_GLOB_AND_SHELL = set('*?[]{}<>|:"\\/+')
_REFUSED_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def check_id(kind: str, name: str) -> str:
    """The name of a course or an assignment, unchanged.

    Raises:
        Refused: it is no plain name.
    """
    if not _PLAIN_ID.fullmatch(name) or len(name) > ID_BYTES or _part_fault(name):
        raise Refused(
            f"This is no name of {kind}: {shown(name)}.",
            status=400,
            where=kind,
            hint="Letters, digits and _ . @ - only, no dot or dash in front.",
        )
    return name


def check_student(name: str) -> str:
    """A student's name, unchanged: hubs allow more in it than a course may have, but it becomes a folder too.

    Raises:
        Refused: it cannot be the name of a folder.
    """
    fault = _part_fault(name) or ("a character of file patterns" if set(name) & _GLOB_AND_SHELL else "")
    if fault:
        raise Refused(f"The exchange cannot serve the user {shown(name)}: {fault}.", status=403, where="user")
    return name


def check_paths(paths: Iterable[str]) -> None:
    """The paths of a bundle's files: each fit to be written, and all of them beside each other.

    Raises:
        Refused: says which path and why.
    """
    seen: dict[str, str] = {}
    folders: set[str] = set()
    for path in paths:
        if fault := path_fault(path):
            raise Refused(f"{shown(path)} cannot be handed in: {fault}.", status=400, where="manifest", hint=_RENAME)
        folded = path.casefold()
        if folded in seen:
            raise Refused(
                f"{shown(path)} and {shown(seen[folded])} are one file on some machines.",
                status=400,
                where="manifest",
                hint=_RENAME,
            )
        seen[folded] = path
        parts = folded.split("/")
        folders.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
    for folded in folders & seen.keys():
        raise Refused(f"{shown(seen[folded])} is both a file and a folder.", status=400, where="manifest", hint=_RENAME)


_RENAME = "Rename the file."


def path_fault(path: str) -> str:
    """Why a path may not be in a bundle, or nothing."""
    if not path:
        return "it has no name"
    if path.startswith("/"):
        return "it is not relative"
    parts = path.split("/")
    if len(parts) > DEPTH:
        return f"it lies more than {DEPTH} folders deep"
    if parts[0].casefold() in RESERVED:
        return "the exchange itself uses that name"
    for part in parts:
        if fault := _part_fault(part):
            return fault
    return f"it is longer than {PATH_BYTES} bytes" if len(path.encode()) > PATH_BYTES else ""


def _part_fault(part: str) -> str:
    """Why one part of a path, or a name that becomes one, cannot be used."""
    if not part:
        return "it has an empty part"
    if part in (".", ".."):
        return "it leaves its folder"
    if any(unicodedata.category(character) in _REFUSED_CATEGORIES for character in part):
        return "it holds a character that cannot be seen"
    if len(part.encode()) > PART_BYTES:
        return f"a part of it is longer than {PART_BYTES} bytes"
    if set(part) & {"\\", "/", ":", "*", "?", '"', "<", ">", "|"}:
        return 'it holds one of \\ / : * ? " < > |'
    if part != unicodedata.normalize("NFC", part):
        return "it is not in Unicode's composed form (NFC)"
    if part != part.strip() or part.endswith("."):
        return "it begins or ends with a space, or ends with a dot"
    if _DEVICES.fullmatch(part):
        return "Windows keeps that name for a device"
    return ""


def shown(name: str) -> str:
    """A name as it may stand in a message: escaped, and not too long."""
    text = ascii(name)
    return text if len(text) <= 120 else f"{text[:117]}..."
