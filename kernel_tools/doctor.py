"""What `atelier doctor` looks at: versions, the extension, and the health of the workspace."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from kernel_tools import __version__
from kernel_tools.core.errors import AtelierError
from kernel_tools.core.workspace import Workspace, find_workspace

LIBRARIES = (
    "jupyterlab",
    "jupyter-server",
    "pandas",
    "numpy",
    "scikit-learn",
    "xgboost",
    "torch",
    "plotly",
    "sqlalchemy",
    "skops",
    "uvicorn",
)
LEAST_FREE_BYTES = 2**30


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: its state is "ok", "warning" or "failed"; `advice` says what to do."""

    what: str
    state: str
    detail: str
    advice: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return the finding as JSON."""
        return asdict(self)


def examine() -> list[Finding]:
    """Look at everything; one broken thing does not hide the next."""
    findings = [
        Finding("atelier", "ok", __version__),
        Finding("python", "ok", f"{platform.python_version()} ({sys.executable})"),
        *(_library(name) for name in LIBRARIES),
        _guard("lab extension", _lab_extension),
        _guard("server extension", _server_extension),
    ]
    root = find_workspace()
    findings.append(_guard("workspace", lambda: _folder(root)))
    if findings[-1].state == "failed":
        return findings
    workspace = Workspace(root)
    findings += [
        _guard("catalog", lambda: _catalog(workspace)),
        _guard("artifacts", lambda: _artifacts(workspace)),
        _guard("audit log", lambda: _audit(workspace)),
        _guard("endpoints", lambda: _endpoints(workspace)),
    ]
    return findings


def print_findings(findings: list[Finding]) -> None:
    """Print a table for people."""
    from rich.console import Console
    from rich.table import Table

    signs = {"ok": "[green]ok[/green]", "warning": "[yellow]warning[/yellow]", "failed": "[red]failed[/red]"}
    table = Table(box=None, pad_edge=False)
    for title in ("what", "state", "detail"):
        table.add_column(title, overflow="fold")
    for finding in findings:
        table.add_row(finding.what, signs[finding.state], f"{finding.detail} {finding.advice}".strip())
    Console().print(table)


def _guard(what: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except (AtelierError, OSError, ValueError) as error:
        return Finding(what, "failed", str(error))


def _library(name: str) -> Finding:
    try:
        return Finding(name, "ok", metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(name, "failed", "not installed", f"pip install {name}")


def _lab_extension() -> Finding:
    from jupyter_core.paths import jupyter_path

    for folder in jupyter_path("labextensions"):
        package = Path(folder) / "jupyter-atelier" / "package.json"
        if package.is_file():
            found = json.loads(package.read_text())["version"]
            if found == __version__:
                return Finding("lab extension", "ok", f"{found} in {package.parent}")
            advice = "Reinstall jupyter-atelier, then reload the browser tab."
            return Finding("lab extension", "failed", f"is {found}, the library is {__version__}.", advice)
    return Finding("lab extension", "failed", "not installed.", "pip install --force-reinstall jupyter-atelier")


def _server_extension() -> Finding:
    from jupyter_core.paths import jupyter_config_path

    states: list[bool] = []
    for folder in jupyter_config_path():
        for file in [
            *sorted(Path(folder).glob("jupyter_server_config.d/*.json")),
            Path(folder) / "jupyter_server_config.json",
        ]:
            if file.is_file():
                enabled = json.loads(file.read_text()).get("ServerApp", {}).get("jpserver_extensions", {})
                states += [enabled["studio_ext"]] if "studio_ext" in enabled else []
    if states and states[0]:
        return Finding("server extension", "ok", "enabled")
    return Finding("server extension", "failed", "not enabled.", "jupyter server extension enable studio_ext")


def _folder(root: Path) -> Finding:
    folder = root if root.exists() else next(parent for parent in root.parents if parent.exists())
    if not os.access(folder, os.W_OK):
        advice = "Set ATELIER_HOME to a folder that you may write to."
        return Finding("workspace", "failed", f"{root} is not writable.", advice)
    free = shutil.disk_usage(folder).free
    state = "ok" if free > LEAST_FREE_BYTES else "warning"
    return Finding(
        "workspace", state, f"{root}, {free / 2**30:.1f} GiB free", "" if state == "ok" else "Free some space."
    )


def _catalog(workspace: Workspace) -> Finding:
    problems = workspace.database.check()
    shown = workspace.database.url.render_as_string(hide_password=True)
    if problems:
        return Finding("catalog", "failed", " ".join(problems), "Restore the file from a backup.")
    return Finding("catalog", "ok", shown)


def _artifacts(workspace: Workspace) -> Finding:
    store = workspace.artifacts
    count = sum(1 for _ in store.list())
    return Finding("artifacts", "ok", f"{count:,} files")


def _audit(workspace: Workspace) -> Finding:
    report = workspace.audit.verify()
    if report.ok:
        return Finding("audit log", "ok", f"whole, {report.records:,} records")
    return Finding("audit log", "failed", f"broken at record {report.first_broken}: {report.reason}")


def _endpoints(workspace: Workspace) -> Finding:
    from kernel_tools import hosting

    endpoints = hosting.list_endpoints(workspace=workspace)
    failed = [endpoint.name for endpoint in endpoints if endpoint.state == hosting.EndpointState.FAILED]
    if failed:
        advice = "Restart them, or delete them, in the Endpoints panel."
        return Finding(
            "endpoints", "warning", f"{len(failed)} of {len(endpoints)} failed: {', '.join(failed)}.", advice
        )
    return Finding("endpoints", "ok", f"{len(endpoints)} running")
