"""The rows that fit the signature of a model version. How they are read lives in `core.rows`."""

from __future__ import annotations

from kernel_tools.core.rows import MAX_PROBLEMS, RowReader, check_records, check_split, read_tensor, rows_to_frame

__all__ = ["MAX_PROBLEMS", "RowReader", "check_records", "check_split", "read_tensor", "rows_to_frame"]
