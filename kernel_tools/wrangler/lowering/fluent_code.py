"""A recipe as the Python that builds it with `kernel_tools.wrangler`."""

from __future__ import annotations

import keyword
from typing import Any

from kernel_tools.wrangler.document import Id, Node, RecipeDocument, Source
from kernel_tools.wrangler.graph import before, last, ordered

WIDTH = 110


def fluent_code(document: RecipeDocument, head: Id | None = None) -> str:
    """Return the lines that build a recipe: a variable for each branch, a line for each step.

    Parameters
    ----------
    head
        The step to end with; default, the end of the recipe.
    """
    document = before(document, head or last(document))
    followers = _followers(document)
    names = _source_variables(document)
    taken = set(names.values())
    lines = ["import kernel_tools as kt", ""]
    lines += [f"{names[source.id]} = {_read(source, document.name)}" for source in document.sources]
    for node in ordered(document):
        first = names[node.inputs[0]]
        name = first
        if len(followers[node.inputs[0]]) > 1:
            name = _free(f"{first}_{node.id}", taken)
            taken.add(name)
        names[node.id] = name
        lines.append(f"{name} = {step_code(node, first, [names[one] for one in node.inputs[1:]])}")
    return "\n".join(lines) + "\n"


def step_code(node: Node, variable: str = "recipe", others: list[str] | None = None) -> str:
    """Return the call that adds one step."""
    arguments = [*(others or []), *(f"{key}={value!r}" for key, value in node.params.items() if _is_name(key))]
    odd = {key: value for key, value in node.params.items() if not _is_name(key)}
    arguments += [f"**{odd!r}"] if odd else []
    line = f"{variable}.{node.op}({', '.join(arguments)})"
    if len(line) > WIDTH:
        inner = ",\n    ".join(arguments)
        line = f"{variable}.{node.op}(\n    {inner},\n)"
    if not node.enabled:
        line += ".enable(" + repr(node.id) + ", False)"
    return line


def _read(source: Source, name: str) -> str:
    if source.kind == "frame" and source.uri is None:
        return "kt.wrangler.read(frame)  # the table that the recipe was made for"
    options: dict[str, Any] = {"query": source.query} if source.query else {}
    if source.sampling.method != "none":
        options["sampling"] = source.sampling.model_dump(exclude_none=True)
    if source.format:
        options["format"] = source.format
    arguments = [repr(source.uri), *(f"{key}={value!r}" for key, value in {**options, **source.options}.items())]
    return f"kt.wrangler.read({', '.join(arguments)}, name={name!r})"


def _source_variables(document: RecipeDocument) -> dict[Id, str]:
    if len(document.sources) == 1:
        return {document.sources[0].id: "recipe"}
    return {source.id: f"table_{number}" for number, source in enumerate(document.sources, start=1)}


def _followers(document: RecipeDocument) -> dict[Id, list[Id]]:
    ids = [source.id for source in document.sources] + [node.id for node in document.nodes]
    found: dict[Id, list[Id]] = {part: [] for part in ids}
    for node in document.nodes:
        for needed in node.inputs:
            found[needed].append(node.id)
    return found


def _free(name: str, taken: set[str]) -> str:
    number = 2
    wanted = name
    while wanted in taken:
        wanted, number = f"{name}_{number}", number + 1
    return wanted


def _is_name(key: str) -> bool:
    return key.isidentifier() and not keyword.iskeyword(key)
