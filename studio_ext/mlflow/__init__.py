"""MLflow's tracking and registry protocol, so that its clients and autologgers work with a Jupyter server.

Set ``MLFLOW_TRACKING_URI`` to ``<server>/studio/mlflow`` and ``MLFLOW_TRACKING_TOKEN`` to the server's token. The
modules here translate; the work is done by `kernel_tools.experiments` and `kernel_tools.registry`.
"""

from __future__ import annotations

from studio_ext.mlflow.artifact_proxy import ArtifactHandler, ArtifactListHandler, MultipartHandler
from studio_ext.mlflow.downloads import (
    LoggedModelDownloadHandler,
    RunDownloadHandler,
    UploadHandler,
    VersionDownloadHandler,
)
from studio_ext.mlflow.handlers import ApiHandler, MlflowHandler
from studio_ext.mlflow.system import HealthHandler, ServerInfoHandler, UnknownPathHandler, VersionHandler

HANDLERS: list[type[MlflowHandler]] = [
    RunDownloadHandler,
    VersionDownloadHandler,
    LoggedModelDownloadHandler,
    UploadHandler,
    ApiHandler,
    ArtifactListHandler,
    ArtifactHandler,
    MultipartHandler,
    HealthHandler,
    VersionHandler,
    ServerInfoHandler,
    UnknownPathHandler,
]
"""The handlers, in the order in which their paths are tried."""
