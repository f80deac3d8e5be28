"""The Python that makes a figure in a notebook: what "copy as Python" copies."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

Argument = str | float | bool | Sequence[str] | None


def figure_code(function: str, run_ids: Sequence[str], arguments: Mapping[str, Argument]) -> str:
    """Write a call of a function of `kernel_tools.experiments.figures`.

    Parameters
    ----------
    function
        Its name, such as ``"compare_curves"``.
    run_ids
        The ids of its runs; ``metric_history`` is given the only one itself, the others a list.
    arguments
        Its other arguments; those that are as the function has them by default may be left out.
    """
    given = ", ".join(f"{name}={_literal(value)}" for name, value in arguments.items())
    if function == "metric_history":
        runs, first = f"run = kt.experiments.get_run({_literal(run_ids[0])})", "run"
    else:
        runs, first = f"runs = [kt.experiments.get_run(run_id) for run_id in {_literal(run_ids)}]", "runs"
    call = f"kt.experiments.figures.{function}({first}, {given})"
    return f"import kernel_tools as kt\n\n{runs}\nfigure = {call}\nfigure\n"


def _literal(value: Argument) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Sequence):
        return f"[{', '.join(map(_literal, value))}]"
    return repr(value)
