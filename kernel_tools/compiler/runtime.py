"""A compiled model that predicts. It needs NumPy, ONNX Runtime and msgspec; no pandas, no library of the original.

Nothing out of a package is executed but the operators of ONNX Runtime: no library of custom operators is ever loaded,
and ONNX Runtime refuses tensors in files outside of the package's folder.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from kernel_tools.compiler.feeds import MISSING_MOMENT, FeedReader
from kernel_tools.compiler.manifest import GRAPH, Manifest, Output, read_manifest
from kernel_tools.compiler.quick_rows import Feeds
from kernel_tools.core.errors import IntegrityError, InvalidDataError
from kernel_tools.core.signature import Signature

MISSING_TEXT = "␀"
_FLOATS = ("float16", "float32", "float64")


class CompiledModel:
    """A package, loaded.

    Parameters
    ----------
    folder
        The folder of the package.
    threads
        Threads of one call. One is best for single rows: waking a second costs more than it saves.

    Attributes
    ----------
    manifest : Manifest
        What is known of the package.
    signature : Signature
        What goes in and comes out.

    Raises
    ------
    NotFoundError
        If the folder is no package.
    IntegrityError
        If a file is damaged, or ONNX Runtime does not take the graph.

    Examples
    --------
    >>> model = CompiledModel("package")  # doctest: +SKIP
    >>> model.predict(model.read({"dataframe_records": [{"age": 39}]}))  # doctest: +SKIP
    {'predictions': array(['<=50K'], dtype='<U5'), 'probabilities': ..., 'classes': ...}
    """

    def __init__(self, folder: str | os.PathLike[str], threads: int = 1) -> None:
        path = Path(folder)
        self.manifest = read_manifest(path)
        check_files(path, self.manifest)
        self.signature = Signature.from_dict(self.manifest.signature or {})
        self._session = open_session(path / GRAPH, threads)
        self._run = self._session.run
        self._reader = FeedReader(self.manifest.feeds, self.signature)
        self._outputs = self.manifest.outputs
        self._names = [output.name for output in self._outputs]
        self._roles = {output.role: place for place, output in enumerate(self._outputs)}
        classes = self.manifest.classes
        self._classes = None if classes is None else np.array(classes)
        self._refused = list(_refused(self.manifest))
        self._is_most_probable = self.manifest.is_most_probable

    def __repr__(self) -> str:
        source = self.manifest.source
        what = f"{source.model} {source.version}" if source.model else source.model_class
        return f"<CompiledModel {self.manifest.target} of {what}>"

    def read(self, body: Any) -> Feeds:
        """Read the body of a request as the inputs of the graph.

        Parameters
        ----------
        body
            An object with one of ``dataframe_records``, ``dataframe_split``, ``instances`` and ``inputs``.

        Raises
        ------
        InvalidArgumentError
            If it has none of the four forms.
        InvalidDataError
            If values do not fit the signature; the message names row and column.
        """
        return self._reader.read(body)

    def read_rows(self, rows: Any) -> Feeds:
        """Read a DataFrame, an array, one record, or a list of records or lists; errors as for `read`."""
        return self._reader.read_rows(rows)

    def predict(self, feeds: Feeds) -> dict[str, Any]:
        """Answer what `read` or `read_rows` made of some rows.

        Returns
        -------
        dict
            ``predictions``: an array with one item for each row (of a table: a list of dictionaries); of a classifier
            also ``probabilities``, shape (rows, classes), and ``classes``.

        Raises
        ------
        InvalidDataError
            If the graph fails on these rows, or a number is missing where the original takes none.
        """
        if self._refused:
            self._require_numbers(feeds)
        try:
            outputs = self._run(self._names, feeds)
        except Exception as error:  # ONNX Runtime's errors have no base of their own but Exception
            raise InvalidDataError(f"The compiled model does not take these rows: {str(error)[:500]}") from error
        if self._classes is not None:
            return self._classified(outputs)
        if "column" in self._roles:
            return {"predictions": table_of(self._outputs, outputs)}
        values = outputs[0]
        return {"predictions": values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values}

    def _require_numbers(self, feeds: Feeds) -> None:
        for name, places, columns in self._refused:
            values = feeds[name] if places is None else feeds[name][:, places]
            if not math.isnan(values.sum() if values.size else 0.0):  # a NaN makes the sum one; so may infinities
                continue
            missing = np.isnan(values)
            if not missing.any():
                continue
            row, *place = (int(index) for index in np.argwhere(missing)[0])
            what = f"Column {columns[place[0]]!r}" if columns else "A value"
            raise InvalidDataError(f"{what} of row {row} is missing: this model takes no missing numbers there.")

    def answer(self, body: Any) -> dict[str, Any]:
        """Read the body of a request and answer it; errors as for `read` and `predict`."""
        return self.predict(self._reader.read(body))

    def _classified(self, outputs: list[Any]) -> dict[str, Any]:
        classes = self._classes
        assert classes is not None
        place = self._roles.get("probabilities")
        if place is None:
            return {"predictions": self._labels(outputs[self._roles["label"]])}
        probabilities = outputs[place]
        if self._is_most_probable:
            labels = classes.take(probabilities.argmax(axis=1))
        else:
            labels = self._labels(outputs[self._roles["label"]])
        return {"predictions": labels, "probabilities": probabilities, "classes": classes}

    def _labels(self, labels: Any) -> Any:
        """Labels of the graph as the classes have them: true and false as such, not as 1 and 0."""
        classes = self._classes
        assert classes is not None
        labels = labels.ravel()
        return labels if classes.dtype.kind in "UO" else labels.astype(classes.dtype)


def _refused(manifest: Manifest) -> Iterator[tuple[str, list[int] | None, list[str]]]:
    """Yield the inputs with numbers that may not be missing: name, their places (None is all) and their columns."""
    for feed in manifest.feeds:
        if feed.columns is None:
            if manifest.refuses_missing and feed.dtype in _FLOATS:
                yield feed.name, None, []
        elif feed.dtype in _FLOATS:
            wanted = [name for name in feed.columns if name in set(manifest.refuses_missing)]
            if wanted:
                places = [feed.columns.index(name) for name in wanted]
                yield feed.name, None if places == list(range(len(feed.columns))) else places, wanted


def open_session(path: Path, threads: int = 1) -> Any:
    """Open a graph with ONNX Runtime.

    Raises
    ------
    IntegrityError
        If it is damaged, or needs operators or data from elsewhere.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no base of their own but Exception
        raise IntegrityError(f"ONNX Runtime does not take {path.name}: {str(error)[:500]}") from error


