"""Jobs that are interrupted and go on, and the checkpoints that they go on from."""

from __future__ import annotations

import json
import logging

import numpy as np
import pytest

from kernel_tools import jobs
from kernel_tools.core.errors import ConflictError, ForbiddenError, InvalidArgumentError
from kernel_tools.jobs import checkpointing
from kernel_tools.jobs.folder import now
from kernel_tools.jobs.states import JobState
from tests.jobs.conftest import END
from tests.jobs.test_life import wait_until

TORCH = """
    import os, sys, time
    import torch
    from torch.utils.data import DataLoader, TensorDataset
    import kernel_tools as kt

    torch.manual_seed(7)
    torch.set_num_threads(1)
    x = torch.randn(64, 6)
    y = x @ torch.randn(6, 1)
    model = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.Dropout(0.2), torch.nn.Linear(8, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 20)
    loader = DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True)
    run = kt.experiments.start_run("spot")
    states = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
    loop = kt.jobs.checkpointing.Checkpointer(**states, every=0.05, run=run)
    for epoch, index, (inputs, targets) in loop.batches(loader, epochs=8):
        loss = torch.nn.functional.mse_loss(model(inputs), targets)
        optimizer.zero_grad(); loss.backward(); optimizer.step(); scheduler.step()
        run.log_metric("loss", loss.item(), step=epoch * 4 + index)
        print("step", epoch * 4 + index, flush=True)
        time.sleep(float(os.environ.get("SM_HP_PAUSE", 0)))
    run.finish()
"""


@pytest.fixture
def uninterrupted(workspace, script):
    job = jobs.submit(script(TORCH, "torch_run.py"), experiment="spot")
    assert job.wait(END) == "Completed", job.logs()
    return job.metrics()["value"].tolist()


def test_an_interrupted_training_gives_the_same_curve(workspace, script, uninterrupted):
    path = script(TORCH, "torch_run.py")
    job = jobs.submit(path, experiment="spot", spot=jobs.Spot(), params={"pause": 0.05})
    for number, (mark, notice) in enumerate([("step 5\n", 20), ("step 12\n", 0.001), ("step 19\n", 20)], 1):
        wait_until(lambda mark=mark, number=number: len(job.attempts) == number and mark in job.logs() + "\n", job)
        job.interrupt(notice=notice)
        wait_until(lambda number=number: len(job.attempts) > number, job)
    assert job.wait(END) == "Completed", job.logs()
    metrics = job.metrics()
    assert metrics["step"].tolist() == list(range(32))
    assert metrics["value"].tolist() == uninterrupted
    codes = [attempt.exit_code for attempt in job.attempts]
    assert codes == [75, -9, 75, 0]
    savings = job.savings
    assert savings.interruptions == 3 and 0 < savings.redone_seconds < savings.total_seconds
    assert savings.billable_seconds == pytest.approx(savings.total_seconds * 0.3)


def test_a_job_without_a_handler_is_interrupted_too_and_without_spot_is_not(workspace, script):
    path = script(
        """
        import os, time
        print("up", flush=True)
        if os.environ["ATELIER_ATTEMPT"] == "1":
            time.sleep(1000)
        """
    )
    job = jobs.submit(path, spot=jobs.Spot(notice=5))
    wait_until(lambda: "up" in job.logs(attempt=1), job)
    job.interrupt()
    assert job.wait(END) == "Completed" and len(job.attempts) == 2
    assert [stretch.state for stretch in job.history.stretches][2:6] == [
        "Running",
        "Interrupted",
        "Restarting",
        "Starting",
    ]
    plain = jobs.submit(path, grace=0.1)
    with pytest.raises(ConflictError, match="no spot job"):
        plain.interrupt()
    plain.stop()
    plain.wait(END)


def test_code_in_a_job_sees_the_notice(workspace, script):
    path = script(
        """
        import os, signal, sys, time
        import kernel_tools as kt
        if os.environ["ATELIER_ATTEMPT"] == "2":
            sys.exit(0)
        signal.signal(signal.SIGTERM, lambda *_: None)
        print("up", flush=True)
        while (left := kt.jobs.interruption()) is None:
            time.sleep(0.01)
        print("left", 25 < left <= 30, flush=True)
        sys.exit(0)
        """
    )
    job = jobs.submit(path, spot=jobs.Spot())
    wait_until(lambda: "up" in job.logs(attempt=1), job)
    job.interrupt(notice=30)
    assert job.wait(END) == "Completed"
    assert "left True" in job.logs(attempt=1) and len(job.attempts) == 2


