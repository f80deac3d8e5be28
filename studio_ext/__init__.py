"""Atelier in JupyterLab: the server extension and its panels. The work itself is done by `kernel_tools`."""

from __future__ import annotations

from typing import Any

from kernel_tools import __version__ as __version__


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from studio_ext.app import StudioApp

    return [{"module": "studio_ext", "app": StudioApp}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [
        {"src": "labextension", "dest": "jupyter-atelier"},
        {"src": "labextension-widget", "dest": "jupyter-atelier-widget"},
    ]
