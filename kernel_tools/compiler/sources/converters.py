"""What skl2onnx is taught for one conversion: imputing in doubles and of texts, and which settings of estimators it
cannot convert although they change no prediction."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any


def parts(model: Any) -> Iterator[Any]:
    """Walk over an estimator and all that are in it."""
    yield model
    inner: list[Any] = []
    for name in ("steps", "transformers_", "transformer_list", "estimators_", "named_estimators_"):
        value = getattr(model, name, None)
        if isinstance(value, dict):
            value = list(value.values())
        for item in value if isinstance(value, list) else []:
            inner.append(item[1] if isinstance(item, tuple) else item)
    for name in ("estimator", "estimator_", "best_estimator_", "regressor_", "transformer_", "final_estimator_"):
        inner.append(getattr(model, name, None))
    for item in inner:
        if item is not None and not isinstance(item, str):
            yield from parts(item)


def adapted(model: Any) -> Any:
    """Return a copy of an estimator that predicts the same and that skl2onnx can convert, as far as settings go."""
    model = copy.deepcopy(model)
    for part in parts(model):
        name = type(part).__name__
        if name == "KBinsDiscretizer" and part.encode == "onehot":
            part.encode = "onehot-dense"
        elif name == "VotingClassifier":
            part.flatten_transform = False
    return model


def converters(missing_text: str) -> tuple[dict[type, Callable[..., None]], dict[type, Callable[..., None]]]:
    """Return the functions that say the shapes of operators and that convert them, by the class of the estimator.

    `missing_text` is the text that stands for a missing one in this graph.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import OrdinalEncoder

    return (
        {SimpleImputer: _imputer_shape, OrdinalEncoder: _ordinal_shape},
        {SimpleImputer: partial(_convert_imputer, missing_text=missing_text), OrdinalEncoder: _convert_ordinal},
    )


def _imputer_shape(operator: Any) -> None:
    imputer, given = operator.raw_operator, operator.inputs[0].type
    if imputer.add_indicator:
        raise NotImplementedError("SimpleImputer(add_indicator=True) is not supported")
    width = sum(item.type.shape[1] or 0 for item in operator.inputs)
    if any(_is_nan(value) for value in imputer.statistics_):
        raise NotImplementedError("SimpleImputer drops a column without values: leave the column out")
    operator.outputs[0].type = type(given)([None, width])


def _convert_imputer(scope: Any, operator: Any, container: Any, *, missing_text: str) -> None:
    """Put the learned values where NaN, or the text that stands for a missing one, is."""
    from onnx import TensorProto
    from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType

    imputer, kind = operator.raw_operator, operator.inputs[0].type
    given = _side_by_side(scope, operator, container)
    output = operator.outputs[0].full_name
    if isinstance(kind, Int64TensorType):
        container.add_node("Identity", given, output, name=scope.get_unique_operator_name("Identity"))
        return
    is_missing = scope.get_unique_variable_name("is_missing")
    filled = scope.get_unique_variable_name("learned")
    width = len(imputer.statistics_)
    if isinstance(kind, StringTensorType):
        marker = scope.get_unique_variable_name("missing_text")
        container.add_initializer(marker, TensorProto.STRING, [1], [missing_text.encode()])
        values = [str(value).encode() for value in imputer.statistics_]
        container.add_initializer(filled, TensorProto.STRING, [1, width], values)
        container.add_node(
            "Equal", [given, marker], is_missing, op_version=19, name=scope.get_unique_operator_name("Equal")
        )
    else:
        if not _is_nan(imputer.missing_values):
            raise NotImplementedError(f"SimpleImputer(missing_values={imputer.missing_values!r}) is not supported")
        dtype = TensorProto.FLOAT if isinstance(kind, FloatTensorType) else TensorProto.DOUBLE
        container.add_initializer(filled, dtype, [1, width], [float(value) for value in imputer.statistics_])
        container.add_node("IsNaN", given, is_missing, op_version=13, name=scope.get_unique_operator_name("IsNaN"))
    container.add_node(
        "Where", [is_missing, filled, given], output, op_version=16, name=scope.get_unique_operator_name("Where")
    )


def _ordinal_shape(operator: Any) -> None:
    from skl2onnx.common.data_types import FloatTensorType

    operator.outputs[0].type = FloatTensorType([None, len(operator.raw_operator.categories_)])


def _convert_ordinal(scope: Any, operator: Any, container: Any) -> None:
    """Look each column up; a missing value that was learned is what `encoded_missing_value` says, not a position."""
    from onnx import TensorProto
    from skl2onnx.common.data_types import StringTensorType

    encoder, kind = operator.raw_operator, operator.inputs[0].type
    is_text = isinstance(kind, StringTensorType)
    infrequent = getattr(encoder, "_infrequent_enabled", False)
    if infrequent:
        raise NotImplementedError("OrdinalEncoder with infrequent categories is not supported")
    unknown = encoder.unknown_value if encoder.handle_unknown == "use_encoded_value" else float("nan")
    given = _side_by_side(scope, operator, container)
    if not is_text:
        cast = scope.get_unique_variable_name("ordinal_floats")
        container.add_node(
            "Cast", given, cast, op_version=13, to=TensorProto.FLOAT, name=scope.get_unique_operator_name("Cast")
        )
        given = cast
    columns = []
    for place, categories in enumerate(encoder.categories_):
        index = scope.get_unique_variable_name("ordinal_index")
        column = scope.get_unique_variable_name("ordinal_column")
        coded = scope.get_unique_variable_name("ordinal_codes")
        container.add_initializer(index, TensorProto.INT64, [1], [place])
        container.add_node(
            "Gather", [given, index], column, op_version=13, axis=1, name=scope.get_unique_operator_name("Gather")
        )
        keys: list[Any] = []
        values: list[float] = []
        for code, category in enumerate(categories.tolist()):
            is_missing = category is None or _is_nan(category)
            if is_missing and not is_text:
                keys.append(float("nan"))
            elif is_missing:
                keys.append("None" if category is None else "nan")
            else:
                keys.append(str(category) if is_text else float(category))
            values.append(float(encoder.encoded_missing_value if is_missing else code))
        container.add_node(
            "LabelEncoder",
            column,
            coded,
            op_domain="ai.onnx.ml",
            op_version=2,
            name=scope.get_unique_operator_name("LabelEncoder"),
            values_floats=values,
            default_float=float(unknown),
            **{"keys_strings" if is_text else "keys_floats": keys},
        )
        columns.append(coded)
    container.add_node(
        "Concat",
        columns,
        operator.outputs[0].full_name,
        op_version=13,
        axis=1,
        name=scope.get_unique_operator_name("Concat"),
    )


def _side_by_side(scope: Any, operator: Any, container: Any) -> str:
    """Return the name of the one matrix of all inputs."""
    names = [item.full_name for item in operator.inputs]
    if len(names) == 1:
        return str(names[0])
    joined = scope.get_unique_variable_name("side_by_side")
    container.add_node("Concat", names, joined, op_version=13, axis=1, name=scope.get_unique_operator_name("Concat"))
    return str(joined)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and value != value
