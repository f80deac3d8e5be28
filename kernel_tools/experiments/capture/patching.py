"""Replacing functions and methods of other libraries, so that it can be undone and nothing else notices.

Functions are replaced wherever a loaded module holds them, under any name: also in a notebook that imported them
before. A method is replaced by a descriptor that looks like the original to introspection and is pickled as the
original, so that worker processes run the library as it is.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from functools import wraps
from types import MethodType
from typing import Any

Interceptor = Callable[..., Any]
"""Called as ``interceptor(original, arguments, keywords)``; for a method the instance is the first argument."""


class InterceptedMethod:
    """A method of a class, with an interceptor in front of it for calls on instances."""

    def __init__(self, original: Callable[..., Any], interceptor: Interceptor) -> None:
        @wraps(original)
        def call(*arguments: Any, **keywords: Any) -> Any:
            return interceptor(original, arguments, keywords)

        self.original = original
        self._call = call

    def __get__(self, instance: object | None, owner: type | None = None) -> Any:
        return self.original if instance is None else MethodType(self._call, instance)

    def __reduce__(self) -> tuple[Any, ...]:
        return operator.getitem, ((self.original,), 0)


def intercept_method(owner: type, name: str, interceptor: Interceptor) -> bool:
    """Put an interceptor in front of a method that the class itself defines; False if there is nothing to do."""
    original = owner.__dict__.get(name)
    if (
        original is None
        or isinstance(original, InterceptedMethod | staticmethod | classmethod | property)
        or not callable(original)
        or getattr(original, "__isabstractmethod__", False)
    ):
        return False
    setattr(owner, name, InterceptedMethod(original, interceptor))
    return True


def restore_method(owner: type, name: str) -> None:
    """Take the interceptor away, unless somebody has put something else in its place."""
    present = owner.__dict__.get(name)
    if isinstance(present, InterceptedMethod):
        setattr(owner, name, present.original)


class InterceptedFunction:
    """A function of a module, replaced wherever it is known by its name."""

    def __init__(self, original: Callable[..., Any], interceptor: Interceptor) -> None:
        @wraps(original)
        def call(*arguments: Any, **keywords: Any) -> Any:
            return interceptor(original, arguments, keywords)

        self._original = original
        self._call = call

    def install(self) -> None:
        """Replace the function."""
        _rebind(self._original, self._call)

    def restore(self) -> None:
        """Bring the original back."""
        _rebind(self._call, self._original)


def _rebind(old: Callable[..., Any], new: Callable[..., Any]) -> None:
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", None)
        if isinstance(names, dict):
            for name, value in list(names.items()):
                if value is old:
                    names[name] = new
