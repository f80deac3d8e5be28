"""The relations of a step as statements on frames; how a library writes them is said by its `Language`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ibis.expr.operations as ops
from ibis import Schema

from kernel_tools.wrangler.document import Source
from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.layout import statement
from kernel_tools.wrangler.lowering.shapes import Shapes, parents, parts_of, union_parts


@dataclass
class Context:
    """Where a value is written: what relations are called, which keys rows have to be sorted by, and whose rows."""

    variable: Callable[[ops.Relation], str]
    shapes: Shapes
    relation: ops.Relation

    @property
    def frame(self) -> str:
        """The variable whose rows a value is computed from."""
        return self.variable(self.relation)


@dataclass(frozen=True)
class Chain:
    """A frame as code: a variable (or a call), and methods that are called on it one after the other."""

    base: str
    columns: list[str]
    calls: list[str] = field(default_factory=list)
    owner: ops.Relation | None = None

    def then(self, call: str, columns: Sequence[str] | None = None) -> Chain:
        """Return the chain with one more call."""
        return Chain(self.base, list(self.columns if columns is None else columns), [*self.calls, call], self.owner)

    @property
    def code(self) -> str:
        """The expression, on one line."""
        return self.base + "".join(self.calls)


class Language(ABC):
    """How a library writes relations and values.

    Every method that returns a call returns what stands behind a frame, for example ``.drop("a")``.
    """

    name: str
    names_frames: bool
    """Whether values name the variable of their frame, so that it has to be one."""
    tells_zeros_apart: bool
    """Whether 0.0 and -0.0 are not alike when it looks for rows that are."""

    @abstractmethod
    def read(self, source: Source, given: str, schema: Schema) -> str:
        """Return the expression that reads a source.

        Parameters
        ----------
        source
            The source.
        given
            The variable that holds its rows if it reads none itself.
        schema
            The columns that the recipe finds in it.

        Raises
        ------
        UnsupportedError
            If the library cannot.
        """

    @abstractmethod
    def to_pandas(self, variable: str) -> list[str]:
        """Return statements that make a frame of pandas with Arrow types of the variable's."""

    @abstractmethod
    def from_pandas(self, variable: str) -> list[str]:
        """Return statements that make a frame of this library of it again."""

    @abstractmethod
    def value(self, op: ops.Value, context: Context) -> str:
        """Return an expression for a value of the type that Ibis promises."""

    @abstractmethod
    def assign(self, values: Mapping[str, ops.Value], context: Context) -> str:
        """Return the call that adds or replaces columns."""

    @abstractmethod
    def choose(self, columns: Sequence[str]) -> str:
        """Return the call that takes columns in this order."""

    @abstractmethod
    def drop(self, columns: Sequence[str]) -> str:
        """Return the call that leaves columns out."""

    @abstractmethod
    def rename(self, names: Mapping[str, str]) -> str:
        """Return the call that gives columns other names."""

    @abstractmethod
    def filter(self, conditions: Sequence[ops.Value], context: Context) -> str:
        """Return the call that keeps rows for which all conditions hold."""

    @abstractmethod
    def sort(self, names: Sequence[str], descending: Sequence[bool]) -> str:
        """Return the call that sorts rows: missing values last, rows that are alike in their order."""

    @abstractmethod
    def limit(self, start: int, rows: int | None) -> str:
        """Return the call that takes rows by their place."""

    @abstractmethod
    def drop_null(self, columns: Sequence[str] | None, how: str) -> str:
        """Return the call that leaves out rows in which any, or all, of the columns are missing."""

    @abstractmethod
    def unnest(self, column: str, *, keeps_empty: bool = True) -> str:
        """Return the call that makes a row of each element; of a list without any, one or none."""

    @abstractmethod
    def unique(self, columns: Sequence[str]) -> str:
        """Return the call that keeps the first of rows that are alike in these columns."""

    @abstractmethod
    def aggregate(self, keys: Sequence[str], metrics: Mapping[str, ops.Value], frame: Chain, context: Context) -> Chain:
        """Return the frame of the groups."""

    @abstractmethod
    def unite(self, frames: Sequence[str]) -> str:
        """Return the expression for frames of the same columns one behind the other."""

    @abstractmethod
    def join(self, left: Chain, right: str, how: str, keys: Sequence[Key], columns: Sequence[str]) -> Chain:
        """Return the frame with the partners of its rows; `columns` are those of the second frame that are taken."""


