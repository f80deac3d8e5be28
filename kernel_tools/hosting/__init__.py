"""Hosting: a registered model answers requests from a process of its own, which outlives the kernel and the server.

>>> endpoint = deploy("census-income", version=1, name="census")   # doctest: +SKIP
>>> endpoint.predict(X.head())                                      # doctest: +SKIP
>>> endpoint.delete()                                               # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_tools.core.faces import lazy_face

if TYPE_CHECKING:
    from kernel_tools.hosting.batch.submission import BatchTransform, batch_transform, list_batch_transforms
    from kernel_tools.hosting.configuration import ProductionVariant
    from kernel_tools.hosting.deploying import (
        create_access_key,
        deploy,
        development_certificate,
        get,
        list_access_keys,
        list_endpoints,
        revoke_access_key,
    )
    from kernel_tools.hosting.endpoint import Endpoint
    from kernel_tools.hosting.figures import history_figures
    from kernel_tools.hosting.history import Traffic, Window
    from kernel_tools.hosting.records import (
        CaptureConfig,
        EndpointRecord,
        EndpointState,
        Limits,
        ScalingPolicy,
        Security,
    )
    from kernel_tools.hosting.updates import Alarm, UpdatePolicy, UpdateProgress
    from kernel_tools.hosting.wire.access_keys import AccessKey, NewAccessKey
    from kernel_tools.hosting.wire.errors import ModelError

__all__ = [
    "AccessKey",
    "Alarm",
    "BatchTransform",
    "CaptureConfig",
    "Endpoint",
    "EndpointRecord",
    "EndpointState",
    "Limits",
    "ModelError",
    "NewAccessKey",
    "ProductionVariant",
    "ScalingPolicy",
    "Security",
    "Traffic",
    "UpdatePolicy",
    "UpdateProgress",
    "Window",
    "batch_transform",
    "create_access_key",
    "deploy",
    "development_certificate",
    "get",
    "history_figures",
    "list_access_keys",
    "list_batch_transforms",
    "list_endpoints",
    "revoke_access_key",
]

__getattr__, __dir__ = lazy_face(
    __name__,
    {
        "batch.submission": "BatchTransform batch_transform list_batch_transforms",
        "deploying": (
            "create_access_key deploy development_certificate get list_access_keys list_endpoints revoke_access_key"
        ),
        "endpoint": "Endpoint",
        "figures": "history_figures",
        "history": "Traffic Window",
        "configuration": "ProductionVariant",
        "records": "CaptureConfig EndpointRecord EndpointState Limits ScalingPolicy Security",
        "updates": "Alarm UpdatePolicy UpdateProgress",
        "wire.access_keys": "AccessKey NewAccessKey",
        "wire.errors": "ModelError",
    },
)
