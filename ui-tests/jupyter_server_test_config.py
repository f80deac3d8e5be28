"""Jupyter configuration of the UI tests: no token, so bind to loopback only; the environment says the port."""

import os

from jupyterlab.galata import configure_jupyter_server

configure_jupyter_server(c)  # noqa: F821  # `c` is what Jupyter gives to configuration files
c.ServerApp.ip = "127.0.0.1"  # noqa: F821
c.ServerApp.port = int(os.environ["ATELIER_UI_PORT"])  # noqa: F821
c.ServerApp.port_retries = 0  # noqa: F821
c.ServerApp.allow_root = True  # noqa: F821
c.ServerApp.jpserver_extensions = {"studio_ext": True}  # noqa: F821
c.Application.log_level = "ERROR"  # noqa: F821
