"""The Open Inference Protocol (version 2) in JSON: metadata, and inference with named tensors.

A table's columns are tensors of shape [n] or [n, 1] under their names, or one matrix [n, k] with the columns in the
signature's order. The outputs are `label`, and for a classifier `probabilities`. The binary data extension is refused.
https://github.com/kserve/open-inference-protocol
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from kernel_tools.core.errors import InvalidArgumentError, InvalidDataError
from kernel_tools.hosting.wire.contents import InputColumn, decode_json
from kernel_tools.hosting.wire.errors import UnsupportedContentError
from kernel_tools.hosting.wire.replies import plain_values

_NAMES = {
    "bool": "BOOL", "uint8": "UINT8", "uint16": "UINT16", "uint32": "UINT32", "uint64": "UINT64",
    "int8": "INT8", "int16": "INT16", "int32": "INT32", "int64": "INT64",
    "float16": "FP16", "float32": "FP32", "float64": "FP64",
}  # fmt: skip
_COLUMN_TYPES = {"boolean": "BOOL", "long": "INT64", "double": "FP64", "string": "BYTES", "datetime": "BYTES"}
DATATYPES = (*_NAMES.values(), "BYTES")


@dataclass(frozen=True, slots=True)
class InferRequest:
    """The rows of a request, in a form that `InputReader.read` checks, and what its reply repeats."""

    rows: dict[str, Any]
    id: str | None = None
    outputs: tuple[str, ...] = field(default=())


def server_metadata(version: str) -> bytes:
    """Return the reply of GET /v2."""
    return msgspec.json.encode({"name": "atelier", "version": version, "extensions": []})


def model_metadata(
    name: str,
    versions: Sequence[str],
    columns: Sequence[InputColumn] = (),
    tensor: tuple[str, Sequence[int]] | None = None,
    classes: Sequence[str] | None = None,
) -> bytes:
    """Return the reply of GET /v2/models/{name}.

    Parameters
    ----------
    columns, tensor
        The model's signature: its columns, or the NumPy type and the shape of its array.
    classes
        A classifier's; None for another model.
    """
    if tensor is not None:
        shape = [max(size, -1) for size in tensor[1]]
        inputs = [{"name": "input", "datatype": _NAMES.get(tensor[0], "FP64"), "shape": shape}]
    else:
        inputs = [
            {"name": column.name, "datatype": _COLUMN_TYPES[str(column.type)], "shape": [-1]} for column in columns
        ]
    outputs: list[dict[str, Any]] = [
        {"name": "label", "datatype": "FP64" if classes is None else "BYTES", "shape": [-1]}
    ]
    if classes is not None:
        outputs.append({"name": "probabilities", "datatype": "FP64", "shape": [-1, len(classes)]})
    body = {"name": name, "versions": list(versions), "platform": "atelier", "inputs": inputs, "outputs": outputs}
    return msgspec.json.encode(body)


def read_infer(
    body: bytes, columns: Sequence[InputColumn] | None = None, headers: Mapping[str, str] | None = None
) -> InferRequest:
    """Return the rows of an inference request.

    Parameters
    ----------
    columns
        The columns of the model's signature; None for a model of arrays.
    headers
        By name in lower case.

    Raises
    ------
    UnsupportedContentError
        If tensors are sent in binary.
    InvalidArgumentError
        If the body is not of the protocol's shape; the message names the tensor.
    InvalidDataError
        If a tensor's data does not fit its shape or datatype.
    """
    if "inference-header-content-length" in (headers or {}):
        raise UnsupportedContentError("Tensors in binary are not supported: send their data as JSON.")
    request = decode_json(body)
    tensors = request.get("inputs") if isinstance(request, dict) else None
    if not isinstance(tensors, list) or not tensors or not all(isinstance(tensor, dict) for tensor in tensors):
        raise InvalidArgumentError("The request must be a JSON object with 'inputs', a list of at least one tensor.")
    identifier, wanted = request.get("id"), request.get("outputs") or []
    if identifier is not None and not isinstance(identifier, str):
        raise InvalidArgumentError("'id' must be text.")
    if not isinstance(wanted, list) or not all(isinstance(o, dict) and isinstance(o.get("name"), str) for o in wanted):
        raise InvalidArgumentError("'outputs' must be a list of objects with a 'name'.")
    arrays = [_read_tensor(tensor, position) for position, tensor in enumerate(tensors)]
    names = [name for name, _, _ in arrays]
    if len(set(names)) != len(names):
        raise InvalidArgumentError("Two inputs have the same name: send each tensor once.")
    return InferRequest(_rows(arrays, columns), identifier, tuple(output["name"] for output in wanted))


def _rows(arrays: list[tuple[str, list[int], list[Any]]], columns: Sequence[InputColumn] | None) -> dict[str, Any]:
    known = {column.name for column in columns or ()}
    if len(arrays) == 1:
        name, shape, values = arrays[0]
        is_column = len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)
        if not known or not (name in known and is_column):
            if known and len(shape) != 2:
                raise InvalidArgumentError(f"Input {name!r} must be a matrix of all {len(known)} columns, or name one.")
            return {"instances": _nest(values, shape)}
    table = {}
    for name, shape, values in arrays:
        if len(shape) != 1 and not (len(shape) == 2 and shape[1] == 1):
            raise InvalidArgumentError(f"Input {name!r} has the shape {shape}: a column has the shape [n] or [n, 1].")
        table[name] = values
    return {"inputs": table}


def _read_tensor(tensor: dict[str, Any], position: int) -> tuple[str, list[int], list[Any]]:
    name, shape, datatype, data = (tensor.get(key) for key in ("name", "shape", "datatype", "data"))
    if not isinstance(name, str):
        raise InvalidArgumentError(f"Input {position} has no 'name'.")
    if (tensor.get("parameters") or {}) and "binary_data_size" in tensor["parameters"]:
        raise UnsupportedContentError("Tensors in binary are not supported: send their data as JSON.")
    if not isinstance(shape, list) or not 0 < len(shape) <= 16 or not all(type(n) is int and n > 0 for n in shape):
        raise InvalidArgumentError(f"Input {name[:80]!r}: 'shape' must be a list of 1 to 16 numbers above 0.")
    if datatype not in DATATYPES:
        raise InvalidArgumentError(f"Input {name[:80]!r}: 'datatype' must be one of {', '.join(DATATYPES)}.")
    if not isinstance(data, list):
        raise InvalidArgumentError(f"Input {name[:80]!r}: 'data' must be a list.")
    values = _flatten(data)
    if len(values) != math.prod(shape):
        raise InvalidDataError(f"Input {name[:80]!r} has {len(values)} values; its shape {shape} needs more or fewer.")
    for index, value in enumerate(values):
        if not _fits(value, datatype):
            shown = f"Input {name[:80]!r}, value {index}"
            raise InvalidDataError(f"{shown}: {str(value)[:60]!r} is not of type {datatype}.")
    return name, shape, values


def _fits(value: Any, datatype: str) -> bool:
    if value is None:
        return True  # a missing value; the signature says whether it may be
    if datatype == "BOOL":
        return isinstance(value, bool)
    if datatype == "BYTES":
        return isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if datatype.startswith("FP"):
        return True
    bits, is_signed = int(datatype.removeprefix("U").removeprefix("INT")), datatype[0] == "I"
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if is_signed else (0, (1 << bits) - 1)
    return low <= value <= high and value == int(value)


def _flatten(data: list[Any]) -> list[Any]:
    while any(isinstance(item, list) for item in data):
        data = [value for item in data for value in (item if isinstance(item, list) else [item])]
    return data


def _nest(values: list[Any], shape: list[int]) -> list[Any]:
    for size in reversed(shape[1:]):
        values = [values[start : start + size] for start in range(0, len(values), size)]
    return values


def write_infer(reply: Mapping[str, Any], request: InferRequest, model: str, version: str) -> bytes:
    """Return the body of an inference's reply, with the outputs that were asked for, or all.

    Raises
    ------
    InvalidArgumentError
        If an output was asked for that the model does not have.
    """
    outputs = {"label": _tensor("label", reply["predictions"])}
    if reply.get("probabilities") is not None:
        outputs["probabilities"] = _tensor("probabilities", reply["probabilities"])
    for name in request.outputs:
        if name not in outputs:
            raise InvalidArgumentError(f"There is no output {name[:80]!r}: ask for {' or '.join(outputs)}.")
    body: dict[str, Any] = {"model_name": model, "model_version": version}
    if request.id is not None:
        body["id"] = request.id
    body["outputs"] = [outputs[name] for name in request.outputs or outputs]
    return msgspec.json.encode(body, enc_hook=str)


def _tensor(name: str, values: Any) -> dict[str, Any]:
    datatype = _NAMES.get(str(getattr(values, "dtype", "")))
    plain = plain_values(values)
    shape: list[int] = []
    level = plain
    while isinstance(level, list):
        shape.append(len(level))
        level = level[0] if level else None
    data = _flatten(plain)
    return {"name": name, "shape": shape, "datatype": datatype or _datatype(data), "data": data}


def _datatype(data: list[Any]) -> str:
    kinds = {type(value) for value in data if value is not None}
    if kinds == {bool}:
        return "BOOL"
    if kinds == {int}:
        return "INT64"
    return "FP64" if kinds <= {int, float} else "BYTES"


def error_body(message: str) -> bytes:
    """Return the body of an error in the protocol's shape."""
    return msgspec.json.encode({"error": message.encode("utf-8", "replace").decode()})
