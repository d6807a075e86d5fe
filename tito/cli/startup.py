"""What libraries would do while they are imported, and `tito` has no use for: most of the time that a command takes."""

from __future__ import annotations

import gc
import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

SELDOM = (50_000, 20, 20)  # objects, and times as many, until Python looks for garbage


def spare_start_up() -> None:
    """Call it before anything else is imported.

    jsonschema, which nbformat imports, checks the format of IRIs where it can import a package for it; that builds a
    grammar, for about a second. nbgrader imports a web server with itself, for its extensions. numpy starts a thread
    for each core, which forking would lose. And Python looks for garbage all the while in what is there to stay.
    """
    gc.set_threshold(*SELDOM)
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    postpone("nbgrader")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def postpone(package: str) -> None:
    """Let modules of a package be imported without running its own `__init__`, which is run when it is asked for."""
    spec = importlib.util.find_spec(package)
    if package not in sys.modules and spec is not None and spec.submodule_search_locations:
        sys.modules[package] = _Postponed(spec)


class _Postponed(ModuleType):
    """Stands for a package of which something was imported."""

    def __init__(self, spec: ModuleSpec) -> None:
        super().__init__(spec.name)
        assert spec.submodule_search_locations is not None
        self.__path__ = list(spec.submodule_search_locations)
        self.__spec__, self.__file__, self.__package__ = spec, spec.origin, spec.name

    def __getattr__(self, name: str) -> Any:
        """A module of the package; or what its `__init__` makes, which is run now, once."""
        if importlib.util.find_spec(f"{self.__name__}.{name}") is not None:
            return importlib.import_module(f"{self.__name__}.{name}")
        self.__class__ = ModuleType  # type: ignore[assignment]
        assert self.__spec__ is not None
        assert self.__spec__.loader is not None
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)
