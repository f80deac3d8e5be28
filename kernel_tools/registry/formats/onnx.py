"""ONNX models, run by ONNX Runtime: a graph of operators and weights, no code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import ForbiddenError, InvalidArgumentError, InvalidDataError
from kernel_tools.registry.formats._base import SavedModel, has_one, is_instance_of, rename_only_file
from kernel_tools.registry.signature import Column, ColumnType, Signature, Tensor

if TYPE_CHECKING:
    import numpy as np

DTYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(int8)": "int8",
    "tensor(int16)": "int16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(uint8)": "uint8",
    "tensor(uint16)": "uint16",
    "tensor(uint32)": "uint32",
    "tensor(uint64)": "uint64",
    "tensor(bool)": "bool",
    "tensor(string)": "object",
}
_COLUMN_TYPES = {"f": ColumnType.DOUBLE, "i": ColumnType.LONG, "u": ColumnType.LONG, "b": ColumnType.BOOLEAN}


class OnnxModel:
    """An ONNX model that predicts.

    Parameters
    ----------
    path
        The file.

    Attributes
    ----------
    session : onnxruntime.InferenceSession
        What runs it; for everything that is not here.
    input_names, output_names : list of str
        In the order of the graph.
    """

    def __init__(self, path: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._inputs = self.session.get_inputs()
        self._outputs = self.session.get_outputs()
        self.input_names = [item.name for item in self._inputs]
        self.output_names = [item.name for item in self._outputs]

    def __repr__(self) -> str:
        return f"<{type(self).__name__}, inputs {self.input_names}, outputs {self.output_names}>"

    @property
    def is_classifier(self) -> bool:
        """Whether the outputs are a label and the probabilities of the classes, as converters write them."""
        if len(self._outputs) != 2:
            return False
        label, probabilities = self._outputs
        is_label = label.type in ("tensor(int64)", "tensor(string)") and len(label.shape or []) == 1
        return is_label and (probabilities.type.startswith("seq(map(") or len(probabilities.shape or []) == 2)

    def run(self, rows: Any) -> list[Any]:
        """Run the graph.

        Parameters
        ----------
        rows
            A DataFrame, an array, or a dictionary from input name to array. A graph with one input gets the whole
            table as an array; one with several gets the column of each input's name, shape (rows, 1).

        Returns
        -------
        list
            One item for each output.

        Raises
        ------
        InvalidDataError
            If an input is missing, or its values are not what the graph takes.
        """
        given = self._feed(rows)
        try:
            return list(self.session.run(None, given))
        except Exception as error:  # ONNX Runtime's errors have no base of their own but Exception
            raise InvalidDataError(f"The ONNX model does not take these rows: {str(error)[:500]}") from error

    def predict(self, rows: Any) -> Any:
        """Return the first output: labels, values, or whatever the graph gives first. Arguments as for `run`."""
        return self.run(rows)[0]

    def signature(self) -> Signature | None:
        """Return what the graph says of its inputs, None if a signature cannot say it."""
        if len(self._inputs) == 1:
            item = self._inputs[0]
            if DTYPES.get(item.type, "object") == "object" or not item.shape:
                return None
            return Signature(tensor=Tensor(DTYPES[item.type], [-1, *(_size(size) for size in item.shape[1:])]))
        columns = []
        for item in self._inputs:
            dtype = DTYPES.get(item.type)
            if dtype is None or len(item.shape or []) not in (1, 2):
                return None
            kind = ColumnType.STRING if dtype == "object" else _COLUMN_TYPES[dtype[0]]
            is_float = kind is ColumnType.DOUBLE
            columns.append(Column(item.name, kind, nullable=is_float, dtype="str" if dtype == "object" else dtype))
        return Signature(columns=columns)

    def _feed(self, rows: Any) -> dict[str, Any]:
        import numpy as np

        if isinstance(rows, dict):
            given = rows
        elif len(self._inputs) == 1:
            given = {self.input_names[0]: rows.to_numpy() if hasattr(rows, "to_numpy") else rows}
        elif hasattr(rows, "columns"):
            given = {name: rows[name].to_numpy().reshape(-1, 1) for name in self.input_names if name in rows.columns}
        else:
            raise InvalidDataError(f"The ONNX model has several inputs: give a table with columns {self.input_names}.")
        missing = [name for name in self.input_names if name not in given]
        if missing:
            raise InvalidDataError(f"The ONNX model needs the inputs {missing}, which the rows do not have.")
        fed = {}
        for item in self._inputs:
            dtype = DTYPES.get(item.type, "object")
            try:
                fed[item.name] = np.asarray(given[item.name]).astype(dtype)
            except (ValueError, TypeError) as error:
                raise InvalidDataError(f"The input {item.name!r} cannot be read as {dtype}: {error}.") from error
        return fed


class OnnxClassifier(OnnxModel):
    """An ONNX model whose outputs are labels and probabilities."""

    def predict_proba(self, rows: Any) -> np.ndarray:
        """Return the probabilities, shape (rows, classes); arguments as for `run`."""
        return self.read_probabilities(self.run(rows)[1])[0]

    @staticmethod
    def read_probabilities(output: Any) -> tuple[np.ndarray, list[Any] | None]:
        """Return probabilities as an array, and the classes if the output names them."""
        import numpy as np

        if isinstance(output, list):
            classes = list(output[0]) if output else []
            return np.array([[row[name] for name in classes] for row in output]), classes
        return output, None


class OnnxFormat:
    """ONNX models in memory (``onnx.ModelProto``) and ``.onnx`` files, with their external data."""

    name = "onnx"
    keeps_folder = True

    def can_save(self, model: object) -> bool:
        """Whether this is an ONNX model in memory."""
        return is_instance_of(model, "onnx.onnx_ml_pb2.ModelProto")

    def save(self, model: Any, folder: Path, sample: object | None) -> SavedModel:
        """Write ``model.onnx`` and check that ONNX Runtime takes it."""
        (folder / "model.onnx").write_bytes(model.SerializeToString())
        return self._check(folder)

    def recognizes(self, paths: Sequence[str]) -> bool:
        """Whether one of the files ends in ``.onnx``."""
        return has_one(paths, ".onnx")

    def adopt(self, folder: Path, model_class: str | None) -> SavedModel:
        """Name the file ``model.onnx``, beside its external data, and check that ONNX Runtime takes it."""
        rename_only_file(folder, "model.onnx", ".onnx")
        return self._check(folder)

    def load(self, folder: Path, model_class: str, *, trust: bool) -> object:
        """Read the model; ONNX Runtime refuses external data outside of the folder."""
        return load_onnx(folder / "model.onnx")

    def _check(self, folder: Path) -> SavedModel:
        try:
            model = load_onnx(folder / "model.onnx")
        except ForbiddenError as error:
            raise InvalidArgumentError(f"The ONNX model cannot be kept: {error}") from error
        name = f"{type(model).__module__}.{type(model).__name__}"
        return SavedModel(self.name, name, ["onnxruntime", "numpy"], signature=model.signature())


def load_onnx(path: Path) -> OnnxModel:
    """Read a file as a classifier, if its outputs are those of one, else as a model.

    Raises
    ------
    ForbiddenError
        If ONNX Runtime does not take the file: it is damaged, or needs operators or data from elsewhere.
    """
    try:
        model = OnnxModel(path)
        return OnnxClassifier(path) if model.is_classifier else model
    except Exception as error:  # ONNX Runtime's errors have no base of their own but Exception
        raise ForbiddenError(f"ONNX Runtime does not take {path.name}: {str(error)[:500]}") from error


def _size(size: Any) -> int:
    return size if isinstance(size, int) and size > 0 else -1
