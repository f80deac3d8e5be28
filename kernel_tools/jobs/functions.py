"""Functions as jobs: kept by value with cloudpickle, with their source readable beside it."""

from __future__ import annotations

import inspect
import json
import os
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kernel_tools.core.errors import ForbiddenError, IntegrityError, InvalidArgumentError, NotFoundError

RESULT_JSON = "result.json"
RESULT_PICKLE = "result.pkl"


def keep_function(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], pickle_path: Path, source_path: Path
) -> None:
    """Write a function and its arguments, by value, and the source that a person reads.

    Raises
    ------
    InvalidArgumentError
        If the arguments do not fit the function, or something cannot be taken along (an open file, a lock).
    """
    import cloudpickle

    try:
        inspect.signature(function).bind(*args, **kwargs)
    except TypeError as error:
        raise InvalidArgumentError(f"{function.__name__}() cannot be called like that: {error}.") from error
    except ValueError:
        pass  # a built-in function without a signature
    module = inspect.getmodule(function)
    is_local = module is not None and module.__name__ != "__main__" and not _is_installed(module)
    try:
        if is_local and module is not None:
            cloudpickle.register_pickle_by_value(module)
        content = cloudpickle.dumps((function, tuple(args), dict(kwargs)))
    except Exception as error:
        raise InvalidArgumentError(
            f"{function.__name__}() or its arguments cannot be taken along: {error}. Pass paths and plain values, and "
            "open files and connections inside the function."
        ) from error
    finally:
        if is_local and module is not None:
            cloudpickle.unregister_pickle_by_value(module)
    pickle_path.write_bytes(content)
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):
        source = f"# The source of {getattr(function, '__qualname__', function)!r} is not known.\n"
    source_path.parent.mkdir(parents=True, exist_ok=True)
    source_path.write_text(source, encoding="utf-8")


def call_kept_function(path: str) -> None:
    """Call a kept function in the job's process, and keep what it returns."""
    import pickle

    with open(path, "rb") as file:
        function, args, kwargs = pickle.load(file)
    result = function(*args, **kwargs)
    output = Path(os.environ["ATELIER_JOB_FOLDER"]) / "output"
    try:
        content = json.dumps(result)
        if json.loads(content) != result:
            raise TypeError  # tuples, keys that are no texts, NaN
    except (TypeError, ValueError, RecursionError):
        import cloudpickle

        _replace(output / RESULT_PICKLE, cloudpickle.dumps(result))
        return
    _replace(output / RESULT_JSON, content.encode())


def read_result(output: Path, name: str, trust: bool) -> Any:
    """Return what the function of a job has returned.

    Raises
    ------
    NotFoundError
        If there is nothing, because the job has not completed or is no function.
    ForbiddenError
        If reading it would execute code, and `trust` is not given.
    """
    if (output / RESULT_JSON).exists():
        try:
            return json.loads((output / RESULT_JSON).read_bytes())
        except ValueError as error:
            raise IntegrityError(f"The result of job {name!r} was damaged: {error}.") from error
    path = output / RESULT_PICKLE
    if not path.exists():
        raise NotFoundError(f"Job {name!r} has no result: only a function that has completed leaves one.")
    if not trust:
        raise ForbiddenError(
            f"The result of job {name!r} is a pickle, and reading a pickle executes what is in it. If you trust who "
            f"ran "
            "the job: job.output().value(trust=True). Results of plain types (numbers, texts, lists, dicts) need no "
            "trust."
        )
    import pickle

    with path.open("rb") as file:
        return pickle.load(file)


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(content)
    temporary.replace(path)


def _is_installed(module: Any) -> bool:
    place = getattr(module, "__file__", None) or ""
    return (
        "site-packages" in place or "dist-packages" in place or not place or module.__name__.startswith("kernel_tools")
    )
