"""A fitted recipe as pandas code that runs alone: a comment and a statement or two for each step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kernel_tools.wrangler.document import Id, Node, RecipeDocument, Source
from kernel_tools.wrangler.graph import before, last, ordered
from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.operators import make_operator

if TYPE_CHECKING:
    import ibis
    import ibis.expr.operations as ops

READERS = {"csv": "read_csv", "tsv": "read_csv", "parquet": "read_parquet", "orc": "read_orc", "json": "read_json",
           "jsonl": "read_json", "excel": "read_excel", "arrow": "read_feather"}  # fmt: skip


def pandas_code(
    document: RecipeDocument,
    schemas: Mapping[Id, ibis.Schema],
    states: Callable[[Id], dict[str, Any]],
    *,
    head: Id | None = None,
) -> str:
    """Return Python that reads the sources and computes a recipe with pandas; the result is in the last variable.

    Parameters
    ----------
    document, head
        The recipe, and the step to end with.
    schemas
        The columns of each source and after each step.
    states
        What a step has learned.

    Raises
    ------
    UnsupportedError
        If a step has no pandas code; it names the step and the operation.
    """
    head = head or last(document)
    document = before(document, head)
    names = variables(document)
    body: list[str] = []
    for source in document.sources:
        body += [read_code(source, names[source.id])]
    for node in ordered(document):
        operator = make_operator(node.op, node.params)
        if not node.enabled or not operator.applies_to_new:
            if names[node.id] != names[node.inputs[0]]:
                body.append(f"{names[node.id]} = {names[node.inputs[0]]}")
            continue
        body += ["", f"# {' '.join(operator.sentence().split())}"]
        body += step_lines(node, names, schemas, states)
    text = "\n".join(body)
    needed = [
        ("import datetime", "datetime." in text),
        ("", "datetime." in text),
        ("import numpy as np", "np." in text),
        ("import pandas as pd", True),
        ("import pyarrow as pa", "pa." in text),
    ]
    return "\n".join([line for line, is_used in needed if is_used] + ["", text, ""])


def step_lines(
    node: Node,
    names: Mapping[Id, str],
    schemas: Mapping[Id, ibis.Schema],
    states: Callable[[Id], dict[str, Any]],
) -> list[str]:
    """Return the statements of one step.

    Raises
    ------
    UnsupportedError
        If it has no pandas code.
    """
    import ibis

    operator = make_operator(node.op, node.params)
    inputs = [names[one] for one in node.inputs]
    target = names[node.id]
    if operator.is_eager:
        lines = operator.code(*inputs, state=states(node.id))
        return [*lines, *([f"{target} = {inputs[0]}"] if target != inputs[0] else [])]
    tables = [ibis.table(schemas[one], name=one) for one in node.inputs]
    by_table = dict(zip(node.inputs, inputs, strict=True))
    try:
        return _Statements(by_table, target).of(operator.build(*tables, state=states(node.id)).op())
    except UnsupportedError as error:
        raise UnsupportedError(f"The step {node.id} ({operator.title}) has no pandas code: {error}") from error


def variables(document: RecipeDocument) -> dict[Id, str]:
    """Return a variable for each part: ``df`` along a chain, another one for each branch."""
    followers = Counter(one for node in document.nodes for one in node.inputs)
    names: dict[Id, str] = {}
    for number, source in enumerate(document.sources, start=1):
        names[source.id] = "df" if len(document.sources) == 1 else f"df{number}"
    for node in ordered(document):
        first = node.inputs[0]
        names[node.id] = names[first] if followers[first] == 1 else f"{names[first]}_{node.id}"
    return names


def read_code(source: Source, variable: str) -> str:
    """Return the statement that reads a source, with Arrow types."""
    if source.kind == "frame" and source.uri is None:
        return f'{variable} = frame.convert_dtypes(dtype_backend="pyarrow")  # the table that the recipe was made for'
    if source.kind == "database":
        return f'{variable} = pd.read_sql({source.query!r}, {source.uri!r}, dtype_backend="pyarrow")'
    ending = (source.uri or "").lower().removesuffix(".gz").removesuffix(".zst").rsplit(".", 1)[-1]
    kind = source.format or {"xlsx": "excel", "xls": "excel", "ndjson": "jsonl", "feather": "arrow"}.get(ending, ending)
    if kind not in READERS or "*" in (source.uri or ""):
        raise UnsupportedError(f"The source {source.id} ({source.uri}) has no pandas code.")
    options = {"csv": "", "tsv": ', sep="\\t"', "jsonl": ", lines=True"}.get(kind, "")
    return f'{variable} = pd.{READERS[kind]}({source.uri!r}{options}, dtype_backend="pyarrow")'


class _Statements:
    """Turns the relations of one step into statements, the inner ones first."""

    def __init__(self, inputs: Mapping[str, str], target: str) -> None:
        self._inputs, self._target = inputs, target
        self._lines: list[str] = []
        self._variables: dict[ops.Relation, str] = {}
        self._uses: Counter[ops.Relation] = Counter()

    def of(self, op: ops.Relation) -> list[str]:
        """Return the statements that leave the relation in the target."""
        import ibis.expr.operations as ops

        for relation in op.find(ops.Relation):
            for child in relation.__children__:
                if isinstance(child, ops.Relation):
                    self._uses[child] += 1
        found = self._relation(op)
        if found != self._target:
            self._lines.append(f"{self._target} = {found}")
        return self._lines

    def _relation(self, op: ops.Relation) -> str:
        if op not in self._variables:
            self._variables[op] = self._write(op)
        return self._variables[op]

    def _write(self, op: Any) -> str:
        import ibis.expr.operations as ops

        if isinstance(op, ops.UnboundTable):
            return self._inputs[op.name]
        writer: Callable[[Any, str], str] | None = {
            ops.Project: self._project,
            ops.DropColumns: lambda one, parent: f"{parent}.drop(columns={list(one.columns_to_drop)!r})",
            ops.Filter: self._filter,
            ops.Sort: self._sort,
            ops.Limit: self._limit,
            ops.DropNull: self._drop_null,
            ops.Aggregate: self._aggregate,
        }.get(type(op))
        if writer is None:
            raise UnsupportedError(f"the operation {type(op).__name__} has no pandas code yet.")
        parent = self._relation(op.parent)
        code = writer(op, parent)
        is_shared = self._uses[op.parent] > 1
        variable = f"{self._target}_{len(self._lines) + 1}" if is_shared else self._target
        self._lines.append(f"{variable} = {code}")
        return variable

    def _project(self, op: Any, parent: str) -> str:
        import ibis.expr.operations as ops

        given = list(op.parent.schema)
        fields = {name: value for name, value in op.values.items() if isinstance(value, ops.Field)}
        own = {name: value for name, value in fields.items() if value.rel == op.parent}
        if len(own) == len(op.values):
            return self._chosen(op, parent, given, own)
        new = {name: self._value(value) for name, value in op.values.items() if not _is_same(name, value, op.parent)}
        code = f"{parent}.assign({_arguments(new)})"
        columns = [*given, *(name for name in new if name not in given)]
        if columns == list(op.values):
            return code
        gone = [name for name in columns if name not in op.values]
        if [name for name in columns if name in op.values] == list(op.values):
            return f"{code}.drop(columns={gone!r})"
        return f"{code}[{list(op.values)!r}]"

    def _chosen(self, op: Any, parent: str, given: list[str], own: Mapping[str, Any]) -> str:
        sources = [field.name for field in own.values()]
        if len(set(sources)) < len(sources):
            copies = {name: f"{parent}[{field.name!r}]" for name, field in own.items() if name != field.name}
            return f"{parent}.assign({_arguments(copies)})[{list(own)!r}]"
        renamed = {field.name: name for name, field in own.items() if field.name != name}
        kept = [name for name in given if name in sources]
        code = parent
        if kept != given or sources != given:
            gone = [name for name in given if name not in sources]
            code += f".drop(columns={gone!r})" if sources == kept and len(gone) <= len(kept) else f"[{sources!r}]"
        return f"{code}.rename(columns={renamed!r})" if renamed else code

    def _filter(self, op: Any, parent: str) -> str:
        conditions = [self._value(one) for one in op.predicates]
        joined = conditions[0] if len(conditions) == 1 else " & ".join(f"({one})" for one in conditions)
        return f"{parent}[({joined}).fillna(False)].reset_index(drop=True)"

    def _sort(self, op: Any, parent: str) -> str:
        import ibis.expr.operations as ops

        if not all(isinstance(key.arg, ops.Field) for key in op.keys):
            raise UnsupportedError("sorting by a computed value has no pandas code yet.")
        names, ascending = [key.arg.name for key in op.keys], [bool(key.ascending) for key in op.keys]
        order = "" if all(ascending) else f", ascending={ascending!r}"
        return f'{parent}.sort_values({names!r}{order}, kind="stable", ignore_index=True)'

    def _limit(self, op: Any, parent: str) -> str:
        start = op.offset if isinstance(op.offset, int) else 0
        if op.n is not None and not isinstance(op.n, int):
            raise UnsupportedError("a computed number of rows has no pandas code yet.")
        end = "" if op.n is None else start + op.n
        return f"{parent}.iloc[{start or ''}:{end}].reset_index(drop=True)"

    def _drop_null(self, op: Any, parent: str) -> str:
        subset = "" if op.subset is None else f"subset={[one.name for one in op.subset]!r}, "
        return f"{parent}.dropna({subset}how={op.how!r}).reset_index(drop=True)"

    def _aggregate(self, op: Any, parent: str) -> str:
        import ibis.expr.operations as ops

        plain = {ops.Max: "max", ops.Min: "min", ops.Mean: "mean", ops.Median: "median", ops.Count: "count"}
        wanted = {}
        for name, metric in op.metrics.items():
            if isinstance(metric, ops.CountStar) and metric.where is None and op.groups:
                wanted[name] = f"({next(iter(op.parent.schema))!r}, 'size')"
                continue
            if isinstance(metric, ops.Sum) and isinstance(metric.arg, ops.Field) and metric.where is None:
                wanted[name] = f"({metric.arg.name!r}, lambda values: values.sum(min_count=1))"
                continue
            is_plain = type(metric) in plain and isinstance(metric.arg, ops.Field) and metric.where is None
            if not is_plain or not op.groups:
                raise UnsupportedError(f"the aggregate {type(metric).__name__} has no pandas code yet.")
            wanted[name] = f"({metric.arg.name!r}, {plain[type(metric)]!r})"
        if not all(isinstance(one, ops.Field) and one.name == name for name, one in op.groups.items()):
            raise UnsupportedError("groups of computed values have no pandas code yet.")
        keys = list(op.groups)
        return f"{parent}.groupby({keys!r}, dropna=False, as_index=False).agg({_arguments(wanted)})"

    def _value(self, op: Any) -> str:
        from kernel_tools.wrangler.lowering.pandas_values import value_code

        return value_code(op, self._relation)


def _is_same(name: str, value: Any, parent: Any) -> bool:
    import ibis.expr.operations as ops

    return isinstance(value, ops.Field) and value.rel == parent and value.name == name


def _arguments(values: Mapping[str, str]) -> str:
    """Return keyword arguments, one on a line where they are long; a dictionary if a name is no word."""
    import keyword

    if all(name.isidentifier() and not keyword.iskeyword(name) for name in values):
        parts = [f"{name}={code}" for name, code in values.items()]
        line = ", ".join(parts)
        return line if len(line) <= 90 else "\n    " + ",\n    ".join(parts) + ",\n"
    parts = [f"{name!r}: {code}" for name, code in values.items()]
    line = ", ".join(parts)
    return f"**{{{line}}}" if len(line) <= 90 else "\n    **{\n        " + ",\n        ".join(parts) + ",\n    }\n"
