"""The methods of a recipe: one for each operator, with its parameters and documentation."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.wrangler.operators import operator_class
from kernel_tools.wrangler.recipe import Recipe


def method(recipe: Recipe, op: str) -> Callable[..., Recipe]:
    """Return the method that adds a step of an operator: further recipes and then its parameters, in their order."""
    kind = operator_class(op)
    fields = list(kind.model_fields)

    def add(*arguments: Any, **params: Any) -> Recipe:
        others = [one for one in arguments if isinstance(one, Recipe)]
        values = [one for one in arguments if not isinstance(one, Recipe)]
        if len(values) > len(fields):
            raise InvalidArgumentError(
                f"{op}() takes {len(fields)} parameters ({', '.join(fields)}), not {len(values)}."
            )
        for field, value in zip(fields, values, strict=False):
            if field in params:
                raise InvalidArgumentError(f"{op}() got {field!r} twice.")
            params[field] = value
        return recipe.step(op, *others, **params)

    add.__name__, add.__qualname__ = op, f"Recipe.{op}"
    add.__doc__ = _documentation(op)
    parameters = [
        inspect.Parameter(
            name,
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=inspect.Parameter.empty if field.is_required() else field.default,
        )
        for name, field in kind.model_fields.items()
    ]
    parameters.sort(key=lambda one: one.default is not inspect.Parameter.empty)
    add.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what `help` and editors show
    return add


def _documentation(op: str) -> str:
    kind = operator_class(op)
    lines = [inspect.getdoc(kind) or "", "", "Parameters", "----------"]
    for name, field in kind.model_fields.items():
        lines += [name, f"    {field.description or ''}"]
    return "\n".join(lines)
