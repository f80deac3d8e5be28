"""What a lowering refuses."""

from __future__ import annotations

from kernel_tools.core.errors import InvalidArgumentError


class UnsupportedError(InvalidArgumentError):
    """A step that cannot be said in the language that a recipe is lowered to; the message names both."""
