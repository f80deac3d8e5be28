"""From a production variant to the engine that answers for it; each kind of engine loads only what it needs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from kernel_tools.core.errors import ForbiddenError
from kernel_tools.core.workspace import Workspace, join_inside
from kernel_tools.hosting.configuration import ProductionVariant
from kernel_tools.hosting.engines.protocol import Engine, PayloadEngine
from kernel_tools.registry.records import ModelFile

DEFAULT_TIMEOUT = 60.0


def open_engine(
    workspace: Workspace, variant: ProductionVariant, timeout: float = DEFAULT_TIMEOUT
) -> Engine | PayloadEngine:
    """Load what answers for a variant, ready for its first request.

    Parameters
    ----------
    workspace
        Where its files are.
    variant
        The variant: one version, or several in a row.
    timeout
        Seconds that code of the model's own may take for a request.

    Raises
    ------
    ForbiddenError
        If it has code of its own, and is not trusted.
    AtelierError
        If it cannot be loaded; the message says why.
    """
    if variant.package is not None:
        from kernel_tools.hosting.engines.compiled import CompiledEngine

        with tempfile.TemporaryDirectory(prefix="atelier-model-", ignore_cleanup_errors=True) as name:
            return CompiledEngine(_download(workspace, variant.package.files, Path(name)))
    if variant.command or variant.app:
        if not variant.trust:
            raise ForbiddenError(
                f"Variant {variant.name!r} runs code of its own. If you know where it comes from, deploy it with "
                "trust=True."
            )
        folder = _download(workspace, variant.version.files, Path(tempfile.mkdtemp(prefix="atelier-model-")))
        if variant.command:
            from kernel_tools.hosting.engines.program import ProgramEngine

            return ProgramEngine(variant.command, folder, timeout)
        from kernel_tools.hosting.engines.asgi import AsgiEngine

        return AsgiEngine(variant.app, folder)
    from kernel_tools.hosting.engines.framework import open_framework_engine

    return open_framework_engine(workspace, variant, timeout)


def _download(workspace: Workspace, files: Iterable[ModelFile], folder: Path) -> Path:
    for file in files:
        workspace.artifacts.download(file.sha256, join_inside(folder, file.path))
    return folder
