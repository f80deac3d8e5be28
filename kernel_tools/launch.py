"""Starting the studio and running its quickstart: what `atelier lab` and `atelier demo` do."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from kernel_tools.core.errors import AtelierError, InvalidArgumentError, NotFoundError

if TYPE_CHECKING:
    from traitlets.config import Config

FIRST_PORT = 8888
QUICKSTART = "quickstart.ipynb"
LEAST_AUC = 0.915
"""What the Adult data allows is about 0.92; less than this means that something is broken."""


def notebooks_folder() -> Path:
    """Return the folder of the notebooks: beside the package in a checkout, else where the wheel put it.

    Raises
    ------
    NotFoundError
        If they were not installed.
    """
    candidates = [Path(__file__).parents[1] / "notebooks", Path(sys.prefix) / "share" / "jupyter-atelier" / "notebooks"]
    for folder in candidates:
        if (folder / QUICKSTART).is_file():
            return folder
    raise NotFoundError(
        "The quickstart notebook is not installed. Reinstall it: pip install --force-reinstall jupyter-atelier"
    )


def launch_lab(path: str | None, *, port: int, browser: bool | None) -> None:
    """Replace this process by JupyterLab on 127.0.0.1.

    Parameters
    ----------
    path
        A notebook or folder below the current folder; None opens a copy of the quickstart that is made if it is
        missing.
    port
        0 for 8888 or the next free port.
    browser
        Whether to open a browser; None decides by what the machine has.

    Raises
    ------
    InvalidArgumentError
        If the path does not exist or is outside the current folder, or the port is taken.
    """
    root = Path.cwd()
    target = _below(root, path) if path else _quickstart_in(root)
    port = port or _free_port()
    token = os.environ.get("JUPYTER_TOKEN") or secrets.token_hex(24)
    page = f"/lab/tree/{quote(target.as_posix())}" if target != Path() else "/lab"
    has_browser = _has_browser() if browser is None else browser
    arguments = [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={root}",
        f"--LabApp.default_url={page}",
    ]
    if not has_browser:
        arguments.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--allow-root")
    print(f"Atelier opens at http://127.0.0.1:{port}{page}?token={token}", flush=True)
    print("Stop it with Ctrl-C.", flush=True)
    environment = {**os.environ, "JUPYTER_TOKEN": token}
    command = [sys.executable, "-m", "jupyterlab", *arguments]
    os.execve(sys.executable, command, environment)


def run_demo() -> bool:
    """Run the quickstart in a fresh workspace and print what came out; True if all of it is as it should be."""
    import papermill

    folder = notebooks_folder()
    with tempfile.TemporaryDirectory(prefix="atelier-demo-") as name:
        os.environ["ATELIER_HOME"] = str(Path(name) / "workspace")
        output = Path(name) / QUICKSTART
        print(f"Running {QUICKSTART} in a fresh workspace ...", flush=True)
        started = time.perf_counter()
        try:
            papermill.execute_notebook(
                folder / QUICKSTART,
                output,
                parameters={"keep_endpoint": True},
                cwd=str(folder),
                kernel_name="python3",
                progress_bar=sys.stderr.isatty(),
                config=_kernel_transport(),
            )
        except papermill.PapermillExecutionError as error:
            print(f"The quickstart failed in cell {error.exec_count}: {error.ename}: {error.evalue}", file=sys.stderr)
            return False
        finally:
            rows, is_good = _demo_results(time.perf_counter() - started)
    _print_table(rows)
    return is_good


def _kernel_transport() -> Config:
    """Let the kernel talk over sockets in the file system where there are any; over TCP it warns of plain text."""
    from traitlets.config import Config

    return Config() if sys.platform == "win32" else Config({"KernelManager": {"transport": "ipc"}})


def _demo_results(seconds: float) -> tuple[list[tuple[str, str]], bool]:
    """Read the results back from the workspace, as somebody else would, then end the endpoints."""
    from kernel_tools import experiments, hosting, registry

    rows = [("notebook", f"{seconds:.1f} s")]
    auc = 0.0
    answered = False
    try:
        for record in experiments.search_run_records()[0]:
            auc = record.metrics.get("test/auc", 0.0)
            rows += [("run", f"{record.name} ({record.status.value})"), ("AUC on the test split", f"{auc:.4f}")]
        for version in registry.list_versions()[0]:
            rows.append(("model version", f"{version.model} {version.version}, {version.status.value}"))
        for endpoint in hosting.list_endpoints():
            started = time.perf_counter()
            sample = registry.get(endpoint.record.model, endpoint.record.version).record.sample
            reply = endpoint.invoke(sample[:1])
            answered = len(reply["predictions"]) == 1
            milliseconds = (time.perf_counter() - started) * 1000
            rows += [
                ("endpoint", f"{endpoint.name}, {endpoint.state.value}, {endpoint.url}"),
                ("one row answered", f"{reply['predictions'][0]} in {milliseconds:.1f} ms"),
            ]
    finally:
        for endpoint in hosting.list_endpoints():
            endpoint.delete()
    is_good = auc >= LEAST_AUC and answered
    rows.append(("result", "as expected" if is_good else f"NOT as expected: AUC below {LEAST_AUC}, or no answer"))
    return rows, is_good


def _print_table(rows: list[tuple[str, str]]) -> None:
    width = max(len(label) for label, _ in rows)
    for label, value in rows:
        print(f"  {label:<{width}}  {value}")


def _below(root: Path, path: str) -> Path:
    target = (root / path).resolve()
    if not target.exists():
        raise InvalidArgumentError(f"There is no {path!r} to open in {str(root)!r}.")
    if target != root and root not in target.parents:
        raise InvalidArgumentError(f"{path!r} is outside the current folder {str(root)!r}: change to its folder first.")
    return target.relative_to(root)


def _quickstart_in(root: Path) -> Path:
    """Return the quickstart below the current folder, copied there with its data if it is not."""
    source = notebooks_folder()
    if root == source or root in source.parents:
        return (source / QUICKSTART).relative_to(root)
    target = root / "notebooks"
    if not (target / QUICKSTART).exists():
        (target / "data").mkdir(parents=True, exist_ok=True)
        for name in (QUICKSTART, "data/adult.parquet"):
            shutil.copyfile(source / name, target / name)
    return Path("notebooks") / QUICKSTART


def _free_port() -> int:
    for port in range(FIRST_PORT, FIRST_PORT + 100):
        with socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AtelierError(f"No port from {FIRST_PORT} to {FIRST_PORT + 99} is free. Choose one with --port.")


def _has_browser() -> bool:
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    import webbrowser

    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True
