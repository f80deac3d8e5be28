"""A notebook's cell as a job: its code, kept as it was typed, and the variables that it takes along.

A DataFrame or Series travels as Parquet, an array as ``.npy``, plain values as parameters of the job; nothing that is
read back executes code. In the job's log and failures the lines have the numbers that they have in the notebook:
``%%job`` is the first.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidArgumentError

if TYPE_CHECKING:
    from kernel_tools.core.workspace import Workspace
    from kernel_tools.jobs.handle import Job

CELL_FILE = "cell.py"
LARGEST_PARAMETER = 50_000
"""Characters of a plain value that is still a parameter; a longer one travels as a file."""
_LOAD = "from kernel_tools.jobs.cells import load_variables; globals().update(load_variables())  # "
_UNNAMED = "__unnamed__"
_PLAIN = (bool, int, float, str, type(None))


def submit_cell(
    workspace: Workspace,
    code: str,
    line: str,
    variables: Mapping[str, Any],
    *,
    name: str | None = None,
    experiment: str | None = None,
    **options: Any,
) -> Job:
    """Submit a cell's code as a script that finds `variables` under their names.

    Parameters
    ----------
    workspace
        Where.
    code
        Plain Python, without magics.
    line
        What stood in the cell's first line; a comment takes its place.
    variables
        DataFrames, Series, arrays and plain values (None, numbers, texts, lists and dicts of them), by name.
    name, experiment, options
        As for `kernel_tools.jobs.submit`.

    Raises
    ------
    InvalidArgumentError
        If the code is no Python, or a variable is of a kind that does not travel.
    """
    from kernel_tools.jobs import submission
    from kernel_tools.jobs.handle import Job
    from kernel_tools.jobs.inputs import CopiedInput
    from kernel_tools.jobs.spec import Entry

    first = " ".join(line.split())
    header = f"{_LOAD}%%job {first}" if variables else f"# %%job {first}"
    text = f"{header.rstrip()}\n{code}"
    _require_python(text)
    with tempfile.TemporaryDirectory(prefix="atelier-cell-") as place:
        source, data = Path(place) / "source", Path(place) / "data"
        source.mkdir()
        data.mkdir()
        params, inputs = {}, {}
        for key, value in variables.items():
            file = _write(data, key, value)
            if file is None:
                params[key] = _plain(value)
            else:
                inputs[key] = CopiedInput(f"variable {key}", file)
        (source / CELL_FILE).write_text(text, encoding="utf-8")
        order = submission.Order(Entry("script", CELL_FILE), source, working_dir=os.getcwd())
        paths = os.pathsep.join(filter(None, (os.getcwd(), os.environ.get("PYTHONPATH"))))
        environment = {"PYTHONPATH": paths}  # modules beside the notebook are found, as they are by the notebook
        spec = submission.checked_spec(order, name, experiment, params=params, environment=environment, **options)
        submission.submit_order(workspace, order, replace(spec, source_origin=""), inputs)
    return Job(workspace, spec.name)


def load_variables() -> dict[str, Any]:
    """Return, inside the job of a cell, the variables that it took along, by name."""
    folder = Path(os.environ["ATELIER_JOB_FOLDER"]) / "input"
    found: dict[str, Any] = json.loads((folder / "config" / "parameters.json").read_bytes())
    for channel in sorted((folder / "data").iterdir()):
        found[channel.name] = _read(next(channel.iterdir()))
    return found


def _require_python(code: str) -> None:
    try:
        compile(code, CELL_FILE, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        where = f"line {error.lineno}" if isinstance(error, SyntaxError) else "the cell"
        raise InvalidArgumentError(
            f"The cell of a job is a plain Python script, without magics, '!' and top-level await; {where} is none: "
            f"{error}."
        ) from error


def _write(folder: Path, name: str, value: Any) -> Path | None:
    """Write a variable to a file that says by its name what it is; None if it is to be a parameter.

    Raises
    ------
    InvalidArgumentError
        If it does not travel.
    """
    kind = f"{type(value).__module__.partition('.')[0]}.{type(value).__name__}"
    try:
        if kind == "pandas.DataFrame":
            return _saved(folder / f"{name}.parquet", value.to_parquet)
        if kind == "pandas.Series":
            return _saved(folder / f"{name}.series.parquet", value.to_frame(value.name or _UNNAMED).to_parquet)
        if kind == "polars.DataFrame":
            return _saved(folder / f"{name}.polars.parquet", value.write_parquet)
        if kind == "numpy.ndarray":
            import numpy as np

            return _saved(folder / f"{name}.npy", lambda path: np.save(path, value, allow_pickle=False))
    except Exception as error:  # Parquet and NumPy refuse what they cannot hold, each with errors of its own
        raise InvalidArgumentError(
            f"The variable {name!r}, a {type(value).__name__}, cannot be written: {error}. Give columns plain types, "
            "or write it to a file and give its path."
        ) from error
    text = json.dumps(_plain(value, name), ensure_ascii=False)
    if len(text) <= LARGEST_PARAMETER:
        return None
    path = folder / f"{name}.json"
    path.write_text(text, encoding="utf-8")
    return path


def _saved(path: Path, save: Any) -> Path:
    save(path)
    return path


def _read(path: Path) -> Any:
    if path.suffix == ".json":
        return json.loads(path.read_bytes())
    if path.suffix == ".npy":
        import numpy as np

        return np.load(path, allow_pickle=False)
    if path.name.endswith(".polars.parquet"):
        import polars

        return polars.read_parquet(path)
    import pandas as pd

    frame = pd.read_parquet(path)
    if path.name.endswith(".series.parquet"):
        return frame.iloc[:, 0].rename(None if frame.columns[0] == _UNNAMED else frame.columns[0])
    return frame


def _plain(value: Any, name: str = "") -> Any:
    """Return a value that JSON gives back as it is: numbers of NumPy are made Python's.

    Raises
    ------
    InvalidArgumentError
        If it is none.
    """
    if type(value) in _PLAIN:
        return value
    if type(value) is list:
        return [_plain(item, name) for item in value]
    if type(value) is dict and all(type(key) is str for key in value):
        return {key: _plain(item, name) for key, item in value.items()}
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        return _plain(value.item(), name)
    raise InvalidArgumentError(
        f"The variable {name!r} is a {type(value).__name__}, which does not travel to a job. DataFrames, Series, "
        "arrays, numbers, texts, and lists and dicts of them do; save anything else to a file and give its path."
    )
