"""Every place that names the version names the same one."""

import json
import tomllib
from pathlib import Path

import kernel_tools
import studio_ext

ROOT = Path(__file__).parents[2]


def test_all_versions_are_the_same():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    panel = json.loads((ROOT / "package.json").read_text())["version"]
    assert {project, panel, kernel_tools.__version__, studio_ext.__version__} == {project}
