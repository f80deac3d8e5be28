"""The library's door: cheap to import, clear about what it has."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import kernel_tools as kt

HEAVY = ("torch", "xgboost", "shap", "plotly", "ray", "mlflow", "pandas", "numpy", "sqlalchemy", "sklearn")


def test_the_import_loads_no_heavy_library():
    script = f"import sys, kernel_tools; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize("capability", kt.CAPABILITIES)
def test_every_capability_is_loaded_on_first_use(capability):
    assert getattr(kt, capability).__name__ == f"kernel_tools.{capability}"
    assert capability in dir(kt)


def test_what_is_not_there_is_said_with_what_is():
    with pytest.raises(AttributeError, match="no attribute 'experiment'; it has: compiler, debugger, experiments"):
        kt.experiment  # noqa: B018  # the access is the test


def test_the_version_is_the_same_everywhere():
    import studio_ext

    root = Path(kt.__file__).parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    package = json.loads((root / "package.json").read_text())
    assert {kt.__version__, studio_ext.__version__, project["version"], package["version"]} == {kt.__version__}


def test_the_magic_tells_the_state_of_the_workspace(workspace):
    from IPython.core.interactiveshell import InteractiveShell

    kt.experiments.start_run("census", workspace=workspace)
    shell = InteractiveShell()
    shell.run_line_magic("load_ext", "kernel_tools")
    status = shell.run_line_magic("atelier", "")
    assert status["workspace"] == str(workspace.root)
    assert status["runs"] == "1 (1 running)"
    assert status["endpoints"] == "0 (0 in service)"
