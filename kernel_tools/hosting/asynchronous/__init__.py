"""Asynchronous inference: requests wait in a durable queue, and their outputs appear in files.

The host starts a dispatcher when there is a backlog; it sends the requests to the endpoint, at least once each, and
lets every output appear once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_tools.core.faces import lazy_face

if TYPE_CHECKING:
    from kernel_tools.hosting.asynchronous.inference import AsyncInference, AsyncInferenceError
    from kernel_tools.hosting.asynchronous.records import (
        AsyncConfiguration,
        AsyncMetrics,
        AsyncRecord,
        AsyncState,
        Notify,
    )
    from kernel_tools.hosting.asynchronous.submission import accept_async

__all__ = [
    "AsyncConfiguration",
    "AsyncInference",
    "AsyncInferenceError",
    "AsyncMetrics",
    "AsyncRecord",
    "AsyncState",
    "Notify",
    "accept_async",
]

__getattr__, __dir__ = lazy_face(
    __name__,
    {
        "inference": "AsyncInference AsyncInferenceError",
        "records": "AsyncConfiguration AsyncMetrics AsyncRecord AsyncState Notify",
        "submission": "accept_async",
    },
)