@dataclass(frozen=True)
class Key:
    """A column of the first frame and its partner in the second; `is_identical` if missing is equal to missing."""

    left: str
    right: str
    is_identical: bool


class Statements:
    """Writes the relations of one step, the inner ones first.

    Parameters
    ----------
    language
        Whose frames they are.
    inputs
        The variable of each input, by the name of its table.
    target
        The variable that holds the result.
    """

    def __init__(self, language: Language, inputs: Mapping[str, str], target: str) -> None:
        self._language, self._inputs, self._target = language, inputs, target
        self._lines: list[str] = []
        self._chains: dict[ops.Relation, Chain] = {}
        self._taken = {target, *inputs.values()}

    def of(self, root: ops.Relation) -> list[str]:
        """Return the statements that leave a relation in the target.

        Raises
        ------
        UnsupportedError
            If the library has no words for something in it.
        """
        self._shapes = Shapes(root)
        chain = self._chain(root)
        chain = self._only(chain, list(root.schema))
        if chain.code != self._target:
            self._lines.append(statement(self._target, chain.code))
        return self._lines

    def _chain(self, relation: ops.Relation) -> Chain:
        if relation not in self._chains:
            self._chains[relation] = self._write(relation)
            if self._shapes.uses[relation] > 1:
                self._settled(relation)
        return self._chains[relation]

    def _settled(self, relation: ops.Relation) -> Chain:
        """Return a relation as a variable."""
        chain = self._chain(relation)
        if chain.calls or not chain.base.isidentifier():
            variable = self._variable(chain)
            self._lines.append(statement(variable, chain.code))
            chain = self._chains[relation] = Chain(variable, chain.columns, [], relation)
        return chain

    def _variable(self, chain: Chain) -> str:
        """Return a variable for a chain: the one that it begins with if nobody else needs that."""
        owner = chain.owner
        is_free = owner is not None and self._shapes.uses[owner] == 1
        if is_free and (chain.base == self._target or not isinstance(owner, ops.UnboundTable)):
            return chain.base
        number = 2
        while f"{self._target}_{number}" in self._taken:
            number += 1
        self._taken.add(f"{self._target}_{number}")
        return f"{self._target}_{number}"

    def _write(self, relation: Any) -> Chain:
        if isinstance(relation, ops.UnboundTable):
            return Chain(self._inputs[relation.name], list(relation.schema), [], relation)
        if isinstance(relation, ops.Union):
            return self._unite(relation)
        if isinstance(relation, ops.JoinChain):
            return self._join(relation)
        writer: Callable[[Any, Chain], Chain] = {
            ops.Project: self._project,
            ops.DropColumns: self._drop,
            ops.Filter: self._filter,
            ops.Sort: self._sort,
            ops.Limit: self._limit,
            ops.DropNull: self._drop_null,
            ops.Aggregate: self._aggregate,
            ops.TableUnnest: self._unnest,
            ops.Distinct: lambda one, chain: chain.then(self._language.unique(list(one.schema))),
        }[type(relation)]
        (parent,) = parents(relation)
        return writer(relation, self._chain(parent))

    def _of(self, relation: ops.Relation) -> Context:
        return Context(lambda one: self._settled(one).base, self._shapes, relation)

    def _readable(self, relation: ops.Relation) -> Chain:
        """Return a relation in the form in which values can be computed from it."""
        return self._settled(relation) if self._language.names_frames else self._chain(relation)

    def _project(self, op: Any, chain: Chain, without: Iterable[str] = ()) -> Chain:
        unnested = [name for name, value in op.values.items() if parts_of(value, ops.Unnest)]
        wanted = [name for name in op.values if name in {*self._shapes.needed[op], *unnested} - set(without)]
        values = {name: op.values[name] for name in wanted}
        plain = {name: value.name for name, value in values.items() if isinstance(value, ops.Field)}
        renamed = {old: name for name, old in plain.items() if old != name}
        is_moved = len(set(plain.values())) == len(plain) and not set(renamed) & set(wanted)
        is_moved = is_moved and not any(name in chain.columns or name.startswith("__") for name in renamed.values())
        new = {
            name: one for name, one in values.items() if plain.get(name) != name and not (is_moved and name in plain)
        }
        if new:
            chain = self._readable(op.parent)
            chain = chain.then(
                self._language.assign(new, self._of(op.parent)), [*chain.columns, *_others(new, chain.columns)]
            )
        for name in unnested:
            chain = chain.then(self._language.unnest(name))
        if is_moved and renamed:
            chain = chain.then(self._language.rename(renamed), [renamed.get(one, one) for one in chain.columns])
        return chain

    def _only(self, chain: Chain, columns: list[str]) -> Chain:
        """Return a frame with these columns alone, in this order."""
        if chain.columns == columns:
            return chain
        gone = [name for name in chain.columns if name not in columns]
        kept = [name for name in chain.columns if name in columns]
        if kept == columns and (len(gone) <= len(kept) or all(name.startswith("__") for name in gone)):
            return chain.then(self._language.drop(gone), columns)
        return chain.then(self._language.choose(columns), columns)

    def _drop(self, op: Any, chain: Chain) -> Chain:
        return chain

    def _filter(self, op: Any, chain: Chain) -> Chain:
        number, keys = self._shapes.first_of_each(op)
        if keys and not (self._language.tells_zeros_apart and any(one.dtype.is_floating() for one in keys)):
            chain = self._project(op.parent, self._chain(op.parent.parent), without=[number])
            return chain.then(self._language.unique([one.name for one in keys]))
        chain = self._readable(op.parent)
        return chain.then(self._language.filter(op.predicates, self._of(op.parent)))

    def _sort(self, op: Any, chain: Chain) -> Chain:
        keys = self._shapes.keys(op.keys, op.parent)
        if not keys:
            return chain
        if not all(isinstance(key.arg, ops.Field) for key in keys):
            raise UnsupportedError("sorting by a computed value")
        return chain.then(self._language.sort([key.arg.name for key in keys], [not key.ascending for key in keys]))

    def _limit(self, op: Any, chain: Chain) -> Chain:
        if not (op.n is None or isinstance(op.n, int)) or not isinstance(op.offset, int):
            raise UnsupportedError("a computed number of rows")
        return chain.then(self._language.limit(op.offset, op.n))

    def _drop_null(self, op: Any, chain: Chain) -> Chain:
        columns = None if op.subset is None else [one.name for one in op.subset]
        if columns is None and chain.columns != list(op.schema):
            columns = list(op.schema)
        return chain.then(self._language.drop_null(columns, op.how))

    def _unnest(self, op: Any, chain: Chain) -> Chain:
        if op.offset in self._shapes.needed[op]:
            raise UnsupportedError("the place of an element")
        if not isinstance(op.column, ops.Field):
            chain = self._readable(op.parent)
            assigned = self._language.assign({op.column_name: op.column}, self._of(op.parent))
            chain = chain.then(assigned, [*chain.columns, *_others([op.column_name], chain.columns)])
        elif op.column.name != op.column_name:
            chain = chain.then(self._language.rename({op.column.name: op.column_name}))
        return chain.then(self._language.unnest(op.column_name, keeps_empty=op.keep_empty))

    def _aggregate(self, op: Any, chain: Chain) -> Chain:
        computed = {name: value for name, value in op.groups.items() if not _is_same(name, value)}
        chain = self._readable(op.parent)
        if computed:
            raise UnsupportedError("groups of computed values")
        metrics = {name: value for name, value in op.metrics.items() if name in self._shapes.needed[op]}
        return self._language.aggregate(list(op.groups), metrics, chain, self._of(op.parent))

    def _unite(self, op: Any) -> Chain:
        columns = self._shapes.needed[op]
        frames = []
        for part in union_parts(op):
            chain = self._chain(part)
            frames.append(self._only(chain, columns))
        chain = Chain(self._language.unite([one.code for one in frames]), columns)
        return chain.then(self._language.unique(columns)) if op.distinct else chain

    def _join(self, op: Any) -> Chain:
        if len(op.rest) != 1:
            raise UnsupportedError("a join of more than two tables")
        link = op.rest[0]
        keys = [_key(test, op.first) for test in link.predicates]
        if any(not isinstance(value, ops.Field) for value in op.values.values()):
            raise UnsupportedError("computed columns of a join")
        fields = {name: op.values[name] for name in self._shapes.needed[op]}
        renamed = {one.name: name for name, one in fields.items() if one.rel == link.table and one.name != name}
        if any(one.rel == op.first and one.name != name for name, one in fields.items()):
            raise UnsupportedError("a join that gives columns of the first table other names")
        mine = [name for name, one in fields.items() if one.rel == op.first]
        left = self._chain(op.first.parent)
        copies = self._copied_keys(link, keys, {*fields, *(key.left for key in keys)})
        if copies:
            right = self._project(link.table.parent, self._chain(link.table.parent.parent), without=copies)
            keys = [Key(key.left, copies[key.right], key.is_identical) for key in keys]
        else:
            right = self._chain(link.table.parent)
        if renamed:
            keys = [Key(key.left, renamed.get(key.right, key.right), key.is_identical) for key in keys]
            names = [renamed.get(one, one) for one in right.columns]
            right = right.then(self._language.rename(renamed), names)
        needed = {*mine, *(key.left for key in keys)}
        left = self._only(left, [name for name in left.columns if name in needed])
        theirs = [name for name in fields if name not in mine]
        partners = [key.right for key in keys if key.right not in theirs]
        right = self._only(right, [name for name in right.columns if name in {*theirs, *partners}])
        found = self._language.join(left, right.code, link.how, keys, theirs)
        return self._only(found, list(fields))

    def _copied_keys(self, link: Any, keys: Sequence[Key], taken: set[str]) -> dict[str, str]:
        """Return what the keys of the second frame are copies of, if these columns will do as well."""
        right = link.table.parent
        if link.how in ("right", "outer") or not isinstance(right, ops.Project) or self._shapes.uses[right] > 1:
            return {}
        plain = {key.right: right.values[key.right] for key in keys}
        if not all(isinstance(one, ops.Field) for one in plain.values()):
            return {}
        copies = {name: one.name for name, one in plain.items()}
        is_free = all(copies[key.right] == key.left or copies[key.right] not in taken for key in keys)
        return copies if is_free and len(set(copies.values())) == len(copies) else {}


def _others(names: Iterable[str], taken: Sequence[str]) -> list[str]:
    return [name for name in names if name not in taken]


def _is_same(name: str, value: Any) -> bool:
    return isinstance(value, ops.Field) and value.name == name


def _key(test: Any, first: Any) -> Key:
    if not isinstance(test, (ops.Equals, ops.IdenticalTo)):
        raise UnsupportedError("a join by anything but equal values")
    sides = [test.left, test.right]
    if not all(isinstance(one, ops.Field) for one in sides):
        raise UnsupportedError("a join by computed values")
    if sides[0].rel != first:
        sides.reverse()
    return Key(sides[0].name, sides[1].name, isinstance(test, ops.IdenticalTo))
