"""Fill a workspace for the UI tests: hundreds of runs, some live and some failed, models, endpoints.

Prints one line of JSON with the names that the tests need, then keeps the live runs alive until its input ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xgboost as xgb
from seed_debugger import seed_watched_runs
from seed_jobs import start_jobs
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import kernel_tools as kt
from kernel_tools.core.errors import NotFoundError
from kernel_tools.core.workspace import current_workspace
from kernel_tools.experiments.figures import confusion_matrix
from kernel_tools.hosting.counters import Counters
from kernel_tools.hosting.folder import EndpointFolder, current_time
from kernel_tools.hosting.history import SAMPLE_MS, HistoryWriter, Sample, VariantSample
from kernel_tools.hosting.process import stop_processes
from kernel_tools.hosting.records import EndpointState

DATA = Path(__file__).parent.parent / "notebooks" / "data" / "adult.parquet"
EXPERIMENT = "census-income"
SWEEP_RUNS = 210
ROUNDS = 40


def read_census() -> tuple[pd.DataFrame, pd.Series]:
    """Return a small part of the census data: numbers and categories, and who earns more than 50,000."""
    table = pd.read_parquet(DATA).sample(4000, random_state=7).reset_index(drop=True)
    X = table.drop(columns=["income", "split"])
    for name in X.select_dtypes(exclude="number"):
        X[name] = X[name].astype("category")
    return X, (table["income"] == ">50K").astype(int)


def seed_sweep(rng: np.random.Generator) -> None:
    """Many short runs, as a sweep over parameters leaves them; every 25th failed."""
    for index in range(SWEEP_RUNS):
        depth, rate = int(rng.integers(3, 10)), float(rng.uniform(0.02, 0.3))
        run = kt.experiments.start_run(
            EXPERIMENT,
            name=f"sweep-{index:03d}",
            params={"max_depth": depth, "learning_rate": f"{rate:.4f}", "booster": "hist"},
            tags={"sweep": "first"},
        )
        auc = 0.9 + 0.02 * rate + 0.001 * depth + float(rng.normal(0, 0.003))
        run.log_metrics({"valid-auc": auc, "valid-logloss": 1.2 - auc}, step=0)
        run.finish("FAILED" if index % 25 == 24 else "FINISHED")


def seed_odd_runs() -> str:
    """Names and numbers that strain a table; returns the id of a run that may be deleted."""
    run = kt.experiments.start_run(
        "odd-cases",
        name="a run whose name is so long that no column of any table will ever show the whole of it at once",
        params={"a_parameter_with_a_long_name": "a value that is long as well, and goes on for a while"},
    )
    run.log_metrics({"loss": float("nan"), "ratio": float("inf"), "tiny": 1.23456789e-9, "huge": 123456789012.5})
    run.finish("FINISHED")
    with contextlib.suppress(RuntimeError), kt.experiments.start_run("odd-cases", name="diverged") as failing:
        failing.log_metric("loss", float("nan"), step=3)
        raise RuntimeError("the loss is not a number any more")
    return run.id


def seed_nested_runs() -> None:
    """Two searches with runs inside them, and runs inside one of these."""
    for outer in ("search-a", "search-b"):
        root = kt.experiments.start_run("nested", name=outer, params={"strategy": "grid"})
        for number in range(3):
            trial = kt.experiments.start_run(
                "nested", name=f"{outer} trial {number}", params={"depth": number % 2}, parent_run_id=root.id
            )
            trial.log_metrics({"auc": 0.8 + number / 20, "loss": 0.5 - number / 20})
            if number == 0:
                for fold in range(2):
                    part = kt.experiments.start_run("nested", name=f"{outer} fold {fold}", parent_run_id=trial.id)
                    part.log_metric("auc", 0.8 + fold / 100)
                    part.finish()
            trial.finish()
        root.finish()


def seed_models(X: pd.DataFrame, y: pd.Series, folder: Path) -> str:
    """Train, track and register; return the id of the run that the first version came from."""
    train, valid = slice(0, 3000), slice(3000, None)
    for depth, note in ((6, "AUC and the groups were checked."), (2, "Worse than version 1."), (5, None)):
        params = {"max_depth": depth, "learning_rate": 0.2, "n_estimators": ROUNDS}
        model = xgb.XGBClassifier(**params, enable_categorical=True, eval_metric=["auc", "logloss"])
        model.fit(X[train], y[train], eval_set=[(X[train], y[train]), (X[valid], y[valid])], verbose=False)
        run = kt.experiments.start_run(EXPERIMENT, name=f"xgb-depth-{depth}", params=params, tags={"owner": "tests"})
        log_evaluation(run, model.evals_result())
        log_artifacts(run, model, X[valid], y[valid], folder)
        if depth == 6:
            log_particulars(run, X[train])
        run.finish("FINISHED")
        version = kt.registry.register(EXPERIMENT, model, run=run, sample_input=X[valid].head(8))
        if version.version == 1:
            first = run.id
            version.approve(note=note)
            version.promote("champion", reason="The best AUC of three.")
            write_card()
            kt.compiler.compile(version, "onnx", X[valid].head(200), measure_memory=False)
        elif note:
            version.reject(note=note)
    numbers = X.select_dtypes("number")
    linear = make_pipeline(StandardScaler(), LogisticRegression()).fit(numbers, y)
    kt.registry.register("census-linear", linear, sample_input=numbers.head(3))
    return first


def seed_comparison() -> list[str]:
    """Two runs to set side by side: their code, environments and files differ; return their ids."""
    runs = []
    for place, (name, rate, commit) in enumerate((("slow", 0.05, "a" * 40), ("fast", 0.2, "b" * 40))):
        run = kt.experiments.start_run(
            "comparison",
            name=name,
            params={"learning_rate": rate, "depth": 6, "booster": "hist" if place else "exact"},
            tags={"mlflow.source.git.commit": commit, "mlflow.source.name": "train.ipynb", "team": "census"},
        )
        started_at = run.record.started_at
        for step in range(60):
            noise = 0.04 * float(np.sin(7 * step + place))
            values = {"train/loss": float(np.exp(-rate * step)) + noise, "valid/auc": 1 - 0.4 / (1 + rate * step)}
            run.log_metrics(values, step, timestamp=started_at + (3000 - 1200 * place) * step)
        run.log_text(
            f"rate = {rate}\nmodel = Booster(rate)\nmodel.fit(X, y)\n" + "report(model)\n" * place, "source/cell.py"
        )
        packages = [f"numpy==2.{place}.0", "pandas==3.0.1", "shap==0.48.0" if place else "lightgbm==4.6.0"]
        head = ["# Python 3.11.9 (CPython)", "# Linux-6.1-x86_64, 2 processors, 8.0 GiB memory"]
        run.log_text("\n".join([*head, *packages]) + "\n", "environment/packages.txt")
        run.log_text(f"# Notes\n\nThe rate was {rate}.\n", "notes.md")
        run.log_confusion_matrix([0, 0, 1, 1], [0, place, 1, 1], labels=["no", "yes"])
        run.log_image(np.tile(np.linspace(0, 1, 80), (60, 1)) ** (1 + 2 * place), "gradient")
        run.finish("FINISHED")
        runs.append(run.id)
    return runs


def log_evaluation(run: Any, results: dict[str, dict[str, list[float]]]) -> None:
    """Log each round of a training."""
    for step in range(ROUNDS):
        for part, metrics in zip(("train", "valid"), results.values(), strict=True):
            run.log_metrics({f"{part}-{name}": values[step] for name, values in metrics.items()}, step=step)


def log_artifacts(run: Any, model: Any, X: pd.DataFrame, y: pd.Series, folder: Path) -> None:
    """Keep a figure, a picture, texts and something that cannot be shown."""
    run.log_figure(confusion_matrix(y, model.predict(X), labels=["<=50K", ">50K"]), "confusion")
    (folder / "report.json").write_text(json.dumps({"auc": roc_auc_score(y, model.predict_proba(X)[:, 1])}))
    (folder / "notes.md").write_text("# Notes\n\nTrained on 3000 rows, checked on 1000.\n")
    (folder / "mark.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="120" height="60"><circle cx="30" cy="30" r="24"/></svg>'
    )
    (folder / "rows.parquet").write_bytes(X.head(5).to_parquet())
    for path in sorted(folder.iterdir()):
        run.log_artifact(path)


def log_particulars(run: Any, X: pd.DataFrame) -> None:
    """What only one run has: notes, a dataset, runs inside it, and files of the kinds that can be looked into."""
    run.set_note("Depth 6 wins over the **sweep**.\n\n- AUC is stable\n- next: fewer rounds\n")
    run.log_dataset(X, name="adult", role="training")
    run.log_table(X.head(500), "tables/rows.csv")
    run.log_text("<h1>Report</h1><p>All is well.</p><script>document.title = 'taken over'</script>", "report.html")
    run.log_text(json.dumps({"cells": CELLS, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), "analysis.ipynb")
    run.log_text("".join(f"round {n}: auc {0.9 + n / 1000:.3f}\n" for n in range(300)), "output/output.txt")
    run.log_text(DIFF, "source/diff.patch")
    for fold in range(2):
        child = run.start_child(f"fold-{fold}", params={"fold": fold})
        child.log_metric("valid-auc", 0.92 + fold / 100)
        child.start_child("calibration").finish()
        child.finish()


CELLS = [
    {"cell_type": "markdown", "metadata": {}, "source": ["# Analysis\n", "Which groups are wrong most often?"]},
    {
        "cell_type": "code",
        "execution_count": 1,
        "metadata": {},
        "source": "errors.groupby('sex').mean()",
        "outputs": [
            {"output_type": "stream", "name": "stdout", "text": "two groups\n"},
            {
                "output_type": "execute_result",
                "execution_count": 1,
                "metadata": {},
                "data": {"text/html": "<b>0.13</b><script>alert(1)</script>", "text/plain": "0.13"},
            },
        ],
    },
]

DIFF = """diff --git a/train.py b/train.py
index 83db48f..bf2a7c1 100644
--- a/train.py
+++ b/train.py
@@ -1,3 +1,3 @@
 import xgboost as xgb