def check_files(folder: Path, manifest: Manifest) -> None:
    """Raise IntegrityError if a file of the package is missing, is another one, or does not belong to it."""
    if GRAPH not in manifest.files:
        raise IntegrityError(f"The manifest of the compiled package does not name {GRAPH}. Compile again.")
    for name, sha256 in manifest.files.items():
        if Path(name).name != name:
            raise IntegrityError(f"The manifest names the file {name!r}, which is outside of the package.")
        try:
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError as error:
            raise IntegrityError(f"The compiled package has lost its file {name!r}. Download it again.") from error
        if found != sha256:
            raise IntegrityError(f"The file {name!r} is not the one that was compiled. Download the package again.")


def table_of(outputs: list[Output], arrays: list[Any]) -> list[dict[str, Any]]:
    """Return columns as a list of rows, with None for what is missing and ISO 8601 text for moments."""
    columns = [_column_of(output, array.ravel()) for output, array in zip(outputs, arrays, strict=True)]
    names = [output.column for output in outputs]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _column_of(output: Output, array: Any) -> list[Any]:
    if output.kind == "text":
        return [None if value == MISSING_TEXT else value for value in array.tolist()]
    if output.kind == "moment":
        moments = array.astype("datetime64[us]")
        return [
            None if stamp == MISSING_MOMENT else str(moment)
            for stamp, moment in zip(array.tolist(), moments, strict=True)
        ]
    values = array.tolist()
    if output.kind == "boolean":
        return [None if value != value else bool(value) for value in values]
    if output.kind == "whole":
        return [None if value != value else int(value) for value in values]
    return [None if value != value else value for value in values]
