"""Notebooks as jobs: run by papermill, kept as they grow, and their failures told by cell."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


class NotebookFailedError(Exception):
    """A cell of a notebook failed; `atelier_failure` says which, and how."""

    def __init__(self, failure: dict[str, Any], text: str) -> None:
        super().__init__(text)
        self.atelier_failure = failure


def execute_notebook(path: str) -> None:
    """Execute a notebook in the job's process with the job's parameters; the output notebook is in ``output/``."""
    import nbformat
    import papermill
    from papermill.exceptions import PapermillExecutionError

    metadata = nbformat.read(path, as_version=4).metadata  # type: ignore[no-untyped-call]
    kernel = metadata.get("kernelspec", {})
    folder = Path(os.environ["ATELIER_JOB_FOLDER"])
    params = json.loads((folder / "input" / "config" / "parameters.json").read_bytes())
    output = folder / "output" / Path(path).name
    try:
        papermill.execute_notebook(
            path,
            str(output),
            parameters=params,
            kernel_name=kernel.get("name", "python3"),
            language=kernel.get("language") or metadata.get("language_info", {}).get("name", "python"),
            cwd=os.getcwd(),
            progress_bar=True,
            log_output=True,
            autosave_cell_every=5,
        )
    except PapermillExecutionError as error:
        line = _line_of(error.traceback)
        code = error.source.splitlines()[line - 1].strip() if line and line <= len(error.source.splitlines()) else None
        failure = {
            "error": error.ename,
            "message": error.evalue,
            "file": f"{Path(path).name}, cell {error.exec_count}",
            "line": line or 1,
            "code": code,
        }
        raise NotebookFailedError(failure, f"{error.ename}: {error.evalue}") from None


def _line_of(traceback: list[str]) -> int | None:
    """Return the line of the cell that the traceback of a kernel points at."""
    import re

    text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(traceback))
    found = re.search(r"(?:Cell In\[\d+\], line |^Input In \[\d+\], in .*?line )(\d+)", text, re.M)
    return int(found[1]) if found else None