-depth = 5
+depth = 6
 rounds = 40
"""


def write_card() -> None:
    """Write two revisions of the first version's card."""
    kt.registry.write_card(EXPERIMENT, 1, text="Who earns more than 50,000 a year.", intended_use="Teaching.")
    kt.registry.write_card(EXPERIMENT, 1, data="Adult, 1994.", limits="**Not** for decisions about people.")


def start_live_runs() -> list[Any]:
    """Start runs that go on until this process ends."""
    runs = [kt.experiments.start_run(EXPERIMENT, name=name) for name in ("live-training", "live-tuning")]
    for run in runs:
        for step in range(12):
            run.log_metric("train-loss", 1 / (step + 1), step=step)
    return runs


def deploy_endpoints() -> None:
    """Deploy one endpoint that answers, one for arrays, and two whose workers ended again and again."""
    kt.hosting.deploy(EXPERIMENT, version=1, name="census")
    points = np.array([[0.0, 0.0], [0.0, 1.0], [5.0, 5.0], [6.0, 5.0]])
    nearest = LogisticRegression().fit(points, ["near", "near", "far", "far"])
    version = kt.registry.register("points", nearest, sample_input=points)
    version.approve(note="Two clusters, far apart.")
    capture = kt.hosting.CaptureConfig(flush_seconds=0.1)
    endpoint = kt.hosting.deploy("points", version=1, name="points", capture=capture)
    endpoint.predict(points)
    for body in ('{"instances": [[0.5, 0.5]]}', '{"instances": [["far"]]}'):
        endpoint.invoke_async(body.encode(), inference_id=f"seeded-{len(body)}", retries=0)
    for name in ("census-candidate", "census-broken"):
        kt.hosting.deploy(EXPERIMENT, version=3, name=name)
        give_up(EndpointFolder(current_workspace(), name))
    remember_traffic(EndpointFolder(current_workspace(), "census-candidate"))


