"""Runs `inference.py` of a model in an environment of its own: ``python script_runner.py <folder>``.

Only the standard library and what the model itself needs are there, so nothing of Atelier is imported. Requests come
on standard input and replies go to standard output, each a line of JSON with the length of the body that follows;
whatever the code prints goes to standard error.

The functions are those of SageMaker's inference toolkit: ``model_fn(model_dir)``, ``input_fn(body, content_type)``,
``predict_fn(data, model)``, ``output_fn(prediction, accept)``, or ``transform_fn(model, body, content_type, accept)``
for the last three. Those that are missing read and write JSON, CSV and NPY as arrays.
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import io
import json
import os
import sys
import traceback
from typing import IO, Any

TEXT_TYPES = ("application/json", "application/jsonlines", "text/csv", "text/plain")


class UnsupportedType(Exception):
    """A body of a type that the default functions cannot read or write."""


def main(folder: str) -> int:
    """Load the model, say so, and answer until the input ends."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    requests = sys.stdin.buffer
    try:
        module = load_module(folder)
        model = call(module, "model_fn", folder) if hasattr(module, "model_fn") else None
    except BaseException as error:
        traceback.print_exc()
        send(replies, {"status": "failed", "message": describe(error)})
        return 1
    send(replies, {"status": "ready"})
    while True:
        line = requests.readline()
        if not line:
            return 0
        header = json.loads(line)
        body = requests.read(header["length"])
        try:
            content, kind = answer(module, model, body, header["content_type"], header["accept"])
        except UnsupportedType as error:
            send(replies, {"status": "unsupported", "message": str(error)})
        except Exception as error:
            traceback.print_exc()
            send(replies, {"status": "error", "message": describe(error)})
        else:
            send(replies, {"status": "ok", "content_type": kind}, content)


def send(stream: IO[bytes], header: dict[str, Any], body: bytes = b"") -> None:
    """Write a reply."""
    with contextlib.suppress(BrokenPipeError):
        stream.write(json.dumps({**header, "length": len(body)}).encode() + b"\n" + body)
        stream.flush()


def load_module(folder: str) -> Any:
    """Import `inference.py` of the folder, or of its folder `code`."""
    for place in (os.path.join(folder, "code"), folder):
        path = os.path.join(place, "inference.py")
        if os.path.exists(path):
            sys.path.insert(0, place)
            spec: Any = importlib.util.spec_from_file_location("inference", path)
            module = importlib.util.module_from_spec(spec)
            sys.modules["inference"] = module
            spec.loader.exec_module(module)
            return module
    raise FileNotFoundError("There is no inference.py in the model's folder or in its folder code.")


def call(module: Any, name: str, *arguments: Any) -> Any:
    """Call one of the model's functions; those that take one argument more are given a context, which is None."""
    function = getattr(module, name)
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    places = [one for one in inspect.signature(function).parameters.values() if one.kind in kinds]
    return function(*arguments, *([None] if len(places) == len(arguments) + 1 else []))


def answer(module: Any, model: Any, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
    """Return the body of the reply and its type."""
    data: Any = body.decode() if content_type.split(";")[0].strip() in TEXT_TYPES else body
    if hasattr(module, "transform_fn"):
        found = call(module, "transform_fn", model, data, content_type, accept)
    else:
        if hasattr(module, "input_fn"):
            rows = call(module, "input_fn", data, content_type)
        else:
            rows = read_array(data, content_type)
        if hasattr(module, "predict_fn"):
            prediction = call(module, "predict_fn", rows, model)
        else:
            prediction = model.predict(rows) if hasattr(model, "predict") else model(rows)
        if hasattr(module, "output_fn"):
            found = call(module, "output_fn", prediction, accept)
        else:
            found = write_array(prediction, accept)
    content, kind = found if isinstance(found, tuple) else (found, accept)
    return content.encode() if isinstance(content, str) else bytes(content), kind


def read_array(data: Any, content_type: str) -> Any:
    """Read a body as an array of NumPy."""
    import numpy as np

    kind = content_type.split(";")[0].strip()
    if kind == "application/json":
        value = json.loads(data)
        return np.asarray(value.get("instances", value.get("inputs")) if isinstance(value, dict) else value)
    if kind == "text/csv":
        return np.genfromtxt(io.StringIO(data), delimiter=",", ndmin=2)
    if kind == "application/x-npy":
        return np.load(io.BytesIO(data), allow_pickle=False)
    raise UnsupportedType(
        f"The model takes application/json, text/csv and application/x-npy, not {content_type!r}. "
        "Write an input_fn that reads other types."
    )


def write_array(prediction: Any, accept: str) -> Any:
    """Write a prediction in the type that is wanted."""
    import numpy as np

    kind = accept.split(";")[0].strip()
    if hasattr(prediction, "detach"):
        prediction = prediction.detach().cpu().numpy()
    values = np.asarray(prediction)
    if kind in ("application/json", "*/*", ""):
        return json.dumps({"predictions": values.tolist()}), "application/json"
    if kind == "text/csv":
        rows = values.reshape(len(values), -1) if values.ndim else values.reshape(1, 1)
        return "".join(",".join(map(str, row)) + "\n" for row in rows.tolist())
    if kind == "application/x-npy":
        stream = io.BytesIO()
        np.save(stream, values, allow_pickle=False)
        return stream.getvalue()
    raise UnsupportedType(
        f"The model gives application/json, text/csv and application/x-npy, not {accept!r}. "
        "Write an output_fn that writes other types."
    )


def describe(error: BaseException) -> str:
    """Say what kind of error it is, and what it says."""
    text = str(error).strip()
    return type(error).__name__ + (": " + text[:2000] if text else "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
