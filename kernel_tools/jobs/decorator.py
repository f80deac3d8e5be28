"""``@kernel_tools.jobs.job``: a function that can be called as ever, and submitted."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar, overload

from kernel_tools.jobs.handle import Job

P = ParamSpec("P")
R = TypeVar("R")


class JobFunction(Generic[P, R]):
    """A function with a `submit`, which takes the function's own arguments and returns a `Job`."""

    def __init__(self, function: Callable[P, R], options: dict[str, Any]) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._options = options

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function here and now."""
        return self._function(*args, **kwargs)

    def submit(self, *args: P.args, **kwargs: P.kwargs) -> Job:
        """Submit a call of the function as a job."""
        from kernel_tools.jobs import submit

        return submit(self._function, args=args, params=kwargs, **self._options)

    def options(self, **options: Any) -> JobFunction[P, R]:
        """Return the same function with other options, such as ``priority=10``; see `kernel_tools.jobs.submit`."""
        return JobFunction(self._function, {**self._options, **options})


@overload
def job(function: Callable[P, R]) -> JobFunction[P, R]: ...


@overload
def job(**options: Any) -> Callable[[Callable[P, R]], JobFunction[P, R]]: ...


def job(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Make a function submittable: ``@job`` or ``@job(experiment="census", max_runtime="1h")``.

    Options are those of `kernel_tools.jobs.submit`. Arguments travel by value; the function's source is kept readable
    beside them.
    """
    if function is not None:
        return JobFunction(function, options)
    return lambda decorated: JobFunction(decorated, options)
