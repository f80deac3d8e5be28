"""The reply of an engine in the content type that its caller accepts.

A reply is ``{"predictions", "probabilities"?, "classes"?}`` as arrays or lists. JSON and JSON Lines write what is not
finite as null, having no NaN; CSV leaves the field of NaN empty and writes inf. Numbers are read back exactly.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from typing import Any

import msgspec

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.hosting.wire import media_types
from kernel_tools.hosting.wire.errors import NotAcceptableError


def write_reply(reply: Mapping[str, Any], accept: str = "") -> tuple[bytes, str]:
    """Return the body of a reply and its content type.

    JSON is the reply itself. JSON Lines has one object for each row. CSV, without a header as SageMaker's containers
    write it, has the prediction and then the probabilities. Parquet and Arrow name these columns `prediction` and
    `probability_<class>`. NPY holds the predictions alone.

    Raises
    ------
    NotAcceptableError
        If `accept` asks for nothing that this reply can be written as.
    """
    kind = media_types.choose_type(accept)
    plain = {name: plain_values(values) for name, values in reply.items()}
    if kind == media_types.JSON or not isinstance(plain.get("predictions"), list):
        if kind != media_types.JSON:
            raise NotAcceptableError(f"This model's reply has no rows: accept {media_types.JSON}.")
        return msgspec.json.encode(plain, enc_hook=str), kind
    if kind == media_types.JSON_LINES:
        return b"".join(msgspec.json.encode(row, enc_hook=str) + b"\n" for row in _records(plain)), kind
    if kind == media_types.CSV:
        return _write_csv(plain), kind
    if kind == media_types.NPY:
        return _write_npy(reply["predictions"]), kind
    return _write_table(plain, kind), kind


def plain_values(values: Any) -> Any:
    """Return arrays as lists of Python values, which are written so that they are read back exactly."""
    if type(values).__name__ == "ndarray" and values.dtype.kind not in "mM":  # before slower questions
        return values.tolist()
    if isinstance(values, tuple | list):
        return [plain_values(item) for item in values]
    if isinstance(values, Mapping):
        return {str(name): plain_values(item) for name, item in values.items()}
    if hasattr(values, "to_numpy"):
        values = values.to_numpy()
    if getattr(getattr(values, "dtype", None), "kind", None) in ("M", "m"):
        values = values.astype(str)
    return values.tolist() if hasattr(values, "tolist") else values


def _records(reply: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [{"prediction": value} for value in reply["predictions"]]
    for row, probabilities in zip(rows, reply.get("probabilities") or (), strict=False):
        row["probabilities"] = probabilities
    return rows


def _cells(reply: dict[str, Any]) -> list[list[Any]]:
    rows = []
    for record in _records(reply):
        values = [record["prediction"], record.get("probabilities", [])]
        rows.append([cell for value in values for cell in (value if isinstance(value, list) else [value])])
    return rows


def _write_csv(reply: dict[str, Any]) -> bytes:
    lines = (",".join(_quote(_field(cell)) for cell in row) or '""' for row in _cells(reply))
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def _quote(text: str) -> str:
    """As RFC 4180 has it; Python's writer leaves a carriage return bare, which its own reader takes for a new row."""
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if any(mark in text for mark in ',"\r\n') else text


def _field(cell: Any) -> str:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, list | dict):
        return msgspec.json.encode(cell, enc_hook=str).decode()
    return repr(cell) if isinstance(cell, float) else str(cell)


def _write_npy(predictions: Any) -> bytes:
    import numpy as np

    array = np.asarray(predictions)
    if array.dtype.kind == "O":
        values = array.ravel()
        is_text = all(isinstance(value, str) for value in values)
        if not is_text and not all(value is None or isinstance(value, int | float) for value in values):
            raise NotAcceptableError("These predictions are no array of plain values: accept application/json.")
        array = array.astype(str if is_text else np.float64)
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def _write_table(reply: dict[str, Any], kind: str) -> bytes:
    import pyarrow as pa

    rows = _cells(reply)
    if len({len(row) for row in rows}) > 1:
        raise NotAcceptableError("The rows of this reply have different lengths: accept application/json.")
    try:
        table = pa.table({name: pa.array(values) for name, values in _named_columns(reply, rows).items()})
    except (pa.ArrowException, OverflowError) as error:
        raise NotAcceptableError("These predictions are no table of plain values: accept application/json.") from error
    sink = io.BytesIO()
    if kind == media_types.PARQUET:
        import pyarrow.parquet as pq

        pq.write_table(table, sink)
    else:
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    return sink.getvalue()


def _named_columns(reply: dict[str, Any], rows: list[list[Any]]) -> dict[str, list[Any]]:
    width = len(rows[0]) if rows else 1
    shares = (
        len(reply["probabilities"][0])
        if reply.get("probabilities") and isinstance(reply["probabilities"][0], list)
        else 0
    )
    outputs = width - shares
    classes = reply.get("classes") or range(shares)
    names = ["prediction"] if outputs == 1 else [f"prediction_{index}" for index in range(outputs)]
    names += [f"probability_{name}" for name in classes][:shares]
    if len(set(names)) != len(names) or len(names) != width:
        raise InvalidArgumentError("The columns of this reply have no names of their own: accept application/json.")
    return {name: [row[index] for row in rows] for index, name in enumerate(names)}
