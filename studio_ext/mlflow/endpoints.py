"""The table of all endpoints below ``/api/2.0/mlflow`` and ``/ajax-api/2.0/mlflow``."""

from __future__ import annotations

from studio_ext.mlflow import (
    artifacts,
    experiments,
    logged_models,
    metrics,
    registered_models,
    run_inputs,
    runs,
    versions,
)
from studio_ext.mlflow.api import EndpointTable

ENDPOINTS = EndpointTable(
    [
        *experiments.ENDPOINTS,
        *runs.ENDPOINTS,
        *run_inputs.ENDPOINTS,
        *metrics.ENDPOINTS,
        *artifacts.ENDPOINTS,
        *registered_models.ENDPOINTS,
        *versions.ENDPOINTS,
        *logged_models.ENDPOINTS,
    ]
)
