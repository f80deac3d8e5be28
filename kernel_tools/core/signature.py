"""What goes into a model and what comes out: column names and types, kept with every version and checked at every door.

How JSON rows become a table of these columns is in `rows`.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import IntegrityError, InvalidArgumentError

if TYPE_CHECKING:
    import pandas as pd

CategoryValue = str | int | float | bool


class ColumnType(StrEnum):
    """MLflow's column types, as far as tables have them."""

    BOOLEAN = "boolean"
    LONG = "long"
    DOUBLE = "double"
    STRING = "string"
    DATETIME = "datetime"


@dataclass(frozen=True, slots=True)
class Column:
    """One input or output column.

    Parameters
    ----------
    name
        The column's name.
    type
        What a value is on the wire and for people.
    nullable
        Whether a value may be missing (null in JSON). True where the column's pandas dtype can hold a missing value.
    categories
        Where given, the only values allowed, in the order of the model's training data; each is of the column's `type`.
    dtype
        The pandas dtype that the model was given, such as ``int32``, ``str`` or ``datetime64[us, UTC]``;
        None is the default of `type`. It is ``category`` exactly when `categories` are given.
    is_ordered
        Whether the categories have an order (pandas' ordered categoricals).
    """

    name: str
    type: ColumnType
    nullable: bool = False
    categories: list[CategoryValue] | None = None
    dtype: str | None = None
    is_ordered: bool = False


@dataclass(frozen=True, slots=True)
class Tensor:
    """An array input or output: NumPy type name and shape; -1 is a free (batch) dimension."""

    dtype: str
    shape: list[int]


