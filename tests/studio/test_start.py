"""The extension costs JupyterLab's start next to nothing."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ["pydantic", "sqlalchemy", "alembic", "pandas", "numpy", "plotly", "sklearn", "xgboost", "torch", "fsspec"]

PROBE = f"""
import sys
import jupyter_server.serverapp
before = set(sys.modules)
import studio_ext
studio_ext._jupyter_server_extension_points()
from kernel_tools.core.workspace import find_workspace
find_workspace()
print(*sorted(name for name in set(sys.modules) - before if name in {HEAVY} or name.startswith("studio_ext.")))
"""


def test_loading_the_extension_imports_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["studio_ext.app"]
