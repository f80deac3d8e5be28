"""Changes of a recipe: each returns another document; the one that it is given stays as it is.

What a step has learned stays with it; whether it still counts is told by the hash in its `Fit`.
"""

from __future__ import annotations

from typing import Any

from kernel_tools.core.errors import ConflictError, InvalidArgumentError
from kernel_tools.wrangler.document import Id, Node, RecipeDocument, Source
from kernel_tools.wrangler.graph import part, validate_graph
from kernel_tools.wrangler.operators import operator_class


def new_id(document: RecipeDocument, prefix: str) -> Id:
    """Return an id that no part of the recipe has: the prefix and the next number."""
    taken = {one.id for one in document.sources} | {one.id for one in document.nodes}
    number = 1
    while f"{prefix}{number}" in taken:
        number += 1
    return f"{prefix}{number}"


def add_source(document: RecipeDocument, source: Source) -> RecipeDocument:
    """Add a source."""
    return _changed(document, sources=[*document.sources, source])


def add_step(document: RecipeDocument, op: str, params: dict[str, Any], inputs: list[Id]) -> tuple[RecipeDocument, Id]:
    """Add a step behind its inputs; what came behind the first of them does not move.

    Returns
    -------
    tuple
        The recipe and the id of the step.
    """
    node = Node(id=new_id(document, "n"), op=op, op_version=operator_class(op).version, inputs=inputs, params=params)
    return _changed(document, nodes=[*document.nodes, node]), node.id


def insert_step(document: RecipeDocument, op: str, params: dict[str, Any], after: Id) -> tuple[RecipeDocument, Id]:
    """Put a step between a part and all that takes rows from it."""
    part(document, after)
    node = Node(id=new_id(document, "n"), op=op, op_version=operator_class(op).version, inputs=[after], params=params)
    nodes = [_with_input(one, after, node.id) for one in document.nodes]
    place = next((i + 1 for i, one in enumerate(nodes) if one.id == after), 0)
    return _changed(document, nodes=[*nodes[:place], node, *nodes[place:]], moved=(after, node.id)), node.id


def update_step(document: RecipeDocument, node_id: Id, **changes: Any) -> RecipeDocument:
    """Change fields of a step: ``params``, ``inputs``, ``enabled``, ``note``."""
    _step(document, node_id)
    return _changed(
        document, nodes=[one.model_copy(update=changes) if one.id == node_id else one for one in document.nodes]
    )


def remove_step(document: RecipeDocument, node_id: Id) -> RecipeDocument:
    """Take a step out; what took rows from it takes them from its first input."""
    node = _step(document, node_id)
    nodes = [_with_input(one, node_id, node.inputs[0]) for one in document.nodes if one.id != node_id]
    return _changed(document, nodes=nodes, moved=(node_id, node.inputs[0]))


def move_step(document: RecipeDocument, node_id: Id, after: Id) -> RecipeDocument:
    """Take a step out and put it behind another part.

    Raises
    ------
    ConflictError
        If `after` is the step itself.
    """
    if node_id == after:
        raise ConflictError(f"The step {node_id!r} cannot come after itself.")
    node = _step(document, node_id)
    rest = remove_step(document, node_id)
    part(rest, after)
    moved = node.model_copy(update={"inputs": [after, *node.inputs[1:]]})
    nodes = [_with_input(one, after, node_id) for one in rest.nodes]
    place = next((i + 1 for i, one in enumerate(nodes) if one.id == after), 0)
    return _changed(rest, nodes=[*nodes[:place], moved, *nodes[place:]], moved=(after, node_id))


def duplicate_step(document: RecipeDocument, node_id: Id) -> tuple[RecipeDocument, Id]:
    """Put a copy of a step behind it."""
    node = _step(document, node_id)
    return insert_step(document, node.op, dict(node.params), node_id)


def merge(document: RecipeDocument, other: RecipeDocument) -> tuple[RecipeDocument, dict[Id, Id]]:
    """Put the parts of another recipe beside those of this one.

    Returns
    -------
    tuple
        The recipe, and for each part of the other one its id here. A source that both have is taken once.
    """
    names: dict[Id, Id] = {}
    for source in other.sources:
        twin = next((one for one in document.sources if _same_source(one, source)), None)
        names[source.id] = twin.id if twin else new_id(document, "s")
        if twin is None:
            document = add_source(document, source.model_copy(update={"id": names[source.id]}))
    for node in other.nodes:
        twin_node = next((one for one in document.nodes if one == _renamed(node, names, one.id)), None)
        names[node.id] = twin_node.id if twin_node else new_id(document, "n")
        if twin_node is None:
            document = _changed(document, nodes=[*document.nodes, _renamed(node, names, names[node.id])])
    return document, names


def _same_source(one: Source, other: Source) -> bool:
    return one.kind != "frame" and one.model_dump(exclude={"id"}) == other.model_dump(exclude={"id"})


def _renamed(node: Node, names: dict[Id, Id], node_id: Id) -> Node:
    return node.model_copy(update={"id": node_id, "inputs": [names.get(one, one) for one in node.inputs]})


def _step(document: RecipeDocument, node_id: Id) -> Node:
    found = part(document, node_id)
    if not isinstance(found, Node):
        raise InvalidArgumentError(f"{node_id!r} is a source, not a step.")
    return found


def _with_input(node: Node, old: Id, new: Id) -> Node:
    if old not in node.inputs:
        return node
    return node.model_copy(update={"inputs": [new if one == old else one for one in node.inputs]})


def _changed(document: RecipeDocument, moved: tuple[Id, Id] | None = None, **fields: Any) -> RecipeDocument:
    """Return a document with other fields; outputs and analyses of the first of `moved` go to the second."""
    if moved is not None:
        old, new = moved
        for field in ("outputs", "analyses"):
            fields[field] = [
                one.model_copy(update={"node": new}) if one.node == old else one for one in getattr(document, field)
            ]
    changed = document.model_copy(update=fields)
    validate_graph(changed)
    return changed
