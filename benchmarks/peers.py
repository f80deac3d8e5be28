"""The peers: libraries that Atelier is measured against, each in an environment of its own.

`python -m benchmarks.peers` makes the environments.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from scripts.mlflow_environment import VERSION, mlflow_python
from scripts.peer_environment import clean_environment

MLFLOW = f"mlflow {VERSION}, SQLite"


class MlflowPeer:
    """A process with MLflow that does what it is told and says how long it took."""

    def __init__(self) -> None:
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed with the process
        self._process = subprocess.Popen(
            [str(mlflow_python()), str(Path(__file__).parent / "mlflow_peer.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env=clean_environment(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()
        self._log.close()

    def ask(self, command: str, **options: Any) -> Any:
        """Run one of the functions of `mlflow_peer` there and return its answer."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"command": command, **options}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            raise RuntimeError(f"MLflow's process ended during {command}: {self._log.read()[-3000:]}")
        return json.loads(line)


if __name__ == "__main__":
    print(mlflow_python())
