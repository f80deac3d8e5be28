"""Keeping what is printed during a run (``start_run(capture_output=True)``).

What Python writes to `sys.stdout` and `sys.stderr` is shown as always and also written to the run's `output.txt`;
what a library writes past Python, straight to the file descriptor, is shown only.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from kernel_tools.experiments import hooks
from kernel_tools.experiments.capture.guard import guarded, warn_once

if TYPE_CHECKING:
    from kernel_tools.experiments.run import Run

FILE_NAME = "output.txt"
OUTPUT_FOLDER = "output"
"""The artifact's folder."""
MAX_OUTPUT = 16 * 1024 * 1024
"""Characters that are kept of the output of one run; then a line says that the rest was left out."""

_LOCK = threading.RLock()
_sinks: list[TextSink] = []
_run_captures: dict[str, OutputCapture] = {}


class TextSink(Protocol):
    """Something that wants to see what is printed; its `write` never raises."""

    def write(self, text: str) -> None:
        """Take a piece of output."""


def attach(sink: TextSink) -> None:
    """Give a sink all that is printed from now on."""
    with _LOCK:
        _sinks.append(sink)
        for name in ("stdout", "stderr"):
            stream = getattr(sys, name)
            if stream is not None and not isinstance(stream, _Copier):
                setattr(sys, name, _Copier(stream))


def detach(sink: TextSink) -> None:
    """Give a sink nothing more; without sinks, the streams are as they were."""
    with _LOCK:
        if sink in _sinks:
            _sinks.remove(sink)
        if not _sinks:
            for name in ("stdout", "stderr"):
                stream = getattr(sys, name)
                if isinstance(stream, _Copier):
                    setattr(sys, name, stream.stream)


def capture_run_output(run: Run) -> None:
    """Keep what is printed until the run ends, as an artifact of the run; a failure is a warning."""
    with guarded("the printed output"):
        capture = OutputCapture(run._folder.path / FILE_NAME).start()
        with _LOCK:
            _run_captures[run.id] = capture
        if _end_run_output not in hooks.ENDING:
            hooks.ENDING.append(_end_run_output)


def _end_run_output(run: Run) -> None:
    with _LOCK:
        capture = _run_captures.pop(run.id, None)
    if capture is not None:
        with guarded("the printed output"):
            capture.stop()
            run.log_artifact(capture.path, OUTPUT_FOLDER)


class OutputCapture:
    """Copies of standard output and error in a file, from `start` to `stop`.

    Captures may overlap in any order; each gets all that is printed meanwhile.

    Parameters
    ----------
    path
        The file to append to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None
        self._length = 0

    def start(self) -> OutputCapture:
        """Begin to copy."""
        self._file = self.path.open("ab", buffering=0)  # a crash loses nothing that was printed
        attach(self)
        return self

    def stop(self) -> None:
        """Stop copying and close the file; a second call does nothing."""
        detach(self)
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def write(self, text: str) -> None:
        """Keep a piece of output; never raises."""
        if self._file is None or self._length > MAX_OUTPUT:
            return
        try:
            self._length += len(text)
            kept = (
                text if self._length <= MAX_OUTPUT else f"\n[the rest, after {MAX_OUTPUT:,} characters, is left out]\n"
            )
            self._file.write(kept.encode(errors="backslashreplace"))
        except (OSError, ValueError) as error:
            self._file = None
            warn_once("the printed output", str(error))


class _Copier:
    """A text stream that passes everything on, and copies what is written to the sinks."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        written = self.stream.write(text)
        with _LOCK:
            for sink in list(_sinks):
                sink.write(text)
        return int(written) if written is not None else len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def __iter__(self) -> Any:
        return iter(self.stream)

    def __enter__(self) -> _Copier:
        return self

    def __exit__(self, *details: object) -> None:
        self.stream.flush()


def _renew_lock() -> None:
    global _LOCK
    _LOCK = threading.RLock()  # another thread of the parent may have held the old one


with contextlib.suppress(AttributeError):  # Windows has no fork
    os.register_at_fork(after_in_child=_renew_lock)
