"""The parameters of a notebook cell: what it assigns, at its top level and once, as a plain literal."""

from __future__ import annotations

import ast
from collections.abc import Iterator

Literal = str | int | float | bool | None


def cell_parameters(code: str) -> dict[str, str]:
    """Return the parameters that Python code assigns, as texts.

    ``depth = 6``, ``rate = -0.1``, ``a, b = 1, 2`` and ``layers = [64, 32]`` are parameters; ``options = {"depth": 6}``
    gives ``options.depth``. A name that is assigned again, or that begins with an underscore, is none.

    Raises
    ------
    SyntaxError
        If it is not Python.
    """
    body = ast.parse(code).body
    found: dict[str, ast.expr] = {}
    for statement in body:
        for name, value in _assignments(statement):
            found[name] = value
    parameters: dict[str, str] = {}
    times = _count_assignments(body)
    for name, value in found.items():
        if not name.startswith("_") and times[name] == 1:
            parameters |= _texts(name, value)
    return parameters


def _assignments(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
        yield statement.target.id, statement.value
    if isinstance(statement, ast.Assign):
        for target in statement.targets:
            yield from _pairs(target, statement.value)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif (
        isinstance(target, ast.Tuple | ast.List)
        and isinstance(value, ast.Tuple | ast.List)
        and len(target.elts) == len(value.elts)
    ):
        for inner_target, inner_value in zip(target.elts, value.elts, strict=True):
            yield from _pairs(inner_target, inner_value)


def _count_assignments(body: list[ast.stmt]) -> dict[str, int]:
    """Count how often each name is bound, also in loops, conditions and `with`; not inside of functions and classes."""
    counts: dict[str, int] = {}
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            counts[node.name] = counts.get(node.name, 0) + 1
            continue
        if isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            counts[node.id] = counts.get(node.id, 0) + 1
        waiting.extend(ast.iter_child_nodes(node))
    return counts


def _texts(name: str, value: ast.expr) -> dict[str, str]:
    if isinstance(value, ast.Dict) and value.keys:
        texts: dict[str, str] = {}
        for key, item in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and (text := _literal(item)) is not None:
                texts[f"{name}.{key.value}"] = text
        return texts
    text = _literal(value)
    return {} if text is None else {name: text}


def _literal(value: ast.expr) -> str | None:
    try:
        literal = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    is_plain = literal is None or isinstance(literal, Literal | list | tuple | set | frozenset | dict)
    return str(literal) if is_plain else None
