"""The rules of ONNX, by family: importing this fills `onnx_values.RULES`."""

from __future__ import annotations

from kernel_tools.wrangler.lowering.onnx_rules import choices, dates, logic, numbers, texts

__all__ = ["choices", "dates", "logic", "numbers", "texts"]