@dataclass(frozen=True, slots=True)
class Signature:
    """Either `columns` (a table) or `tensor` (an array) describe the inputs; `classes` what a classifier returns."""

    columns: list[Column] = field(default_factory=list)
    tensor: Tensor | None = None
    classes: list[str] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the signature as plain JSON types; `from_dict` reads it back."""
        return {
            "columns": [
                {
                    "name": column.name,
                    "type": column.type.value,
                    "nullable": column.nullable,
                    "categories": None if column.categories is None else list(column.categories),
                    "dtype": column.dtype,
                    "is_ordered": column.is_ordered,
                }
                for column in self.columns
            ],
            "tensor": None if self.tensor is None else {"dtype": self.tensor.dtype, "shape": list(self.tensor.shape)},
            "classes": None if self.classes is None else list(self.classes),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Signature:
        """Read what `to_dict` wrote; fields that a newer version added are ignored.

        Raises
        ------
        IntegrityError
            If the data is not a signature.
        """
        try:
            columns = [
                Column(
                    name=column["name"],
                    type=ColumnType(column["type"]),
                    nullable=bool(column.get("nullable", False)),
                    categories=_categories_of_type(column.get("categories"), ColumnType(column["type"])),
                    dtype=column.get("dtype"),
                    is_ordered=bool(column.get("is_ordered", False)),
                )
                for column in data.get("columns", [])
            ]
            tensor = data.get("tensor")
            return cls(
                columns=columns,
                tensor=None if tensor is None else Tensor(tensor["dtype"], list(tensor["shape"])),
                classes=data.get("classes"),
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise IntegrityError(
                f"The stored signature cannot be read ({type(error).__name__}: {error}). Register the model again."
            ) from error


def _categories_of_type(categories: list[Any] | None, kind: ColumnType) -> list[CategoryValue] | None:
    """JSON writers other than Python's may turn 1.0 into 1: give each category its column's type again."""
    if categories is None:
        return None
    return [float(value) for value in categories] if kind is ColumnType.DOUBLE else list(categories)


def infer_signature(sample: Any) -> Signature:
    """Read a model's signature off a sample of its input.

    A column is nullable if its pandas dtype can hold a missing value: text, categories, dates, floating point and
    pandas' nullable dtypes can, plain integers and booleans cannot. That does not depend on whether the few rows of the
    sample happen to miss a value.

    Parameters
    ----------
    sample
        A pandas DataFrame (any number of rows; the dtypes matter), a NumPy array or a torch tensor, whose first
        dimension is the batch.

    Returns
    -------
    Signature
        `columns` for a DataFrame, `tensor` with first dimension -1 for an array.

    Raises
    ------
    InvalidArgumentError
        If the sample is something else, or has a column that JSON rows cannot fill; the message names it.
    """
    if _is_instance(sample, "pandas", "DataFrame"):
        return Signature(columns=_infer_columns(sample))
    if _is_instance(sample, "numpy", "ndarray"):
        return Signature(tensor=_infer_tensor(str(sample.dtype), sample.dtype.kind in "biuf", sample.shape))
    if _is_instance(sample, "torch", "Tensor"):
        dtype = str(sample.dtype).removeprefix("torch.")
        known = {"bool", "float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8"}
        return Signature(tensor=_infer_tensor(dtype, dtype in known, sample.shape))
    raise InvalidArgumentError(
        f"A {type(sample).__name__} cannot be a sample input: give a pandas DataFrame, a NumPy array or a torch tensor."
    )


def _is_instance(value: object, package: str, name: str) -> bool:
    """`isinstance` without importing a library that the value cannot come from."""
    return any(base.__name__ == name and base.__module__.split(".")[0] == package for base in type(value).__mro__)


def _infer_tensor(dtype: str, is_supported: bool, shape: Any) -> Tensor:
    if not is_supported:
        raise InvalidArgumentError(
            f"A sample array of type {dtype} cannot be sent as JSON: use booleans, integers or floating point."
        )
    if len(shape) == 0:
        raise InvalidArgumentError(
            "The sample array has no dimension: give an array whose first dimension is the batch."
        )
    return Tensor(dtype, [-1, *(int(size) for size in shape[1:])])


def _infer_columns(frame: pd.DataFrame) -> list[Column]:
    if frame.columns.nlevels > 1:
        raise InvalidArgumentError("The sample has column names of several levels: flatten them to plain text first.")
    if len(frame.columns) == 0:
        raise InvalidArgumentError("The sample has no columns: give the columns that the model is called with.")
    names = [str(name) for name in frame.columns]
    for name in names:
        if names.count(name) > 1:
            raise InvalidArgumentError(f"The sample has more than one column {name!r}: rename one of them.")
    return [_infer_column(name, frame.iloc[:, position]) for position, name in enumerate(names)]


def _infer_column(name: str, values: pd.Series) -> Column:
    import pandas as pd

    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _infer_category_column(name, dtype)
    kind = _column_type(dtype)
    if kind is None:
        kind = _OBJECT_TYPES.get(pd.api.types.infer_dtype(values, skipna=True)) if dtype == "object" else None
        if kind is None:
            raise InvalidArgumentError(
                f"Column {name!r} of the sample has dtype {dtype}"
                f"{' and no value to tell its type' if values.isna().all() else ''}: convert it to text, a category, "
                "a number, a boolean or a date, or give a sample with values."
            )
        return Column(name, kind, nullable=True, dtype="object")
    is_plain = getattr(dtype, "kind", "O") in "biu" and not pd.api.types.is_extension_array_dtype(dtype)
    return Column(name, kind, nullable=not is_plain, dtype=str(dtype))


_OBJECT_TYPES = {
    "string": ColumnType.STRING,
    "boolean": ColumnType.BOOLEAN,
    "integer": ColumnType.LONG,
    "floating": ColumnType.DOUBLE,
    "mixed-integer-float": ColumnType.DOUBLE,
}


def _column_type(dtype: Any) -> ColumnType | None:
    from pandas.api import types

    if types.is_bool_dtype(dtype):
        return ColumnType.BOOLEAN
    if types.is_integer_dtype(dtype):
        return ColumnType.LONG
    if types.is_float_dtype(dtype):
        return ColumnType.DOUBLE
    if types.is_datetime64_any_dtype(dtype):
        return ColumnType.DATETIME
    return ColumnType.STRING if types.is_string_dtype(dtype) and dtype.kind == "O" and dtype != "object" else None


def _infer_category_column(name: str, dtype: pd.CategoricalDtype) -> Column:
    import pandas as pd

    kind = {**_OBJECT_TYPES, "empty": ColumnType.STRING}.get(pd.api.types.infer_dtype(dtype.categories, skipna=False))
    if kind is None:
        raise InvalidArgumentError(
            f"Column {name!r} of the sample has categories of type {dtype.categories.dtype}: "
            "convert the categories to text or numbers."
        )
    categories: list[Hashable] = dtype.categories.tolist()
    python_type = {ColumnType.STRING: str, ColumnType.LONG: int, ColumnType.DOUBLE: float, ColumnType.BOOLEAN: bool}[
        kind
    ]
    return Column(
        name,
        kind,
        nullable=True,
        categories=[python_type(value) for value in categories],
        dtype="category",
        is_ordered=bool(dtype.ordered),
    )
