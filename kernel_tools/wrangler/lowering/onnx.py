"""A fitted recipe as an ONNX model, for a row at a time without Python, pandas or DuckDB.

The model has one input for each source column that the result needs, under the column's name, and one output for each
column of the result, under `OUTPUT` and its name; all have the shape (rows, 1). Inputs and outputs say the same things
in the same way:

- numbers, true and false (1 and 0): double; NaN is missing. Whole numbers are exact up to 2**53.
- text: string; `MISSING_TEXT` (U+2400) is missing, the empty text is a text.
- dates and date-times: int64, microseconds since 1970 in UTC; -2**63 (NumPy's NaT) is missing.

With `matrix` there is one output, `FEATURES`: float32 of the shape (rows, columns), for a model. The opsets are 21 and,
of ai.onnx.ml, 4. Steps that choose or order rows are left out: a row that a filter would have dropped comes out too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidArgumentError, MissingExtraError
from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.onnx_graph import MISSING_MOMENT, MISSING_TEXT, Graph, Truth

if TYPE_CHECKING:
    import ibis.expr.operations as ops
    import onnx
    import pandas as pd

    from kernel_tools.wrangler.document import Id
    from kernel_tools.wrangler.execution import Execution
    from kernel_tools.wrangler.recipe import Recipe

OUTPUT = "out."
"""What the names of outputs start with: a graph cannot give an output the name of an input."""
FEATURES = "features"
"""The output that holds all columns."""
_KEY = "atelier.columns"


def to_onnx(
    recipe: Recipe,
    data: Any = None,
    *,
    matrix: bool = False,
    columns: Sequence[str] | None = None,
) -> onnx.ModelProto:
    """Return the model of a fitted recipe.

    Parameters
    ----------
    recipe
        All of its steps have learned.
    data
        A frame or file with the columns of the source, whose types are taken; None takes the recipe's own source.
    matrix
        Whether all columns come out as one matrix of float32, for a model.
    columns
        The columns of the result that come out, in their order; None means all.

    Raises
    ------
    ConflictError
        If a step has not learned yet.
    UnsupportedError
        If a step cannot be said in ONNX; it names the step and the operation.
    MissingExtraError
        If onnx is not installed.
    """
    with recipe._execution(data, limit=1000, is_training=False, may_learn=False) as (execution, _):
        return lower(execution, recipe.head, matrix=matrix, columns=columns)


def lower(
    execution: Execution, node_id: Id, *, matrix: bool = False, columns: Sequence[str] | None = None
) -> onnx.ModelProto:
    """Do as `to_onnx`, for the step of an execution that applies what was learned (``is_training=False``)."""
    from kernel_tools.wrangler.lowering import onnx_rules as _rules  # noqa: F401  # fills the table of rules
    from kernel_tools.wrangler.lowering.onnx_tables import FailedRelationError, lower_table
    from kernel_tools.wrangler.lowering.onnx_values import Lowering

    source = _source(execution, node_id)
    relation = execution.table(node_id).op()
    names = list(relation.schema) if columns is None else list(columns)
    unknown = [name for name in names if name not in relation.schema]
    if unknown or not names:
        raise InvalidArgumentError(f"The result has no columns {unknown}. It has: {', '.join(relation.schema)}.")
    lowering = Lowering(Graph())
    try:
        lower_table(lowering, relation, source, names)
    except FailedRelationError as error:
        raise UnsupportedError(
            f"{_step(execution, error.relation)} cannot be said in ONNX: {error}. Put it behind what goes into the "
            "model, or use another step."
        ) from error
    kept = {name: str(source.schema[name]) for name in source.schema}
    result = {name: str(relation.schema[name]) for name in names}
    metadata = {_KEY: json.dumps({"inputs": kept, "outputs": result})}
    outputs = _features(lowering, relation, names) if matrix else _columns(lowering, relation, names)
    return lowering.graph.model(outputs, metadata)


def _source(execution: Execution, node_id: Id) -> ops.Relation:
    """Return the relation of the one source that a step goes back to, by its first inputs."""
    nodes = {node.id: node for node in execution.document.nodes}
    while node_id in nodes:
        node_id = nodes[node_id].inputs[0]
    source: ops.Relation = execution.table(node_id).op()
    return source


def _step(execution: Execution, relation: ops.Relation) -> str:
    """Say which step made a relation."""
    import ibis.expr.operations as ops

    from kernel_tools.wrangler.operators import make_operator

    for node in execution.document.nodes:
        if relation in execution.table(node.id).op().find(ops.Relation):
            return f"The step {node.id!r} ({make_operator(node.op, node.params).sentence()})"
    return "The source"


def _columns(lowering: Any, relation: ops.Relation, names: Sequence[str]) -> list[tuple[str, str, str, int]]:
    types = {"number": "DOUBLE", "text": "STRING", "moment": "INT64"}
    outputs = []
    for name in names:
        try:
            value = lowering.number(lowering.spread(lowering.joined([lowering.cells[relation][name]])))
        except UnsupportedError as error:
            raise UnsupportedError(
                f"The column {name!r} cannot be said in ONNX: {error}. Encode or drop it."
            ) from error
        outputs.append((OUTPUT + name, value.tensor, types[value.kind], 1))
    return outputs


def _features(lowering: Any, relation: ops.Relation, names: Sequence[str]) -> list[tuple[str, str, str, int]]:
    cells = [lowering.cells[relation][name] for name in names]
    others = [
        name
        for name, cell in zip(names, cells, strict=True)
        if not isinstance(cell.value, Truth) and cell.value.kind != "number"
    ]
    if others:
        raise UnsupportedError(
            f"A matrix holds numbers, and {', '.join(others)} hold none. Encode or drop them, or name the `columns`."
        )
    value = lowering.number(lowering.spread(lowering.side_by_side(cells)))
    return [(FEATURES, lowering.graph.cast(value.tensor, "FLOAT"), "FLOAT", len(names))]


def feeds_of(rows: Any, model: Any) -> dict[str, Any]:
    """Return what ONNX Runtime is fed with.

    Parameters
    ----------
    rows
        A frame of pandas or polars or an Arrow table; or one row as a dictionary, with None for missing values.
    model
        The model, or an ``onnxruntime.InferenceSession`` of it: that is quicker.

    Returns
    -------
    dict
        For each input an array of the shape (rows, 1).

    Raises
    ------
    InvalidArgumentError
        If a column is missing, or its values are of another kind.
    """
    if hasattr(rows, "to_pandas"):
        rows = rows.to_pandas()
    feeds = {}
    for name, dtype in _inputs(model):
        try:
            column = rows[name]
        except KeyError as error:
            raise InvalidArgumentError(f"The rows have no column {name!r}, which the model takes.") from error
        try:
            feeds[name] = _READERS[dtype]([column] if isinstance(rows, Mapping) else column)
        except (AttributeError, TypeError, ValueError) as error:
            raise InvalidArgumentError(f"The column {name!r} cannot be read as {_WORDS[dtype]}: {error}.") from error
    return feeds


def _inputs(model: Any) -> list[tuple[str, str]]:
    if hasattr(model, "get_inputs"):
        return [(item.name, item.type) for item in model.get_inputs()]
    names = {11: "tensor(double)", 8: "tensor(string)", 7: "tensor(int64)"}
    return [(item.name, names[item.type.tensor_type.elem_type]) for item in model.graph.input]


def _numbers(column: Any) -> Any:
    import numpy as np

    if hasattr(column, "to_numpy"):
        return column.to_numpy(dtype="float64", na_value=np.nan).reshape(-1, 1)
    return np.array(column, dtype=np.float64).reshape(-1, 1)


def _texts(column: Any) -> Any:
    import numpy as np

    listed = column.tolist() if hasattr(column, "tolist") else column
    texts = [[MISSING_TEXT if _is_missing(value) else str(value)] for value in listed]
    return np.array(texts, dtype=object).reshape(-1, 1)


def _is_missing(value: Any) -> bool:
    return value is None or type(value).__name__ in ("NAType", "NaTType") or bool(value != value)


def _moments(column: Any) -> Any:
    import numpy as np

    from kernel_tools.wrangler.lowering.onnx_values import microseconds

    dtype = getattr(column, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind == "M":
        return column.to_numpy().astype("datetime64[us]").astype(np.int64).reshape(-1, 1)
    listed = column.tolist() if hasattr(column, "tolist") else column
    moments = [[MISSING_MOMENT if _is_missing(value) else microseconds(value)] for value in listed]
    return np.array(moments, dtype=np.int64).reshape(-1, 1)


_READERS = {"tensor(double)": _numbers, "tensor(string)": _texts, "tensor(int64)": _moments}
_WORDS = {"tensor(double)": "numbers", "tensor(string)": "text", "tensor(int64)": "dates or date-times"}


def frame_of(outputs: Sequence[Any], model: onnx.ModelProto) -> pd.DataFrame:
    """Return the outputs of a run of all columns as a frame with Arrow types, as the engine would have computed it."""
    import ibis
    import pandas as pd
    import pyarrow as pa

    texts = {item.key: item.value for item in model.metadata_props}
    columns = {}
    for (name, dtype), output in zip(json.loads(texts[_KEY])["outputs"].items(), outputs, strict=True):
        array = output.ravel()
        to = ibis.dtype(dtype).to_pyarrow()
        if array.dtype == object or array.dtype.kind in "US":
            made = pa.array([None if one == MISSING_TEXT else one for one in array.tolist()], to)
        elif array.dtype.kind == "i":
            made = pa.array(array, mask=array == MISSING_MOMENT).cast(pa.timestamp("us")).cast(to)
        else:
            made = pa.array(array, from_pandas=True).cast(to)
        columns[name] = pd.Series(made, dtype=pd.ArrowDtype(to))
    return pd.DataFrame(columns)


def with_estimator(model: onnx.ModelProto, estimator: Any) -> onnx.ModelProto:
    """Join a recipe with the model that was trained on what it gives: one file from raw columns to predictions.

    Parameters
    ----------
    model
        A recipe as a matrix.
    estimator
        A fitted estimator of scikit-learn, or its ONNX model, whose one input takes the matrix.

    Returns
    -------
    onnx.ModelProto
        The inputs are those of the recipe, the outputs those of the estimator: of a classifier the labels and the
        probabilities, shape (rows, classes).

    Raises
    ------
    InvalidArgumentError
        If the model of the recipe is no matrix, or the estimator takes another.
    MissingExtraError
        If skl2onnx is not installed.
    """
    import onnx
    from onnx import compose

    output = model.graph.output[0]
    if len(model.graph.output) != 1 or output.name != FEATURES:
        raise InvalidArgumentError("Only a recipe as a matrix can be joined: to_onnx(recipe, matrix=True).")
    width = output.type.tensor_type.shape.dim[1].dim_value
    is_model = isinstance(estimator, onnx.ModelProto)
    if not is_model and getattr(estimator, "n_features_in_", width) != width:
        raise _other_width(estimator.n_features_in_, width)
    second = estimator if is_model else _converted(estimator, width)
    if len(second.graph.input) != 1:
        raise InvalidArgumentError(f"The estimator takes {len(second.graph.input)} inputs instead of one matrix.")
    taken = second.graph.input[0].type.tensor_type.shape.dim
    if len(taken) == 2 and taken[1].dim_value not in (0, width):
        raise _other_width(taken[1].dim_value, width)
    second = compose.add_prefix(_same_opset(second, model), "model.", rename_inputs=True, rename_outputs=False)
    joined: onnx.ModelProto = compose.merge_models(model, second, io_map=[(FEATURES, second.graph.input[0].name)])
    return joined


def _other_width(taken: int, given: int) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"The estimator takes {taken} columns, the recipe gives {given}. Give to_onnx the `columns` that it was "
        "trained on, in their order."
    )


def _converted(estimator: Any, width: int) -> onnx.ModelProto:
    from sklearn.base import is_classifier

    from kernel_tools.wrangler.lowering.onnx_graph import ML_OPSET, OPSET

    try:
        from skl2onnx import convert_sklearn
        from skl2onnx.common.data_types import FloatTensorType
    except ImportError as error:
        raise MissingExtraError("skl2onnx", "onnx") from error
    found: onnx.ModelProto = convert_sklearn(
        estimator,
        initial_types=[(FEATURES, FloatTensorType([None, width]))],
        target_opset={"": OPSET, "ai.onnx.ml": min(ML_OPSET, 3)},
        options={"zipmap": False} if is_classifier(estimator) else None,
    )
    return found


_ADDITIONS = {("LabelEncoder", 2, 4), ("TreeEnsembleClassifier", 1, 3), ("TreeEnsembleRegressor", 1, 3)}
"""Operators whose later version only has more attributes."""


def _same_opset(second: onnx.ModelProto, first: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model with the opsets of another, whose operators mean the same in both."""
    import onnx

    wanted = {one.domain: one.version for one in first.opset_import}
    copy = onnx.ModelProto()
    copy.CopyFrom(second)
    for one in copy.opset_import:
        if one.domain not in wanted or one.version == wanted[one.domain]:
            continue
        for node in copy.graph.node:
            if node.domain == one.domain:
                versions = [
                    onnx.defs.get_schema(node.op_type, version, one.domain).since_version
                    for version in (one.version, wanted[one.domain])
                ]
                if versions[0] != versions[1] and (node.op_type, *versions) not in _ADDITIONS:
                    raise InvalidArgumentError(
                        f"The estimator's {node.op_type} is of opset {one.version}. Convert it with the opset "
                        f"{wanted[one.domain]}."
                    )
        one.version = wanted[one.domain]
    copy.ir_version = first.ir_version
    return copy
