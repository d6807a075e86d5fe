"""In which language an instructor's notebook is written: only Python's are graded here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tito.errors import BadSource

PYTHON = ("python", "python2", "python3", "ipython", "ipython3")
KERNELS = {  # of other languages, by their names up to a "-"; where nothing else tells the language
    "ir": "R",
    "xr": "R",
    "julia": "Julia",
    "octave": "Octave",
    "xoctave": "Octave",
    "matlab": "MATLAB",
    "bash": "Bash",
    "scala": "Scala",
    "almond": "Scala",
    "java": "Java",
    "ijava": "Java",
    "javascript": "JavaScript",
    "deno": "TypeScript",
    "xcpp17": "C++",
    "rust": "Rust",
    "haskell": "Haskell",
    "ihaskell": "Haskell",
    "gophernotes": "Go",
    "sagemath": "Sage",
    "stata": "Stata",
    "sas": "SAS",
}


def other_language(notebook: Any) -> str:
    """The language of a notebook that is not in Python; "" for one that is, or that does not say.

    A kernel's name is whatever a machine calls it (`conda-env-ml-py`): it counts only where no language is said.
    """
    kernelspec = _mapping(notebook, "kernelspec")
    for language in (kernelspec.get("language"), _mapping(notebook, "language_info").get("name")):
        if isinstance(language, str) and language.strip():
            return "" if language.strip().lower() in PYTHON else language.strip()
    name = str(kernelspec.get("name") or "").lower()
    return KERNELS.get(name.partition("-")[0], "")  # julia-1.10


def require_python(assignment: str, notebooks: Mapping[str, Any]) -> None:
    """Raise where one of an assignment's notebooks is in another language: run as Python, all of it would be wrong.

    Raises:
        BadSource: names notebook and kernel, and how nbgrader itself grades it.
    """
    for name, notebook in notebooks.items():
        language = other_language(notebook)
        if language:
            kernel = _mapping(notebook, "kernelspec").get("name") or language
            raise BadSource(
                f"{assignment}: the kernel of {name}.ipynb is '{kernel}' ({language}), and tito runs Python only.",
                hint="Leave it to nbgrader itself, which runs student code unprotected: "
                f"TITO_PLAIN_NBGRADER=1 nbgrader autograde {assignment}",
            )


def _mapping(notebook: Any, name: str) -> Mapping[str, Any]:
    entry = notebook.get("metadata", {}).get(name)
    return entry if isinstance(entry, Mapping) else {}
