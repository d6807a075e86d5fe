"""What a notebook's cells put out, gathered in the notebook format and cut while it is produced."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import tempfile
from typing import IO, Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher

CUT_NOTE = "\n[output cut: this cell printed more than it may]\n"


class Outputs:
    """The outputs of one cell, in the notebook format, cut while they are produced."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit = limit_bytes
        self.reset()

    def reset(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.named: dict[str, dict[str, Any]] = {}  # by display id: what `update_display` changes
        self.used = 0
        self.cut = self.clear_first = False

    def clear(self, wait: bool) -> None:
        """`clear_output()`; with `wait`, when something comes to take the place."""
        if wait:
            self.clear_first = True
        else:
            self.items, self.named, self.clear_first = [], {}, False

    def stream(self, name: str, text: str) -> None:
        if self.clear_first:
            self.clear(wait=False)
        room = max(0, self.limit - self.used)
        if not self._take(len(text)):
            text = text[:room] + CUT_NOTE * (not self.cut)
            self.cut = True
        if not text:
            return
        if self.items and self.items[-1].get("name") == name and self.items[-1]["output_type"] == "stream":
            self.items[-1]["text"] += text
        else:
            self.items.append({"output_type": "stream", "name": name, "text": text})

    def add(self, item: dict[str, Any], display_id: str = "", update: bool = False) -> None:
        """Add an output; or change the one of that display id, where this cell has it."""
        if self.clear_first:
            self.clear(wait=False)
        text = json.dumps(item, default=_jsonable)
        if not self._take(len(text)):
            self.stream("stderr", "")
        elif update and display_id in self.named:
            self.named[display_id].update(json.loads(text))
        else:
            self.items.append(json.loads(text))
            if display_id:
                self.named[display_id] = self.items[-1]

    def _take(self, size: int) -> bool:
        self.used += size
        return self.used <= self.limit


class StreamWriter(io.TextIOBase):
    """sys.stdout or sys.stderr of the notebook."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, name: str, outputs: Outputs) -> None:
        self.name = name
        self.outputs = outputs

    def write(self, text: str) -> int:
        self.outputs.stream(self.name, str(text))
        return len(text)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1 if self.name == "stdout" else 2


class Descriptors:
    """What is written to the file descriptors 1 and 2 themselves, as by `os.system`: outputs of the cell too."""

    def __init__(self) -> None:
        self.files: dict[str, IO[bytes]] = {}

    def open(self) -> None:
        """Let 1 and 2 lead to files of this process's session, which have no name."""
        for name, number in (("stdout", 1), ("stderr", 2)):
            with contextlib.suppress(OSError):
                self.files[name] = tempfile.TemporaryFile("a+b", buffering=0)  # noqa: SIM115  (open as long as the process)
                os.dup2(self.files[name].fileno(), number)

    def close(self) -> None:
        """Let them lead nowhere: a branch must not write where the notebook can read."""
        self.files.clear()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in (1, 2):
            os.dup2(nowhere, number)
        os.close(nowhere)

    def collect(self, outputs: Outputs) -> None:
        """Add what was written since."""
        for name, file in self.files.items():
            with contextlib.suppress(OSError, ValueError):
                if size := os.fstat(file.fileno()).st_size:
                    text = os.pread(file.fileno(), min(size, outputs.limit + 1), 0)
                    os.ftruncate(file.fileno(), 0)
                    outputs.stream(name, text.decode(errors="replace"))


class RecordingHook(DisplayHook):  # type: ignore[misc]  # IPython has no types
    """The value of a cell's last expression becomes an execute_result."""

    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: dict[str, Any], md_dict: dict[str, Any] | None = None) -> None:
        result = {"output_type": "execute_result", "data": format_dict, "metadata": md_dict or {}}
        self.shell.outputs.add(result | {"execution_count": self.shell.execution_count})

    def finish_displayhook(self) -> None:
        pass


class RecordingPublisher(DisplayPublisher):  # type: ignore[misc]  # IPython has no types
    """`display()` becomes display_data."""

    def publish(
        self,
        data: dict[str, Any],
        metadata: dict[str, Any] | None = None,
        *,
        transient: dict[str, Any] | None = None,
        update: bool = False,
        **_: Any,
    ) -> None:
        item = {"output_type": "display_data", "data": data, "metadata": metadata or {}}
        self.shell.outputs.add(item, str((transient or {}).get("display_id", "")), update)

    def clear_output(self, wait: bool = False) -> None:
        self.shell.outputs.clear(wait)


def _jsonable(value: object) -> str:
    """Images arrive as bytes and belong in a notebook as base64; anything else that JSON lacks, as its repr."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else repr(value)
