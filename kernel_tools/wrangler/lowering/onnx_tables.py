"""The steps of a recipe, from its source to its result, as columns of a graph.

Only what the result needs is lowered. Steps that choose or order rows change no value, so a graph leaves them out:
what they compute to choose by is needed by nobody.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.onnx_graph import Cell, Value
from kernel_tools.wrangler.lowering.onnx_values import Lowering, shape_of, tensor_kind

if TYPE_CHECKING:
    import ibis.expr.operations as ops


class FailedRelationError(UnsupportedError):
    """Says which relation cannot be lowered."""

    def __init__(self, reason: str, relation: ops.Relation) -> None:
        super().__init__(reason)
        self.relation = relation


def lower_table(lowering: Lowering, relation: ops.Relation, source: ops.Relation, needed: Collection[str]) -> None:
    """Put the columns of a relation that are needed into the cells of the lowering, and all that they need.

    Raises
    ------
    FailedRelationError
        If a relation has no rule, or an expression in it.
    """
    chain: list[tuple[ops.Relation, list[str]]] = []
    wanted = list(dict.fromkeys(needed))
    while relation != source:
        chain.append((relation, wanted))
        relation, wanted = _before(relation, wanted)
    lowering.cells[source] = {name: _input(lowering, source, name) for name in wanted}
    for relation, wanted in reversed(chain):
        try:
            lowering.cells[relation] = _cells(lowering, relation, wanted)
        except FailedRelationError:
            raise
        except UnsupportedError as error:
            raise FailedRelationError(str(error), relation) from error


_REASONS = {
    "Aggregate": "it aggregates rows",
    "JoinChain": "it joins tables",
    "Union": "it puts tables together",
    "TableUnnest": "it makes several rows of one",
    "DatabaseTable": "a library computes it, on frames",
}


def _input(lowering: Lowering, source: ops.Relation, name: str) -> Cell:
    try:
        kind = tensor_kind(source.schema[name])
    except UnsupportedError as error:
        raise FailedRelationError(f"the column {name!r}: {error}", source) from error
    value = Value(kind, lowering.graph.input(name, kind))
    return Cell(lowering.truth(value) if source.schema[name].is_boolean() else value)


def _before(relation: ops.Relation, wanted: list[str]) -> tuple[ops.Relation, list[str]]:
    """Return the relation that one is made of, and its columns that the wanted ones need."""
    import ibis.expr.operations as ops

    if isinstance(relation, (ops.Filter, ops.Sort, ops.Limit, ops.Distinct, ops.DropNull, ops.Sample, ops.DropColumns)):
        return relation.parent, wanted
    if not isinstance(relation, ops.Project):
        kind = type(relation).__name__
        raise FailedRelationError(_REASONS.get(kind, f"there is no rule for {kind}"), relation)
    fields = {
        field.name: None
        for name in wanted
        for field in relation.values[name].find(ops.Field, filter=ops.Value)
        if field.rel == relation.parent
    }
    return relation.parent, list(fields)


def _cells(lowering: Lowering, relation: ops.Relation, wanted: list[str]) -> dict[str, Cell]:
    import ibis.expr.operations as ops

    if not isinstance(relation, ops.Project):
        return {name: lowering.cells[relation.parent][name] for name in wanted}
    cells: dict[str, Cell] = {}
    alike: dict[object, list[str]] = {}
    for name in wanted:
        node = relation.values[name]
        if isinstance(node, ops.Field):
            cells[name] = lowering.cells[node.rel][node.name]
        else:
            alike.setdefault(shape_of(node), []).append(name)
    for names in alike.values():
        value = lowering.lower([relation.values[name] for name in names])
        for index, name in enumerate(names):
            cells[name] = Cell(value, index if value.width > 1 else 0)
    return cells
