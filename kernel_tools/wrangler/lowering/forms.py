"""A recipe as a file of another kind: a notebook, code, a scikit-learn pipeline, an ONNX model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.notebooks import code_cell, notebook_of, text_cell
from kernel_tools.core.workspace import atomic_write

if TYPE_CHECKING:
    from kernel_tools.wrangler.recipe import Recipe

Form = Literal["notebook", "sklearn", "onnx", "pandas", "polars", "sql", "atelier"]
ENDINGS: dict[str, str] = {"notebook": ".ipynb", "sklearn": ".skops", "onnx": ".onnx"}
"""What the names of files end with; those of code with ``.py``."""


def write_form(recipe: Recipe, form: Form, path: Path) -> Path:
    """Write a recipe in another form.

    Parameters
    ----------
    form
        ``notebook``, ``sklearn`` (a pipeline that skops reads), ``onnx``, or the dialect of `Recipe.to_python`.
    path
        The file; the ending of its kind is added where it is missing.

    Raises
    ------
    InvalidArgumentError
        If the name ends with that of another kind.
    UnsupportedError
        If a step has no words there; it names the step.
    """
    ending = ENDINGS.get(form, ".py")
    if path.suffix and path.suffix != ending:
        raise InvalidArgumentError(f"{path.name!r} does not end with {ending}, as this kind of file has to.")
    path = path.with_suffix(ending)
    content = _content(recipe, form)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as file:
        file.write(content)
    return path


def _content(recipe: Recipe, form: Form) -> bytes:
    if form == "notebook":
        return json.dumps(recipe_notebook(recipe), indent=1).encode() + b"\n"
    if form == "sklearn":
        import skops.io

        return bytes(skops.io.dumps(recipe.to_sklearn()))
    if form == "onnx":
        return bytes(recipe.to_onnx().SerializeToString())
    return recipe.to_python(form).encode()


def recipe_notebook(recipe: Recipe) -> dict[str, Any]:
    """Return a notebook that builds a recipe, lets it learn, looks at its rows and writes them."""
    document = recipe.document
    title = f"# {document.name}" + (f"\n\n{document.description}" if document.description else "")
    cells = [
        text_cell(title),
        code_cell(recipe.to_python("atelier").rstrip()),
        text_cell("Let the steps learn from all rows, and look at the first that come out."),
        code_cell("recipe.fit()\nrecipe.preview()"),
        text_cell("Write all rows."),
        code_cell(f"recipe.run({document.name + '-out.parquet'!r})"),
    ]
    return notebook_of(cells)
