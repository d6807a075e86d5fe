"""nbgrader's filesystem exchange, for a trusted lab with an operating system's user for each student: the opt-in.

Who handed something in is who owns its files: nothing else in that exchange can be relied upon. nbgrader warns of a
submission under another's name and then collects it over the true one; here it is left where it is. And nbgrader hands
out no feedback at all where one submission lacks its secret; here all others get theirs.
"""

from __future__ import annotations

import pwd
from datetime import datetime
from pathlib import Path
from typing import Any

from nbgrader.exchange.default import ExchangeCollect, ExchangeReleaseFeedback

# In the place of the submission of somebody who has none that is theirs: nbgrader takes the first of a list.
NOTHING: dict[str, Any] = {"username": "", "filename": "", "timestamp": datetime.min}

NEEDED = ("timestamp.txt", "submission_secret.txt")  # beside a page: what nbgrader's exchange files it by


class Collect(ExchangeCollect):  # type: ignore[misc]
    """Collects only what belongs to whose name it bears. `refused` names what did not, after `start`."""

    def __init__(self, *args: Any, **traits: Any) -> None:
        super().__init__(*args, **traits)
        self.refused: list[str] = []
        self.src_records: list[dict[str, Any]] = []

    def _sort_by_timestamp(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Called with one student's records, to choose among them: the forged ones must not take part in that."""
        ordered: list[dict[str, Any]] = super()._sort_by_timestamp(records)
        if not self.check_owner:
            return ordered
        return [record for record in ordered if self._is_owners(record)] or [NOTHING]

    def init_src(self) -> None:
        super().init_src()
        self.src_records = [record for record in self.src_records if record is not NOTHING]

    def _is_owners(self, record: dict[str, Any]) -> bool:
        folder = Path(self.inbound_path) / record["filename"]
        owners = {_owner(path) for path in (folder, *folder.rglob("*"))}
        if owners == {record["username"]} and not folder.is_symlink():
            return True
        self.log.error(
            "NOT collected: %s bears the name of %s and belongs to %s. Find out who made it, and remove it.",
            folder,
            record["username"],
            ", ".join(sorted(owners)),
        )
        self.refused.append(record["filename"])
        return False


class ReleaseFeedback(ExchangeReleaseFeedback):  # type: ignore[misc]
    """Hands out the pages of all whose submission has a secret. `refused` names the others' students, after `start`."""

    def __init__(self, *args: Any, **traits: Any) -> None:
        super().__init__(*args, **traits)
        self.refused: list[str] = []

    def copy_files(self) -> None:
        pages = Path(self.src_path, "*.html")  # a pattern of nbgrader's, for all students
        files = Path(pages.anchor).glob(str(pages.relative_to(pages.anchor)))
        folders = {page.parent for page in files if not all((page.parent / name).is_file() for name in NEEDED)}
        self.refused = sorted(folder.parent.name for folder in folders)
        for student in self.refused:
            self.log.error(
                "NOT handed out: %s's page, since their submission did not come with %s. Give it to them yourself.",
                student,
                " and ".join(NEEDED),
            )
        excluded = self.coursedir.student_id_exclude
        self.coursedir.student_id_exclude = ",".join(filter(None, [excluded, *self.refused]))
        try:
            super().copy_files()
        finally:
            self.coursedir.student_id_exclude = excluded


def _owner(path: Path) -> str:
    uid = path.lstat().st_uid
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
