"""The parameters that a script or notebook can be given, read from its text: nothing of it is executed."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kernel_tools.core.errors import InvalidArgumentError, InvalidDataError, NotFoundError, TooLargeError

LARGEST_FILE = 50_000_000
MOST_PARAMETERS = 200
_FLAGS_ALONE = frozenset({"store_true", "store_false", "store_const", "append_const", "count", "BooleanOptionalAction"})
_ASKS_ONLY = frozenset({"help", "version"})
_SIMPLE_TYPES = frozenset({"int", "float", "str", "bool"})


@dataclass(frozen=True, slots=True)
class EntryParameter:
    """One parameter.

    Attributes
    ----------
    name
        As `kernel_tools.jobs.submit` takes it in ``params``.
    default
        A JSON value; None if there is none, or only running the code would tell.
    type
        int, float, str, bool, or json for what is none of these.
    comment
        What its author says about it, or how its default is computed.
    choices
        The values that are allowed; all if empty.
    is_required
        Whether there is nothing to fall back to.
    """

    name: str
    default: Any
    type: str
    comment: str = ""
    choices: tuple[Any, ...] = ()
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class EntryParameters:
    """What a script or notebook can be given.

    Attributes
    ----------
    kind
        script or notebook.
    parameters
        In the order of the text, at most 200.
    left_out
        Options that a job cannot give, because they take no value or several.
    has_parameters_cell
        Of a notebook, whether one of its cells has the tag ``parameters``; without, new values go above the first cell.
    """

    kind: str
    parameters: tuple[EntryParameter, ...] = ()
    left_out: tuple[str, ...] = ()
    has_parameters_cell: bool = field(default=False)


def read_parameters(path: Path) -> EntryParameters:
    """Read the parameters of a notebook from its ``parameters`` cell, of a script from its calls of ``add_argument``.

    Raises
    ------
    NotFoundError
        If there is no such file.
    InvalidArgumentError
        If it is neither a script (.py) nor a notebook (.ipynb).
    InvalidDataError
        If it is not Python, or no notebook.
    TooLargeError
        If it has more than 50 MB.
    """
    readers = {".py": _read_script, ".ipynb": _read_notebook}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InvalidArgumentError(f"{path.name!r} is no script (.py) and no notebook (.ipynb), which jobs can run.")
    if not path.is_file():
        raise NotFoundError(f"There is no file {path.name!r}. Save it first, or choose another one.")
    if (size := path.stat().st_size) > LARGEST_FILE:
        raise TooLargeError(f"{path.name!r} has {size:,} bytes; at most {LARGEST_FILE:,} are read.")
    return reader(path)


def _read_script(path: Path) -> EntryParameters:
    try:
        tree = ast.parse(path.read_bytes(), filename=path.name)
    except SyntaxError as error:
        raise InvalidDataError(
            f"{path.name!r} is not Python: line {error.lineno}: {error.msg}. Correct it first."
        ) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise InvalidDataError(f"{path.name!r} cannot be read as Python: {error}.") from error
    found: dict[str, EntryParameter] = {}
    left_out: list[str] = []
    for call in _calls_of(tree, "add_argument"):
        name = _option_of(call)
        keywords = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
        action = _word(keywords.get("action"))
        if name is None or action in _ASKS_ONLY:
            continue
        if action in _FLAGS_ALONE or action in ("append", "extend") or _takes_several(keywords.get("nargs")):
            left_out.append(name)
        else:
            found.setdefault(name, _of_argument(name, keywords))
    kept = tuple(found.values())[:MOST_PARAMETERS]
    return EntryParameters("script", kept, tuple(dict.fromkeys(left_out))[:MOST_PARAMETERS])


def _calls_of(tree: ast.AST, method: str) -> list[ast.Call]:
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method
    ]
    return sorted(calls, key=lambda call: (call.lineno, call.col_offset))


def _option_of(call: ast.Call) -> str | None:
    """Return the name of an option as a job gives it: the first long one, else the short one; None for a position."""
    options = [
        argument.value
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and argument.value.startswith("-")
    ]
    long = next((option for option in options if option.startswith("--")), None)
    name = (long or next(iter(options), "")).lstrip("-")
    return name if name and (long is not None or len(name) == 1) else None


def _of_argument(name: str, keywords: dict[str, ast.expr]) -> EntryParameter:
    default, is_known = _literal(keywords.get("default"))
    choices, has_choices = _literal(keywords.get("choices"))
    help_text, _ = _literal(keywords.get("help"))
    comment = help_text if isinstance(help_text, str) else ""
    if "default" in keywords and not is_known:
        comment = " ".join(filter(None, [comment, f"Default: {_source(keywords['default'])}"]))
    kind = _word(keywords.get("type")) or "str"
    required, _ = _literal(keywords.get("required"))
    return EntryParameter(
        name=name,
        default=default,
        type={"loads": "json"}.get(kind, kind if kind in ("int", "float") else "str"),
        comment=comment[:1000],
        choices=tuple(choices)[:100] if has_choices and isinstance(choices, list | str) else (),
        is_required=required is True,
    )


def _read_notebook(path: Path) -> EntryParameters:
    import nbformat

    try:
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        cells = [cell for cell in notebook.cells if "parameters" in cell.get("metadata", {}).get("tags", [])]
    except (nbformat.reader.NotJSONError, nbformat.ValidationError, AttributeError, ValueError, TypeError) as error:
        raise InvalidDataError(f"{path.name!r} is no notebook: {str(error)[:300]}") from error
    if not cells:
        return EntryParameters("notebook")
    found = {parameter.name: parameter for parameter in _of_cell(notebook.metadata, cells[0])}
    return EntryParameters("notebook", tuple(found.values())[:MOST_PARAMETERS], has_parameters_cell=True)


def _of_cell(metadata: Any, cell: Any) -> Iterator[EntryParameter]:
    from papermill.exceptions import PapermillException
    from papermill.translators import papermill_translators

    kernel = metadata.get("kernelspec", {})
    language = kernel.get("language") or metadata.get("language_info", {}).get("name", "python")
    try:
        inspected = papermill_translators.find_translator(kernel.get("name", "python3"), language).inspect(cell)
    except (PapermillException, NotImplementedError):
        return  # a language whose parameters papermill does not know how to read
    for parameter in inspected:
        try:
            expression: ast.expr | None = ast.parse(parameter.default, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            expression = None
        default, is_known = _literal(expression)
        declared = parameter.inferred_type_name
        is_declared = declared in _SIMPLE_TYPES
        computed = "" if is_known else f"Default: {parameter.default}"
        yield EntryParameter(
            name=parameter.name,
            default=default,
            type=declared if is_declared else _type_of(default) if is_known else "json",
            comment=" ".join(filter(None, [parameter.help, computed]))[:1000],
        )


def _literal(expression: ast.expr | None) -> tuple[Any, bool]:
    """Return the JSON value that an expression is, and whether it is one."""
    if expression is None:
        return None, False
    try:
        value = ast.literal_eval(expression)
        return json.loads(json.dumps(value, allow_nan=False)), True
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None, False


def _type_of(value: Any) -> str:
    name = type(value).__name__
    return name if name in _SIMPLE_TYPES else "json"


def _takes_several(nargs: ast.expr | None) -> bool:
    value, is_known = _literal(nargs)
    return nargs is not None and not (is_known and value in ("?", None))


def _word(expression: ast.expr | None) -> str:
    """Return the last word of a name such as ``argparse.BooleanOptionalAction``, or a text."""
    if isinstance(expression, ast.Name):
        return expression.id
    if isinstance(expression, ast.Attribute):
        return expression.attr
    return expression.value if isinstance(expression, ast.Constant) and isinstance(expression.value, str) else ""


def _source(expression: ast.expr) -> str:
    try:
        return ast.unparse(expression)
    except RecursionError:
        return "…"
