"""From the body of a request to what a model takes: the four forms of rows, checked against the model's signature."""

from __future__ import annotations

from typing import Any

from kernel_tools.core.errors import InvalidArgumentError, InvalidDataError
from kernel_tools.core.rows import RowReader, check_records, check_split, read_tensor
from kernel_tools.core.signature import Signature

FORMS = ("dataframe_records", "dataframe_split", "instances", "inputs")


class InputReader:
    """Reads the rows of request bodies for one model.

    Parameters
    ----------
    signature
        The model's signature. Without one, rows become a DataFrame or array as they come, and the model judges them.
    rows
        What reads the rows of a table. Default: what makes a DataFrame of them.
    """

    def __init__(self, signature: Signature | None, rows: RowReader | None = None) -> None:
        self._tensor = signature.tensor if signature else None
        self._rows = rows or (RowReader(signature) if signature and signature.columns else None)

    def read(self, body: Any) -> Any:
        """Return a DataFrame, or an array if the model takes arrays.

        Raises
        ------
        InvalidArgumentError
            If the body has none of the four forms, or more than one, or the form is not what it should be.
        InvalidDataError
            If values do not fit the signature; the message names row and column.
        """
        forms = [form for form in FORMS if form in body] if isinstance(body, dict) else []
        if len(forms) != 1:
            raise InvalidArgumentError(
                "The request must be a JSON object with exactly one of 'dataframe_records', 'dataframe_split', "
                f"'instances' and 'inputs'; it has {', '.join(forms) if forms else 'none'}. "
                'For example: {"dataframe_records": [{"column": value}]}.'
            )
        form, value = forms[0], body[forms[0]]
        if form == "dataframe_records":
            return self._read_records(value)
        if form == "dataframe_split":
            if not isinstance(value, dict) or "columns" not in value or "data" not in value:
                raise InvalidArgumentError("'dataframe_split' must be an object with 'columns' and 'data'.")
            return self._read_split(value["columns"], value["data"])
        if form == "inputs" and isinstance(value, dict):
            return self._read_columns(value)
        return self._read_instances(form, value)

    def _read_records(self, records: Any) -> Any:
        self._refuse_table("rows with named columns")
        if self._rows is not None:
            return self._rows.read_records(records)
        import pandas as pd

        check_records(records)
        return pd.DataFrame.from_records(records)

    def _read_split(self, columns: Any, data: Any) -> Any:
        self._refuse_table("rows with named columns")
        if self._rows is not None:
            return self._rows.read_split(columns, data)
        import pandas as pd

        check_split(columns, data)
        return pd.DataFrame(data, columns=columns)

    def _read_columns(self, columns: dict[str, Any]) -> Any:
        lengths = {name: len(values) if isinstance(values, list) else None for name, values in columns.items()}
        if not lengths or None in lengths.values() or len(set(lengths.values())) != 1:
            raise InvalidArgumentError("'inputs' as an object gives every column a list of values, all of one length.")
        return self._read_split(list(columns), [list(row) for row in zip(*columns.values(), strict=True)])

    def _read_instances(self, form: str, instances: Any) -> Any:
        if not isinstance(instances, list) or not instances:
            raise InvalidArgumentError(f"{form!r} must be a list with at least one row.")
        if isinstance(instances[0], dict):
            return self._read_records(instances)
        if self._tensor is not None:
            return read_tensor(self._tensor, instances)
        if self._rows is not None:
            return self._rows.read_lists(instances)
        import numpy as np

        try:
            array = np.asarray(instances)
            return array.astype(np.float64) if array.dtype.kind == "O" else array
        except (ValueError, TypeError, OverflowError) as error:
            raise InvalidDataError(f"{form!r} is not an array of numbers: {error}.") from error

    def _refuse_table(self, what: str) -> None:
        if self._tensor is not None:
            shape = ", ".join("any" if size < 0 else str(size) for size in self._tensor.shape)
            raise InvalidArgumentError(
                f"This model takes an array of shape [{shape}], not {what}: send it as 'instances', a list of lists."
            )
