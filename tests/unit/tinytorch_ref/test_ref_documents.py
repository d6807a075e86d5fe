"""What newcomers read: the package's reading order follows its imports, and the book's page on the core runs."""

from __future__ import annotations

import ast
import doctest
import re
from pathlib import Path

import tinytorch_ref

ROOT = Path(tinytorch_ref.__file__).parent
PAGE = ROOT.parent / "book/explanation/tinytorch-core.md"


def reading_order() -> list[tuple[str, str, set[str]]]:
    """Of each line of the list in the package's docstring: module number, file, and the files that it needs."""
    lines = re.findall(r"^    (\d\d)  (\S+\.py) .*\[(.*)\]$", tinytorch_ref.__doc__ or "", re.MULTILINE)
    return [(number, file, set(needs.split())) for number, file, needs in lines]


def needed_files(path: Path) -> set[str]:
    """The files of the package that a file imports, without their endings and folders."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return {str(node.module).split(".")[-1] for node in nodes if isinstance(node, ast.ImportFrom) and node.level}


def hands_on_only(path: Path) -> bool:
    """Whether a file is another name for one elsewhere in the package."""
    _, *body = ast.parse(path.read_text()).body
    return all(isinstance(node, ast.ImportFrom | ast.Assign) for node in body) and bool(needed_files(path))


def test_the_reading_order_names_each_file_once() -> None:
    code = (path for path in ROOT.rglob("*.py") if path.name != "__init__.py" and not hands_on_only(path))
    assert sorted(file for _, file, _ in reading_order()) == sorted(str(path.relative_to(ROOT)) for path in code)


def test_the_reading_order_tells_modules_and_what_they_need_and_puts_that_before_them() -> None:
    read: set[str] = set()
    for number, file, needs in reading_order():
        assert (ROOT / file).read_text().startswith(f"# module: {number}_"), file
        assert needs == needed_files(ROOT / file), file
        assert needs <= read, f"{file} is to be read before {needs - read}"
        read.add(Path(file).stem)


def examples_of(page: Path) -> doctest.DocTest:
    """The page's python blocks as one doctest; other lines are blank, so that lines are counted as in the page."""
    shown, lines = False, []
    for line in page.read_text(encoding="utf-8").splitlines():
        fence = line.startswith("```")
        lines.append(line if shown and not fence else "")
        shown = line == "```python" if fence else shown
    return doctest.DocTestParser().get_doctest("\n".join(lines) + "\n", {}, page.name, str(page), 0)


def test_the_examples_of_the_page_on_the_core_print_what_it_shows() -> None:
    result = doctest.DocTestRunner().run(examples_of(PAGE))
    assert result.attempted > 50
    assert result.failed == 0


def test_the_page_on_the_core_links_to_files_that_exist() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGE.read_text(encoding="utf-8"))
    assert links
    assert [link for link in links if not (PAGE.parent / link).exists()] == []
