"""Executing the body of a cell magic as if it were a cell of its own."""

from __future__ import annotations

from typing import Any

from IPython.core.error import UsageError


def execute_cell(shell: Any, code: str) -> None:
    """Execute a cell's code and show the value of its last line.

    Raises
    ------
    BaseException
        What the code raises; IPython shows it once, with the traceback of the cell alone, and the cell has failed for
        the front end too, so that "Run All" and papermill stop.
    UsageError
        If the code awaits at its top level, which a magic cannot.
    """
    if _awaits(shell, code):
        raise UsageError(
            "A cell magic cannot await at the top level of the cell. Use `with kt.experiments.start_run(...):` instead."
        )
    tracebacks: list[list[str]] = []

    def keep_traceback(
        exc_tuple: Any = None, filename: Any = None, tb_offset: int | None = None, *_: Any, **__: Any
    ) -> None:
        kind, error, trace = shell._get_exc_info(exc_tuple)
        offset = shell.InteractiveTB.tb_offset if tb_offset is None else tb_offset
        tracebacks.append(shell.InteractiveTB.structured_traceback(kind, error, trace, tb_offset=offset))

    shown_by = {name: vars(shell).get(name) for name in ("showtraceback", "showsyntaxerror")}
    shell.showtraceback = keep_traceback
    shell.showsyntaxerror = lambda *_, **__: None
    try:
        result = shell.run_cell(code, store_history=False)
    finally:
        for name, before in shown_by.items():
            if before is None:
                delattr(shell, name)
            else:
                setattr(shell, name, before)
    error = result.error_before_exec or result.error_in_exec
    if error is None:
        return
    if tracebacks and not isinstance(error, SyntaxError | SystemExit):
        shown = tracebacks[-1]
        error._render_traceback_ = lambda: shown
    raise error


def _awaits(shell: Any, code: str) -> bool:
    try:
        return bool(shell.should_run_async(code, transformed_cell=shell.transform_cell(code)))
    except SyntaxError:
        return False  # executing it will say so
