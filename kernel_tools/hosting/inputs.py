"""The rows of request bodies. How they are read lives in `core.forms`, which compiled models share."""

from __future__ import annotations

from kernel_tools.core.forms import FORMS, InputReader

__all__ = ["FORMS", "InputReader"]
