"""The signature of a model version. What a signature is lives in `core.signature`, where a worker finds it too."""

from __future__ import annotations

from kernel_tools.core.signature import CategoryValue, Column, ColumnType, Signature, Tensor, infer_signature

__all__ = ["CategoryValue", "Column", "ColumnType", "Signature", "Tensor", "infer_signature"]
