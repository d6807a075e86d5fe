"""Names in nbgrader's lists of students: who has none is "None, None" by its scripts, and called by the id in ours."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from nbgrader.server_extensions.formgrader import handlers

SCRIPTS = ("manage_submissions.js", "manage_students.js")
NONE = re.compile(r'^ *if \((first|last)_name === null\) \1_name = "None";\n', re.MULTILINE)
BOTH = 'last_name + ", " + first_name'
EITHER = '[last_name, first_name].filter(Boolean).join(", ") || this.model.get("student") || this.model.get("id")'


@cache
def with_ids(script: str) -> str:
    """One of nbgrader's scripts, in which a student without a name has their id for one."""
    text = (Path(handlers.static_path) / "js" / script).read_text(encoding="utf-8")
    return NONE.sub("", text).replace(BOTH, EITHER)
