"""What goes through an engine that reads and writes bodies itself."""

from __future__ import annotations

from dataclasses import dataclass

from kernel_tools.core.errors import AtelierError


@dataclass(frozen=True, slots=True)
class Payload:
    """A body and what it is, as a MIME type."""

    body: bytes
    content_type: str


class UnsupportedTypeError(AtelierError):
    """The model takes, or gives, no bodies of this type; answered 415."""
