"""ONNX models as they are: in memory, as a file, or as the registry loads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kernel_tools.compiler.graphs import check_model, import_onnx, read_model, without_zip_maps
from kernel_tools.compiler.manifest import Feed, Output
from kernel_tools.compiler.sources._base import Answer, Conversion, UnsupportedModelError, is_number
from kernel_tools.core.signature import ColumnType, Signature

_DTYPES = {
    "FLOAT": "float32",
    "DOUBLE": "float64",
    "FLOAT16": "float16",
    "INT64": "int64",
    "INT32": "int32",
    "INT16": "int16",
    "INT8": "int8",
    "UINT8": "uint8",
    "BOOL": "bool",
    "STRING": "object",
}


class OnnxSource:
    """Graphs that somebody else made."""

    name = "onnx"

    def recognizes(self, model: object) -> bool:
        """See `ModelSource`."""
        names = {f"{base.__module__}.{base.__qualname__}" for base in type(model).__mro__}
        known = {"onnx.onnx_ml_pb2.ModelProto", "kernel_tools.registry.formats.onnx.OnnxModel"}
        return bool(names & known) or (isinstance(model, (str, Path)) and str(model).endswith(".onnx"))

    def conversions(self, model: Any, signature: Signature, sample: Any) -> list[Callable[[], Conversion]]:
        """See `ModelSource`."""
        return [lambda: convert_onnx(read_graph(model), signature)]

    def answer(self, model: Any, rows: Any) -> Answer:
        """Ask ONNX Runtime with its defaults, by the very graph that was given."""
        check_model(read_graph(model))
        conversion = convert_onnx(read_graph(model), infer(rows), keeps_graph=True)
        return ask_graph(conversion, infer(rows), rows)


def infer(rows: Any) -> Signature:
    """Return the signature of some rows."""
    from kernel_tools.core.signature import infer_signature

    return infer_signature(rows)


def ask_graph(conversion: Conversion, signature: Signature, rows: Any) -> Answer:
    """Run a graph by ONNX Runtime's defaults."""
    import numpy as np
    import onnxruntime

    from kernel_tools.compiler.feeds import FeedReader

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        conversion.model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    feeds = FeedReader(conversion.feeds, signature).read_rows(rows)
    outputs = session.run([output.name for output in conversion.outputs], feeds)
    by_role = {output.role: array for output, array in zip(conversion.outputs, outputs, strict=True)}
    if "label" not in by_role:
        values = by_role["value"]
        return {"predictions": values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values}
    reply = {"predictions": by_role["label"].ravel()}
    if "probabilities" in by_role:
        reply |= {"probabilities": by_role["probabilities"], "classes": np.array(conversion.classes)}
    return reply


def read_graph(model: Any) -> Any:
    """Return the graph of a model in memory, of a file or of the registry's loaded model."""
    onnx = import_onnx()
    if isinstance(model, onnx.ModelProto):
        return model
    if isinstance(model, (str, Path)):
        return read_model(Path(model))
    path = getattr(model, "path", None)
    if path is None:
        path = model.session._model_path
    return read_model(Path(path))


def convert_onnx(model: Any, signature: Signature, *, keeps_graph: bool = False) -> Conversion:
    """Return a graph with what is known of its inputs and outputs.

    Raises
    ------
    UnsupportedModelError
        If the signature does not say what its inputs are.
    """
    given, classes = without_zip_maps(model)
    held = {item.name for item in given.graph.initializer}
    inputs = [item for item in given.graph.input if item.name not in held]
    return Conversion(given, _feeds(inputs, signature), *_outputs(given, classes))


def _feeds(inputs: list[Any], signature: Signature) -> list[Feed]:
    if len(inputs) == 1:
        item = inputs[0]
        if signature.tensor is not None:
            return [Feed(name=item.name, dtype=_dtype(item))]
        columns = [column.name for column in signature.columns]
        others = [column.name for column in signature.columns if not is_number(column)]
        if others and _dtype(item) != "object":
            raise UnsupportedModelError(f"Column {others[0]!r} is no number, and the graph takes a matrix of numbers.")
        encoding = "text" if _dtype(item) == "object" else "number"
        return [Feed(name=item.name, dtype=_dtype(item), columns=columns, encodings=[encoding] * len(columns))]  # type: ignore[list-item]  # both are encodings
    known = {column.name: column for column in signature.columns}
    missing = [item.name for item in inputs if item.name not in known]
    if missing:
        raise UnsupportedModelError(
            f"The graph takes an input {missing[0]!r}, and the sample has no such column. Give a DataFrame with the "
            f"columns {[item.name for item in inputs][:20]}."
        )
    feeds = []
    for item in inputs:
        dtype, column = _dtype(item), known[item.name]
        is_moment = column.type is ColumnType.DATETIME and dtype == "int64"
        encoding = "text" if dtype == "object" else "moment" if is_moment else "number"
        feeds.append(Feed(name=item.name, dtype=dtype, columns=[item.name], encodings=[encoding]))  # type: ignore[list-item]  # all are encodings
    return feeds


def _dtype(item: Any) -> str:
    kind = import_onnx().TensorProto.DataType.Name(item.type.tensor_type.elem_type)
    if kind not in _DTYPES:
        raise UnsupportedModelError(f"The input {item.name!r} is of the type {kind}, which rows cannot fill.")
    return _DTYPES[kind]


def _outputs(model: Any, classes: list[Any] | None) -> tuple[list[Output], list[Any] | None]:
    """A label and a matrix of probabilities, as converters write them; else the first output is the value."""
    onnx = import_onnx()
    outputs = list(model.graph.output)
    if len(outputs) == 2:
        label, probabilities = outputs
        kinds = (onnx.TensorProto.INT64, onnx.TensorProto.STRING)
        if label.type.tensor_type.elem_type in kinds and len(label.type.tensor_type.shape.dim) <= 1:
            labels = classes if classes is not None else _class_labels(model)
            found = [Output(name=label.name, role="label")]
            if labels is not None:
                found.append(Output(name=probabilities.name, role="probabilities"))
                return found, labels
            return [Output(name=label.name, role="value")], None
    return [Output(name=outputs[0].name, role="value")], None


def _class_labels(model: Any) -> list[Any] | None:
    helper = import_onnx().helper
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name in ("classlabels_strings", "classlabels_int64s", "classlabels_ints"):
                values = helper.get_attribute_value(attribute)
                if len(values):
                    return [value.decode() if isinstance(value, bytes) else int(value) for value in values]
    return None