def remember_traffic(folder: EndpointFolder) -> None:
    """Leave a history as the host notes it: a quarter of an hour of requests, some of them wrong."""
    folder.history_path.unlink(missing_ok=True)
    writer, counted, now = HistoryWriter(folder.history_path), Counters(), current_time()
    draw = np.random.default_rng(0)
    for step in range(180):
        for milliseconds in draw.gamma(2.0, 3.0, int(20 + 15 * np.sin(step / 20))):
            status = 400 if milliseconds > 20 else 424 if milliseconds > 18 else 200
            counted.record(status, 1000 * milliseconds + 90.0, 1000 * milliseconds)
        counted.concurrent_requests = int(draw.integers(0, 4))
        variants = {"AllTraffic": VariantSample.of(counted, 2, 2)}
        memory = int(1.2e8 + 2e5 * step)
        writer.add(Sample(now - (180 - step) * SAMPLE_MS, variants, 0.9 * step, memory))
    begun = datetime.fromtimestamp(now / 1000 - 900)
    with folder.log_path.open("a") as log:
        for second in range(900):
            if second % 60 == 40:
                reason = f"It holds {700 + second % 7} MiB, more than the 512 MiB that it may."
                line = f"WARNING This worker is to be replaced. {reason}"
            else:
                line = f"INFO Started server process [{20_000 + second}]"
            log.write(f"{begun + timedelta(seconds=second)!s:.23} {line}\n")


