"""What the worker needs of a model: rows in and arrays out, or bodies in and bodies out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from kernel_tools.core.signature import Signature


@dataclass(frozen=True, slots=True)
class Payload:
    """A body and what it is, as a MIME type."""

    body: bytes
    content_type: str


@runtime_checkable
class Engine(Protocol):
    """A model that takes rows. `is_quick`: one row is answered in less time than handing it to a thread takes."""

    is_quick: bool

    @property
    def signature(self) -> Signature | None:
        """What goes in, and which classes come out; None if that is not known."""

    def read(self, form: Any) -> Any:
        """Check the rows of a request, in one of the four forms, and return what `predict` takes.

        Raises
        ------
        InvalidArgumentError, InvalidDataError
            If they do not fit the signature; the message names row and column.
        """

    def read_table(self, table: Any) -> Any:
        """Take a DataFrame, or an array for a model of arrays, that fits the signature; what `predict` takes."""

    def predict(self, rows: Any) -> Mapping[str, Any]:
        """Return ``predictions``, and of a classifier ``probabilities`` and ``classes``, as arrays.

        Raises
        ------
        ModelError
            If the model fails.
        """

    def close(self) -> None:
        """End what the model runs."""


@runtime_checkable
class PayloadEngine(Protocol):
    """A model whose own code reads and writes bodies."""

    def invoke(self, payload: Payload, accept: str) -> Payload:
        """Answer a request.

        Raises
        ------
        ModelError
            If the code raises, ends its process, or takes too long.
        UnsupportedContentError
            If it takes or gives no bodies of that type.
        """

    def close(self) -> None:
        """End the code's process."""
