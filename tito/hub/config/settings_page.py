"""The table of settings in book/how-to/hub.md, made from the settings.

`python -m tito.hub.config.settings_page` writes it there.
A test holds the page to it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tito.hub.config.load_settings import Known, known_settings

PAGE = Path("book/how-to/hub.md")
HEAD = "| setting | default | |\n|---|---|---|\n"


def settings_table() -> str:
    """A row for each setting, in the order in which they are written."""
    return HEAD + "".join(
        f"| `{setting.dotted}` | {_default(setting)} | {setting.description} |\n" for setting in known_settings()
    )


def with_table(page: str) -> str:
    """A page with its table made anew."""
    return re.sub(r"\| setting \| default \| \|\n(\|.*\n)+", lambda _: settings_table(), page)


def _default(setting: Known) -> str:
    default = setting.default
    if default is None or default in ("", [], {}):
        return ""
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{', '.join(default) if isinstance(default, list) else default}`"


def main() -> None:
    """Entry point of `python -m tito.hub.config.settings_page`, run in the project's folder."""
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{PAGE} has {len(list(known_settings()))} settings.\n")


if __name__ == "__main__":
    main()