def give_up(folder: EndpointFolder) -> None:
    """Leave an endpoint as the host does whose workers end while they load the model."""
    with folder.lock():
        status = folder.status()
        stop_processes(status.processes)
        reason = (
            f"The process of endpoint {folder.name!r} ended 3 times while it was loading the model; its log says more."
        )
        folder.write_status(replace(status, state=EndpointState.FAILED, reason=reason, workers=()))


def register_from(job: Any, X: pd.DataFrame, y: pd.Series) -> None:
    """Register a model that the run of a job has made."""
    numbers = X.select_dtypes("number")
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(numbers, y)
    kt.registry.register("census-by-job", model, run=job.run, sample_input=numbers.head(3))


def main() -> None:
    """Fill, say so, wait, clean up."""
    folder = Path(os.environ["ATELIER_HOME"]).parent / f"{Path(os.environ['ATELIER_HOME']).name}-files"
    folder.mkdir(exist_ok=True)
    jobs = start_jobs()
    X, y = read_census()
    spare = seed_odd_runs()
    seed_nested_runs()
    seed_sweep(np.random.default_rng(3))
    compared = seed_comparison()
    watched = seed_watched_runs()
    run_id = seed_models(X, y, folder)
    deploy_endpoints()
    live = start_live_runs()
    for name in ("done", "broken", "spot"):
        jobs[name].wait(120)
    register_from(jobs["done"], X, y)
    try:
        made = {
            "run": run_id,
            "spare": spare,
            "compared": compared,
            "watched": [run.id for run in watched],
            "live": [run.id for run in live],
            "job_run": jobs["done"].spec.run_id,
        }
        print(json.dumps(made), flush=True)
        sys.stdin.read()
    finally:
        for job in jobs.values():
            with contextlib.suppress(NotFoundError):  # a test deletes one
                job.stop()
        for run in [*live, watched[-1]]:
            run.finish("KILLED")
        for endpoint in kt.hosting.list_endpoints():
            endpoint.delete()


if __name__ == "__main__":
    main()
