"""The process beside a job that evaluates the Debugger's rules: ``python -m kernel_tools.debugger.beside_job FOLDER``.

It is started and ended by the job's supervisor. Until something is captured it sleeps and has next to nothing loaded.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path

from kernel_tools.debugger.companion import CONFIG_VARIABLE
from kernel_tools.jobs.workload import die_with_supervisor

_PATIENCE = 0.2


def main(folder: Path) -> None:
    """Evaluate until SIGTERM, then once more."""
    is_over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: is_over.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_supervisor()
    os.nice(5)
    while not any(folder.glob("rank-*.db")):
        if is_over.wait(_PATIENCE):
            return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from kernel_tools.core.workspace import current_workspace
    from kernel_tools.debugger.live import LiveEvaluation
    from kernel_tools.debugger.records import Config
    from kernel_tools.debugger.rules import make_rules
    from kernel_tools.experiments import Run

    config = Config.from_dict(json.loads(os.environ[CONFIG_VARIABLE]))
    run = Run(current_workspace(), folder.parent.name)
    live = LiveEvaluation(folder, make_rules(config.rules), config.actions, run=run)
    live.start()
    is_over.wait()
    live.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
