"""The graph of a recipe: what comes before what, and a hash of each step with all that is before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from kernel_tools.core.errors import InvalidArgumentError, NotFoundError
from kernel_tools.wrangler.document import Id, Node, RecipeDocument, Source


def validate_graph(document: RecipeDocument) -> None:
    """Refuse ids that occur twice, inputs that do not exist, and circles.

    Raises
    ------
    InvalidArgumentError
        With the step and what is wrong with it.
    """
    seen: set[Id] = set()
    for part_id in [one.id for one in document.sources] + [one.id for one in document.nodes]:
        if part_id in seen:
            raise InvalidArgumentError(f"The recipe has two parts with the id {part_id!r}. Give one another id.")
        seen.add(part_id)
    for node in document.nodes:
        if not node.inputs:
            raise InvalidArgumentError(
                f"The step {node.id!r} ({node.op}) has no input. Connect it to a source or a step."
            )
        for needed in node.inputs:
            if needed not in seen:
                raise InvalidArgumentError(
                    f"The step {node.id!r} ({node.op}) takes rows from {needed!r}, which does not exist. "
                    "Connect it to another step, or remove it."
                )
    list(ordered(document))


def ordered(document: RecipeDocument) -> Iterator[Node]:
    """Yield the steps, each after those that it takes rows from; otherwise in the order of the document.

    Raises
    ------
    InvalidArgumentError
        If steps wait for each other in a circle.
    """
    done = {source.id for source in document.sources}
    waiting = list(document.nodes)
    while waiting:
        ready = [node for node in waiting if done.issuperset(node.inputs)]
        if not ready:
            circle = ", ".join(node.id for node in waiting)
            raise InvalidArgumentError(f"The steps {circle} take rows from each other in a circle. Cut it open.")
        for node in ready:
            done.add(node.id)
            yield node
        waiting = [node for node in waiting if node.id not in done]


def part(document: RecipeDocument, part_id: Id) -> Source | Node:
    """Return the source or step with an id.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    parts: list[Source | Node] = [*document.sources, *document.nodes]
    for found in parts:
        if found.id == part_id:
            return found
    raise NotFoundError(f"The recipe {document.name!r} has no source or step {part_id!r}.")


def before(document: RecipeDocument, part_id: Id) -> RecipeDocument:
    """Return the recipe cut down to a step and what it needs."""
    needed, open_ids = {part_id}, [part_id]
    while open_ids:
        found = part(document, open_ids.pop())
        new = [one for one in getattr(found, "inputs", []) if one not in needed]
        needed.update(new)
        open_ids += new
    return document.model_copy(
        update={
            "sources": [source for source in document.sources if source.id in needed],
            "nodes": [node for node in document.nodes if node.id in needed],
            "outputs": [output for output in document.outputs if output.node in needed],
            "analyses": [analysis for analysis in document.analyses if analysis.node in needed],
        }
    )


def last(document: RecipeDocument) -> Id:
    """Return the id of the step that the recipe ends with: that of its first output, else the last one that there is.

    Raises
    ------
    InvalidArgumentError
        If the recipe has no source.
    """
    if document.outputs:
        return document.outputs[0].node
    if document.nodes:
        return list(ordered(document))[-1].id
    if not document.sources:
        raise InvalidArgumentError(f"The recipe {document.name!r} has no source. Add one first.")
    return document.sources[0].id


def hashes(document: RecipeDocument) -> dict[Id, str]:
    """Return for every source and step a hash of it and of all before it: the same hash does the same.

    Names, notes and what was learned do not count; a step that is turned off counts as what it passes on.
    """
    found: dict[Id, str] = {}
    for source in document.sources:
        found[source.id] = _hash(source.model_dump(mode="json", exclude={"id", "name"}))
    for node in ordered(document):
        if node.enabled:
            found[node.id] = _hash([node.op, node.op_version, node.params, [found[one] for one in node.inputs]])
        else:
            found[node.id] = found[node.inputs[0]]
    return found


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:32]
