"""What a source of models is: how models of one kind become a graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from kernel_tools.compiler.manifest import Encoding, Feed, Output
from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.signature import Column, ColumnType, Signature

if TYPE_CHECKING:
    import onnx

Answer = dict[str, Any]
"""``predictions`` and, of a classifier, ``probabilities`` and ``classes``, as arrays with one item for each row."""


class UnsupportedModelError(InvalidArgumentError):
    """A model that no compiler here can turn into a graph; the message says which part of it."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """A model as a graph.

    Parameters
    ----------
    model
        The graph.
    feeds, outputs
        What it takes and gives.
    classes
        The labels of a classifier, as Python's values, in the order of the probabilities.
    is_most_probable
        Whether the label is the first class of the highest probability; else an output of the graph is the label.
    precision
        In which numbers it computes, for the manifest.
    notes
        What a reader of the manifest should know.
    """

    model: onnx.ModelProto
    feeds: list[Feed]
    outputs: list[Output]
    classes: list[Any] | None = None
    is_most_probable: bool = False
    precision: str = "float32"
    notes: list[str] = field(default_factory=list)


class ModelSource(Protocol):
    """Turns models of one kind into graphs, and asks the original for its own answer."""

    name: str

    def recognizes(self, model: object) -> bool:
        """Say whether this is a model of the kind, without importing its library."""

    def conversions(self, model: Any, signature: Signature, sample: Any) -> list[Callable[[], Conversion]]:
        """Return ways to convert the model, the best first: the next one is tried if one fails or is not exact.

        Raises
        ------
        UnsupportedModelError
            If there is none; the message says why.
        """

    def answer(self, model: Any, rows: Any) -> Answer:
        """Ask the original."""


def matrix_feed(
    name: str, signature: Signature, dtype: str, names: list[str] | None = None, coded: bool = True
) -> Feed:
    """Return the one input of a model of a matrix: numbers, and categories by their codes.

    Parameters
    ----------
    name, dtype
        Of the input.
    signature
        What goes in.
    names
        The columns in the model's order. Default: that of the signature.
    coded
        Whether categories are allowed, as codes.

    Raises
    ------
    UnsupportedModelError
        If a column is neither a number nor, with `coded`, a category.
    """
    if signature.tensor is not None:
        return Feed(name=name, dtype=dtype)
    columns = {column.name: column for column in signature.columns}
    missing = [item for item in names or [] if item not in columns]
    if missing:
        raise UnsupportedModelError(
            f"The model takes a column {missing[0]!r}, which the sample does not have. Give a sample with all columns."
        )
    chosen = names or list(columns)
    encodings: list[Encoding] = []
    for item in chosen:
        column = columns[item]
        if column.categories is not None and coded:
            encodings.append("code")
        elif is_number(column):
            encodings.append("number")
        else:
            raise UnsupportedModelError(
                f"Column {item!r} is {column.type.value}, and the model takes a matrix of numbers: encode it before "
                "the model, in a pipeline or a recipe."
            )
    return Feed(name=name, dtype=dtype, columns=chosen, encodings=encodings)


def is_number(column: Column) -> bool:
    """Whether a column holds plain numbers or booleans."""
    return column.categories is None and column.type in (ColumnType.LONG, ColumnType.DOUBLE, ColumnType.BOOLEAN)


def width_of(signature: Signature) -> int:
    """Return the number of columns; UnsupportedModelError for arrays of more dimensions than two."""
    if signature.tensor is None:
        return len(signature.columns)
    if len(signature.tensor.shape) != 2 or signature.tensor.shape[1] < 0:
        shape = ", ".join("any" if size < 0 else str(size) for size in signature.tensor.shape)
        raise UnsupportedModelError(f"The sample has the shape [{shape}], and the model takes a table of two.")
    return signature.tensor.shape[1]


def estimator_answer(model: Any, rows: Any) -> Answer:
    """Ask an estimator with scikit-learn's methods."""
    predictions = model.predict(rows)
    if not hasattr(model, "predict_proba"):
        return {"predictions": predictions}
    probabilities = model.predict_proba(rows)
    if isinstance(probabilities, list) or not hasattr(model, "classes_"):
        return {"predictions": predictions}
    return {"predictions": predictions, "probabilities": probabilities, "classes": model.classes_}


def plain_classes(classes: Any) -> list[Any]:
    """Return the labels of a classifier as Python's values; UnsupportedModelError if JSON has no such values."""
    values = classes.tolist() if hasattr(classes, "tolist") else list(classes)
    if not all(isinstance(value, (str, int, float, bool)) for value in values):
        raise UnsupportedModelError(f"The classes {values[:5]} are neither texts nor numbers: encode the target.")
    return values
