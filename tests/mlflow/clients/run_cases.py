"""Run the cases of one file with MLflow's client and print a JSON line for each; in MLflow's own environment.

A case is a function whose name begins with ``case_``. It gets what its parameters ask for: ``client`` (an
`MlflowClient`), ``experiment_id`` (a new experiment), ``folder`` (an empty one).
"""

import importlib.util
import inspect
import json
import sys
import traceback
import uuid
from pathlib import Path

from mlflow import MlflowClient


def main(file: Path, folder: Path) -> None:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(file.parent))
    spec.loader.exec_module(module)
    client = MlflowClient()
    for name, case in inspect.getmembers(module, inspect.isfunction):
        if not name.startswith("case_"):
            continue
        message = ""
        try:
            wanted = inspect.signature(case).parameters
            given = {"client": client}
            if "experiment_id" in wanted:
                given["experiment_id"] = client.create_experiment(f"{name} {uuid.uuid4().hex[:8]}")
            if "folder" in wanted:
                given["folder"] = folder / name
                given["folder"].mkdir(parents=True)
            case(**{parameter: given[parameter] for parameter in wanted})
        except BaseException:
            message = traceback.format_exc()
        print(json.dumps({"case": name, "message": message}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
