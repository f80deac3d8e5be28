"""What failed in the user's code and in which line of it, written to ``error.json`` in the folder of the attempt."""

from __future__ import annotations

import json
import os
import sys
import traceback

from kernel_tools.jobs.workload import ERROR_FILE


def report(error: BaseException) -> None:
    """Print the traceback without our own frames, and keep what failed where."""
    from_here = os.path.dirname(os.path.abspath(__file__))
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(from_here):
        trace = trace.tb_next
    sys.stdout.flush()
    traceback.print_exception(type(error), error, trace)
    place = user_frame(error, traceback.extract_tb(trace))
    failure = getattr(error, "atelier_failure", None) or {
        "error": type(error).__name__,
        "message": str(error)[:10_000],
        "file": place.filename if place else None,
        "line": place.lineno if place else None,
        "function": place.name if place else None,
        "code": place.line if place else None,
    }
    folder = os.environ.get("ATELIER_ATTEMPT_FOLDER")
    if folder:
        with open(os.path.join(folder, ERROR_FILE), "w", encoding="utf-8", errors="replace") as file:
            json.dump(failure, file)


def user_frame(error: BaseException, frames: list[traceback.FrameSummary]) -> traceback.FrameSummary | None:
    """Return the innermost frame that is the user's: neither an installed library nor Python itself."""
    if isinstance(error, SyntaxError) and error.filename:
        return traceback.FrameSummary(error.filename, error.lineno or 0, "<module>", line=error.text or "")
    libraries = [os.path.realpath(path) for path in (sys.prefix, sys.base_prefix)]
    own = [frame for frame in frames if is_users(frame.filename, libraries)]
    return own[-1] if own else (frames[-1] if frames else None)


def is_users(path: str, libraries: list[str]) -> bool:
    """Whether a file is the user's; one below the interpreter's folder is, unless it is among its libraries."""
    if path.startswith("<"):
        return path.startswith(("<ipython", "<job"))
    real = os.path.realpath(path)
    return not any(real.startswith(root + os.sep) and f"{os.sep}lib" in real[len(root) :] for root in libraries)
