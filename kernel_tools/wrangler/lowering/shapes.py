"""What the relations of a step need on frames that keep the order of their rows.

On an engine rows have no order, so steps number them and sort by the number in the end. On frames most of that falls
away: columns that nobody needs, and sorting by what the rows are in order of.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import ibis.expr.operations as ops

from kernel_tools.wrangler.lowering.errors import UnsupportedError


class Shapes:
    """The relations under one, with what is needed of each.

    Attributes
    ----------
    uses
        How many relations take their rows from one.
    needed
        The columns of each that somebody needs, in the order of its schema.
    order
        The columns that the rows of each are in ascending order of, on frames.
    """

    def __init__(self, root: ops.Relation) -> None:
        self.uses: Counter[ops.Relation] = Counter()
        self.order: dict[ops.Relation, tuple[str, ...]] = {}
        self._wanted: dict[ops.Relation, set[str]] = {}
        relations = _sorted(root)
        for relation in relations:
            self.uses.update(parents(relation))
            self.order[relation] = self._order(relation)
        self._wanted = {relation: set() for relation in relations}
        self._wanted[root] = set(root.schema)
        for relation in reversed(relations):
            self._want(relation, self._wanted[relation])
        self.needed = {one: [name for name in one.schema if name in self._wanted[one]] for one in relations}

    def keys(self, keys: tuple[ops.SortKey, ...], relation: ops.Relation) -> list[ops.SortKey]:
        """Return the keys that rows still have to be sorted by, if those that are alike keep their order."""
        order = self.order.get(relation, ())
        for start in range(len(keys)):
            rest = keys[start:]
            names = tuple(key.arg.name if isinstance(key.arg, ops.Field) and key.ascending else None for key in rest)
            if names == order[: len(rest)]:
                return list(keys[:start])
        return list(keys)

    def first_of_each(self, relation: Any) -> tuple[str, tuple[Any, ...]]:
        """Return the number by which a filter keeps the first of rows that are alike, and what is alike in them.

        There are no columns if the filter keeps other rows.
        """
        (test, *others), parent = relation.predicates, relation.parent
        nothing: tuple[str, tuple[Any, ...]] = ("", ())
        if others or not isinstance(parent, ops.Project) or self.uses[parent] > 1 or not isinstance(test, ops.Equals):
            return nothing
        if not (isinstance(test.left, ops.Field) and isinstance(test.right, ops.Literal) and test.right.value == 0):
            return nothing
        name, number = test.left.name, parent.values[test.left.name]
        if name in self.needed[relation] or not isinstance(number, ops.WindowFunction):
            return nothing
        if not isinstance(number.func, ops.RowNumber) or self.keys(number.order_by, parent.parent):
            return nothing
        is_plain = all(
            isinstance(one, ops.Field) and _is_field(parent.values.get(one.name), one.name) for one in number.group_by
        )
        return (name, number.group_by) if is_plain else nothing

    def _order(self, relation: Any) -> tuple[str, ...]:
        if isinstance(relation, ops.Project):
            if any(parts_of(value, ops.Unnest) for value in relation.values.values()):
                return ()
            return self._projected(relation)
        if isinstance(relation, ops.Sort):
            kept = self.keys(relation.keys, relation.parent)
            names = [key.arg.name for key in kept if isinstance(key.arg, ops.Field) and key.ascending]
            return (*names, *self.order[relation.parent]) if len(names) == len(kept) else ()
        if isinstance(relation, ops.TableUnnest):
            return (*self.order[relation.parent], *([relation.offset] if relation.offset else []))
        if isinstance(relation, ops.JoinChain):
            return self._joined(relation)
        if isinstance(relation, ops.Union):
            return self._united(relation)
        if isinstance(relation, (ops.Filter, ops.DropColumns, ops.Limit, ops.DropNull)):
            order = self.order[relation.parent]
            return order if set(order) <= set(relation.schema) else ()
        return ()

    def _projected(self, relation: Any) -> tuple[str, ...]:
        order = []
        for old in self.order[relation.parent]:
            names = [name for name, value in relation.values.items() if _is_field(value, old)]
            if not names:
                break
            order.append(names[0])
        numbers = [name for name, value in relation.values.items() if is_row_number(value)]
        return tuple(order or numbers[:1])

    def _joined(self, relation: Any) -> tuple[str, ...]:
        if len(relation.rest) != 1 or relation.rest[0].how not in ("inner", "left", "semi", "anti", "cross"):
            return ()
        link = relation.rest[0]
        names = {(value.rel, value.name): name for name, value in relation.values.items()}
        sides = [relation.first] if link.how in ("semi", "anti") else [relation.first, link.table]
        orders = [[names.get((side, one)) for one in self.order[side.parent]] for side in sides]
        found = [name for order in orders for name in order]
        return tuple(name for name in found if name) if all(orders) and all(found) else ()

    def _united(self, relation: Any) -> tuple[str, ...]:
        if relation.distinct:
            return ()
        parts = union_parts(relation)
        orders = {self.order[part] for part in parts}
        if len(orders) != 1 or not all(isinstance(part, ops.Project) for part in parts):
            return ()
        for name in relation.schema:
            if _numbers(parts, name) == sorted(_numbers(parts, name)) != []:
                return (name, *orders.pop())
        return ()

    def _want(self, relation: Any, names: set[str]) -> None:
        if isinstance(relation, ops.Project):
            unnested = [name for name, value in relation.values.items() if parts_of(value, ops.Unnest)]
            for name in {*names, *unnested}:
                self._want_value(relation.values[name], relation.parent)
        elif isinstance(relation, ops.Filter):
            self._wanted[relation.parent] |= names
            for one in relation.predicates:
                self._want_value(one, relation.parent)
        elif isinstance(relation, ops.Sort):
            self._wanted[relation.parent] |= names
            for key in self.keys(relation.keys, relation.parent):
                self._want_value(key, relation.parent)
        elif isinstance(relation, ops.Aggregate):
            for value in (
                *relation.groups.values(),
                *(relation.metrics[one] for one in names if one in relation.metrics),
            ):
                self._want_value(value, relation.parent)
        elif isinstance(relation, ops.JoinChain):
            tests = [test for link in relation.rest for test in link.predicates]
            for value in [*tests, *(relation.values[name] for name in names)]:
                for field in parts_of(value, ops.Field):
                    self._wanted[field.rel.parent].add(field.name)
        elif isinstance(relation, ops.TableUnnest):
            self._wanted[relation.parent] |= names - {relation.column_name, relation.offset}
            self._want_value(relation.column, relation.parent)
        elif isinstance(relation, ops.DropNull):
            self._wanted[relation.parent] |= names | {one.name for one in relation.subset or ()}
            if relation.subset is None:
                self._wanted[relation.parent] |= set(relation.schema)
        else:
            every = set(relation.schema) if getattr(relation, "distinct", True) else names
            for parent in parents(relation):
                self._wanted[parent] |= names if isinstance(relation, (ops.DropColumns, ops.Limit)) else every

    def _want_value(self, value: ops.Value, parent: ops.Relation) -> None:
        for name in self._names(value, parent):
            self._wanted[parent].add(name)

    def _names(self, value: Any, parent: ops.Relation) -> set[str]:
        """Return the columns that a value is computed from, without what only orders rows that are in order."""
        if isinstance(value, ops.Field):
            return {value.name}
        found: set[str] = set()
        for child in value.__children__:
            if isinstance(child, ops.SortKey):
                continue
            if isinstance(child, ops.Value):
                found |= self._names(child, parent)
        for key in self.keys(tuple(getattr(value, "order_by", ())), parent):
            found |= self._names(key.arg, parent)
        return found | (self._names(value.arg, parent) if isinstance(value, ops.SortKey) else set())


def parents(relation: Any) -> list[ops.Relation]:
    """Return the relations that one takes its rows from.

    Raises
    ------
    UnsupportedError
        If it is of a kind that frames do not have.
    """
    if isinstance(relation, ops.UnboundTable):
        return []
    if isinstance(relation, ops.Union):
        return [relation.left, relation.right]
    if isinstance(relation, ops.JoinChain):
        return [relation.first.parent, *(link.table.parent for link in relation.rest)]
    if isinstance(relation, _UNARY):
        return [relation.parent]
    raise UnsupportedError(f"the operation {type(relation).__name__}")


_UNARY = (ops.Project, ops.Filter, ops.Sort, ops.Limit, ops.DropColumns, ops.DropNull, ops.Aggregate, ops.TableUnnest,
          ops.Distinct)  # fmt: skip


def union_parts(relation: Any) -> list[Any]:
    """Return what a union of unions puts one behind the other; by their numbers, where each has its own."""
    if not isinstance(relation, ops.Union) or relation.distinct:
        return [relation]
    parts = [*union_parts(relation.left), *union_parts(relation.right)]
    for name in relation.schema:
        numbers = _numbers(parts, name)
        if numbers:
            return [part for _, part in sorted(zip(numbers, parts, strict=True), key=lambda pair: pair[0])]
    return parts


def _numbers(parts: list[Any], name: str) -> list[int]:
    """Return the whole number that a column is in each part, if it is another one in each."""
    values = [part.values[name] if isinstance(part, ops.Project) else None for part in parts]
    numbers = [one.value for one in values if isinstance(one, ops.Literal) and type(one.value) is int]
    return numbers if len(set(numbers)) == len(parts) else []


def parts_of(value: Any, kind: Any) -> list[Any]:
    """Return the values of a kind that a value is made of."""
    found: list[Any] = value.find(kind, filter=ops.Value)
    return found


def is_row_number(value: Any) -> bool:
    """Whether a value is the number of the row in the order that rows have."""
    return (
        isinstance(value, ops.WindowFunction)
        and isinstance(value.func, ops.RowNumber)
        and not value.group_by
        and not value.order_by
    )


def _is_field(value: Any, name: str) -> bool:
    return isinstance(value, ops.Field) and value.name == name


def _sorted(root: ops.Relation) -> list[ops.Relation]:
    """Return a relation and all that it is made of, what is needed first."""
    done: dict[ops.Relation, None] = {}

    def visit(relation: ops.Relation) -> None:
        if relation not in done:
            for parent in parents(relation):
                visit(parent)
            done[relation] = None

    visit(root)
    return list(done)


def is_not_negative(value: Any) -> bool:
    """Whether a number is known not to be below 0: counts, numbers of rows, and sums and products of these."""
    if isinstance(value, ops.Literal):
        return isinstance(value.value, (int, float)) and value.value >= 0
    if isinstance(value, ops.Field) and isinstance(value.rel, (ops.Project, ops.Sort, ops.Filter)):
        below = value.rel.values.get(value.name) if isinstance(value.rel, ops.Project) else None
        return is_not_negative(below if below is not None else ops.Field(value.rel.parent, value.name))
    if isinstance(value, (ops.Add, ops.Multiply, ops.Modulus)):
        return is_not_negative(value.left) and is_not_negative(value.right)
    if isinstance(value, (ops.Cast, ops.Abs)):
        return isinstance(value, ops.Abs) or is_not_negative(value.arg)
    return isinstance(
        getattr(value, "func", value),
        (ops.RowNumber, ops.MinRank, ops.DenseRank, ops.Count, ops.CountStar, ops.StringLength),
    )
