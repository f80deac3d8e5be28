"""Which notebook and which cell the calling code is in, without importing IPython."""

from __future__ import annotations

import os
import sys
from contextvars import ContextVar
from typing import Any

CELL_CODE: ContextVar[str | None] = ContextVar("atelier_cell_code", default=None)
"""The code of the cell when a magic runs it; else IPython's history knows it."""


def current_shell() -> Any:
    """Return the running IPython shell, or None."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def cell_number(shell: Any) -> int:
    """Return the number of the cell that runs, as in ``In [3]``."""
    return int(shell.execution_count)


def cell_code(shell: Any) -> str | None:
    """Return the code of the cell that runs, as it was typed."""
    code = CELL_CODE.get()
    if code is not None:
        return code
    history = shell.history_manager.input_hist_raw if shell.history_manager is not None else []
    return str(history[-1]) if len(history) > 1 and history[-1] else None


def is_notebook(shell: Any) -> bool:
    """Tell a Jupyter kernel from IPython in a terminal."""
    return getattr(shell, "kernel", None) is not None


def notebook_path(shell: Any) -> str | None:
    """Return the notebook's path as the front end tells it to the kernel; None if it does not."""
    told = os.environ.get("JPY_SESSION_NAME") or shell.user_ns.get("__vsc_ipynb_file__")
    return str(told) if told else None