def test_a_spot_job_waits_for_capacity_and_gives_up_in_time(workspace, script):
    jobs.spot.set_capacity(now() + 3_600_000)
    path = script("print('ran')")
    patient, hasty = jobs.submit(path, spot=jobs.Spot()), jobs.submit(path, spot=jobs.Spot(max_wait=0.2))
    assert hasty.wait(END) is JobState.WAIT_EXPIRED and "max_wait" in hasty.reason
    wait_until(lambda: patient.status == "Waiting", patient)
    other = jobs.submit(path)
    assert other.wait(END) == "Completed"  # who waits for capacity holds no place
    jobs.spot.set_capacity(None)
    assert patient.wait(END) == "Completed"
    assert patient.savings.waiting_seconds > 0


def test_a_lost_supervisor_of_a_spot_job_is_replaced(workspace, script):
    import os
    import signal

    job = jobs.submit(
        script("import os, time; print('up', flush=True); time.sleep(1000 * (os.environ['ATELIER_ATTEMPT'] == '1'))"),
        spot=jobs.Spot(),
    )
    wait_until(lambda: job.attempts and job.attempts[0].workload and "up" in job.logs(), job)
    os.kill(job.attempts[0].supervisor["pid"], signal.SIGKILL)
    assert job.wait(END) == "Completed"
    assert [attempt.ended_state for attempt in job.attempts] == ["Restarting", "Completed"]


def test_the_simulator_interrupts_running_spot_jobs(workspace, script, tmp_path):
    path = script(
        "import os, time; print('up', flush=True); time.sleep(1000 * (int(os.environ['ATELIER_ATTEMPT']) < 3))"
    )
    job = jobs.submit(path, spot=jobs.Spot())
    wait_until(lambda: job.status == "Running", job)
    hits = []
    for _, name in jobs.spot.simulate(rate=36_000, notice=0.001, duration=END, seed=1):
        hits.append(name)
        wait_until(lambda: len(job.attempts) > len(hits), job)
        if len(hits) == 2:
            break
    assert job.wait(END) == "Completed" and set(hits) == {job.name}
    (tmp_path / "trace.csv").write_text("at,notice,outage\n5,1,2\n0.5,,\n")
    assert jobs.spot.read_trace(tmp_path / "trace.csv")[0] == jobs.spot.Interruption(0.5)
    (tmp_path / "trace.csv").write_text("at,price\n5,1\n")
    with pytest.raises(InvalidArgumentError, match="Entry 1"):
        jobs.spot.read_trace(tmp_path / "trace.csv")


def test_prices_are_a_sheet_that_one_edits(workspace, script):
    jobs.spot.set_prices(1.0, 0.25, "EUR")
    job = jobs.submit(script("pass"), spot=jobs.Spot())
    job.wait(END)
    assert job.savings.currency == "EUR" and job.savings.fraction == pytest.approx(0.75)
    with pytest.raises(InvalidArgumentError, match="on_demand"):
        jobs.spot.set_prices(0, 1)


def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path, caplog):
    store = checkpointing.CheckpointStore(tmp_path, keep=2)
    for step in (1, 2, 3):
        store.save(step, lambda folder, step=step: (folder / "x").write_text(f"state {step}"), {"n": step})
    assert len(list(tmp_path.glob("step-*"))) == 2
    newest = store.newest()
    assert newest.step == 3 and newest.state == {"n": 3}
    (newest.path / "x").write_text("state ?")
    with caplog.at_level(logging.WARNING):
        assert store.newest().step == 2
    assert "x is not what was saved" in caplog.text


def test_a_save_that_is_killed_leaves_the_one_before(tmp_path):
    store = checkpointing.CheckpointStore(tmp_path)
    store.save(1, lambda folder: (folder / "x").write_text("1"))

    def fail(folder):
        (folder / "x").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.save(2, fail)
    (tmp_path / ".saving-step-3").mkdir()
    assert store.newest().step == 1
    store.save(4, lambda folder: None)
    assert not list(tmp_path.glob(".saving-*"))


