"""`python -m tito.docs` writes the pages of the reference that are made from the code; `--check` says which are stale.

Run in the project's folder. That of the reference package is no file of the repository: the book's build writes it, and
`--check` says whether it can.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from tito.course.course import load_course
from tito.docs import api_page, commands_page, grades_page, routes_page, settings_page, words_page
from tito.docs.markdown import WRITTEN

REFERENCE = Path("book/reference")
PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands_page.page,
    "settings.md": settings_page.page,
    "words.md": words_page.page,
    "grades.md": grades_page.page,
    "routes.md": routes_page.page,
}


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; fail where a page is not what the code says.")
def main(*, check: bool) -> None:
    """Write the pages of the reference that are made from the code."""
    stale = []
    for name, page in PAGES.items():
        path, text = REFERENCE / name, WRITTEN + "\n" + page()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(str(path))
            if not check:
                path.write_text(text, encoding="utf-8")
    if check and stale:
        raise click.ClickException(f"{', '.join(stale)}: run 'python -m tito.docs' and commit what it writes.")
    bare = api_page.without_docstring(load_course(Path.cwd()))
    if bare:
        raise click.ClickException(f"Without a docstring, and so without a word in the book: {', '.join(bare)}.")
    click.echo(f"{len(PAGES)} pages are as the code says." if not stale or check else f"Wrote {', '.join(stale)}.")


if __name__ == "__main__":
    main()
