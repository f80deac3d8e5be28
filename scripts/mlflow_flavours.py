"""MLflow's autologging of Lightning and transformers, and `mlflow-skinny` alone, against a server of ours:
`python -m scripts.mlflow_flavours`.

The environments are too big for every test run (3 GB; two minutes to install): they are made below `build/` when this
is run. The models are tiny and made on the spot; nothing is downloaded but packages.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.mlflow_environment import VERSION
from scripts.peer_environment import ROOT, clean_environment

ENVIRONMENTS = {
    "skinny": (f"mlflow-skinny=={VERSION}",),
    "deep_learning": (f"mlflow=={VERSION}", "torch==2.13.0", "lightning", "transformers", "accelerate"),
}
"""The packages that the cases of ``tests/mlflow/flavours/<name>.py`` need."""
CASES = ROOT / "tests" / "mlflow"


def make_environment(name: str) -> Path:
    """Return the interpreter of an environment, which is made first if it is missing."""
    folder = ROOT / "build" / f"mlflow-{name.replace('_', '-')}-env"
    python, stamp = folder / "bin" / "python", folder / f".mlflow-{VERSION}"
    if not stamp.exists():
        print(f"Installing {', '.join(ENVIRONMENTS[name])} into {folder}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *ENVIRONMENTS[name]]
        subprocess.run(install, check=True, env=clean_environment())
        stamp.touch()
    return python


def run_cases(name: str, folder: Path) -> dict[str, str]:
    """Run the cases of a file against a new server; return what each one said, nothing if it passed."""
    from tests.mlflow.conftest import TOKEN, start_server

    python = make_environment(name)
    with start_server(folder) as server:
        environment = clean_environment() | {
            "MLFLOW_TRACKING_URI": server.tracking_uri,
            "MLFLOW_TRACKING_TOKEN": TOKEN,
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
            "HF_HUB_OFFLINE": "1",
            "GIT_PYTHON_REFRESH": "quiet",
        }
        files = (CASES / "clients" / "run_cases.py", CASES / "flavours" / f"{name}.py", folder / name)
        done = subprocess.run(
            [str(python), *map(str, files)], env=environment, cwd=folder, capture_output=True, text=True, timeout=900
        )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"case"')]
    if not lines:
        return {name: done.stderr[-3000:]}
    return {line["case"]: line["message"] for line in lines}


def main() -> int:
    """Run all of it; returns the number of cases that failed."""
    failed = 0
    for name in ENVIRONMENTS:
        with tempfile.TemporaryDirectory(prefix="mlflow-flavours-") as temporary:
            for case, message in run_cases(name, Path(temporary)).items():
                print(f"{name}: {case}: {'failed' if message else 'passed'}\n{message}".rstrip(), flush=True)
                failed += bool(message)
    return failed


if __name__ == "__main__":
    sys.exit(main())