@pytest.mark.parametrize("sampling", [{}, {"subsample": 0.6}, {"subsample": 0.6, "colsample_bynode": 0.7}])
def test_xgboost_goes_on_to_the_same_trees(tmp_path, sampling):
    import xgboost

    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(300, 5)), generator.integers(0, 2, 300)
    params = {"objective": "binary:logistic", "seed": 3, "nthread": 1, **sampling}
    data = xgboost.DMatrix(x, y)
    options = {"evals": [(data, "train")], "every": 1e-6}
    expected, log = {}, {}
    whole = checkpointing.train_xgboost(params, data, 30, folder=tmp_path / "whole", evals_result=expected, **options)
    checkpointing.train_xgboost(params, data, 13, folder=tmp_path / "cut", **options)
    begun = checkpointing.CheckpointStore(tmp_path / "cut").newest().step
    resumed = checkpointing.train_xgboost(params, data, 30, folder=tmp_path / "cut", evals_result=log, **options)
    assert 0 < begun <= 13
    assert resumed.get_dump(dump_format="json") == whole.get_dump(dump_format="json")
    assert log == expected


def test_lightgbm_and_scikit_learn_go_on(tmp_path):
    lightgbm = pytest.importorskip("lightgbm")
    from sklearn.linear_model import SGDClassifier

    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(300, 5)), generator.integers(0, 2, 300)

    def cut(environment):
        if environment.iteration == 7:
            raise KeyboardInterrupt

    params = {"objective": "binary", "verbosity": -1, "num_threads": 1}
    folder = tmp_path / "lightgbm"
    with pytest.raises(KeyboardInterrupt):
        checkpointing.train_lightgbm(params, lightgbm.Dataset(x, y), 20, folder=folder, every=0.0001, callbacks=[cut])
    assert checkpointing.train_lightgbm(params, lightgbm.Dataset(x, y), 20, folder=folder).current_iteration() == 20

    batches = [(x[start : start + 30], y[start : start + 30]) for start in range(0, 300, 30)]
    whole = SGDClassifier(random_state=1)
    for batch in batches:
        whole.partial_fit(*batch, classes=[0, 1])

    def until(count):
        for number, batch in enumerate(batches):
            if number == count:
                raise KeyboardInterrupt
            yield batch

    folder = tmp_path / "sgd"
    with pytest.raises(KeyboardInterrupt):
        checkpointing.partial_fit(SGDClassifier(random_state=1), until(4), folder=folder, every=0.0001, classes=[0, 1])
    resumed = checkpointing.partial_fit(SGDClassifier(random_state=1), batches, folder=folder, classes=[0, 1])
    assert np.array_equal(resumed.coef_, whole.coef_)


def test_folders_of_other_libraries_are_recognised_when_they_are_whole(tmp_path):
    assert checkpointing.latest_folder(tmp_path) is None
    for step, has_weights in ((10, True), (20, False)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "trainer_state.json").write_text(json.dumps({"global_step": step}))
        if has_weights:
            (folder / "model.safetensors").write_bytes(b"x")
    assert checkpointing.latest_folder(tmp_path).name == "checkpoint-10"
    (tmp_path / "last.ckpt").write_bytes(b"PK cut off")
    assert checkpointing.latest_folder(tmp_path).name == "checkpoint-10"


def test_what_a_function_returns_that_is_no_plain_value_needs_trust(workspace):
    def halves():
        import numpy

        return numpy.array([0.5])

    job = jobs.submit(halves)
    assert job.wait(END) == "Completed", job.logs()
    with pytest.raises(ForbiddenError, match="trust=True"):
        job.output().value()
    assert job.output().value(trust=True).tolist() == [0.5]


def test_a_checkpointer_says_what_it_cannot_keep(tmp_path):
    with pytest.raises(InvalidArgumentError, match="state_dict"):
        checkpointing.Checkpointer(folder=tmp_path, model=object())
    with pytest.raises(InvalidArgumentError, match="belong together"):
        checkpointing.Checkpointer(folder=tmp_path, save=lambda folder: None)
    with pytest.raises(InvalidArgumentError, match="folder="):
        checkpointing.Checkpointer()
