"""What is captured is in one file for each rank: read while it grows, bounded, and whole after any crash."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel_tools.core.errors import IntegrityError, InvalidArgumentError, NotFoundError
from kernel_tools.debugger.chunks import used_bytes
from kernel_tools.debugger.records import COLUMNS, TICK, Config, Mode, SaveConfig
from kernel_tools.debugger.store import StoreWriter, store_path
from kernel_tools.debugger.trial import Trial


def open_writer(folder: Path, rank: int = 0, max_disk: int = 1 << 28) -> StoreWriter:
    return StoreWriter(store_path(folder, rank), framework="pytorch", max_disk=max_disk)


def write(writer: StoreWriter, step: int, tensors: int = 3, mode: Mode = Mode.TRAIN, name: str = "t") -> None:
    ids = np.array([writer.define(f"{name}{index}", ["weights"], (4, 5)) for index in range(tensors)])
    block = np.full((tensors, len(COLUMNS)), step, "f4") + np.arange(tensors, dtype="f4")[:, None] / 8
    writer.write_step(step, mode, 1000 + step, writer.layout(ids), block)
    writer.tidy()


def test_a_series_is_the_same_before_and_after_steps_were_turned_round(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    for step in range(600):
        write(writer, step)
    steps, values = Trial(tmp_path).tensor("t1").series("mean")
    assert steps.tolist() == list(range(600))
    assert values.tolist() == [step + 0.125 for step in range(600)]
    assert writer.connection.execute("SELECT COUNT(*) FROM chunks").fetchone() == (2,)


def test_a_reader_sees_every_step_once_while_steps_are_turned_round(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    write(writer, 0)
    trial = Trial(tmp_path)
    seen = []
    for step in range(1, 700):
        write(writer, step, mode=Mode.EVAL if step % 50 == 0 else Mode.TRAIN)
        if step % 37 == 0 or step in (256, 257, 699):
            seen += trial.refresh()
    assert [step for step, _ in seen] == list(range(1, 700))
    assert all(trial.statistics(step, mode).values[2, 0] == step + 0.25 for step, mode in seen)  # type: ignore[union-attr]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["TRAIN", "EVAL"]), st.integers(1, 4)), min_size=1, max_size=60),
    st.integers(1, 20),
)
def test_whatever_was_written_is_read_again(
    tmp_path_factory: pytest.TempPathFactory, plan: list[tuple[str, int]], most: int
) -> None:
    from unittest import mock

    folder = tmp_path_factory.mktemp("store")
    with mock.patch("kernel_tools.debugger.store.MOST_STEPS", most):
        writer = open_writer(folder)
        for step, (mode, tensors) in enumerate(plan):
            write(writer, step, tensors, Mode[mode])
        writer.close()
    trial = Trial(folder)
    for mode in ("TRAIN", "EVAL"):
        expected = [step for step, (of, _) in enumerate(plan) if of == mode]
        assert trial.steps(mode) == expected
        for index in range(4):
            having = [step for step in expected if plan[step][1] > index]
            if having:
                steps, values = trial.tensor(f"t{index}").series("max", mode)
                assert steps.tolist() == having
                assert values.tolist() == [step + index / 8 for step in having]
    trial.close()


def test_a_full_file_drops_elements_first_and_then_every_second_step(tmp_path: Path) -> None:
    limit = 3_000_000
    writer = open_writer(tmp_path, max_disk=limit)
    elements = writer.define("raw", ["custom"], (1000,), "array")
    for step in range(4000):
        write(writer, step, tensors=20)
        if step % 100 == 0:
            writer.write_array(elements, step, Mode.TRAIN, step, np.zeros(5000))
    assert used_bytes(writer.connection) < 2 * limit
    assert writer.path.stat().st_size < 3 * limit
    trial = Trial(tmp_path)
    steps = trial.tensor("t3").steps("TRAIN")
    assert 0 in steps and 3999 in steps and len(steps) < 4000
    assert trial.tensor("raw").steps() == [] or trial.tensor("raw").steps()[0] > 0


def test_a_killed_writer_leaves_a_file_that_opens_and_goes_on(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np; sys.path.insert(0, sys.argv[2]);"
        "from tests.debugger.test_store import open_writer, write; from pathlib import Path\n"
        "writer = open_writer(Path(sys.argv[1]))\n"
        "for step in range(10**6):\n write(writer, step)\n print(step, flush=True)"
    )
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path), root], stdout=subprocess.PIPE, text=True, cwd=root
    )
    assert process.stdout is not None
    said = -1
    for line in process.stdout:
        said = int(line)
        if said >= 300:
            os.kill(process.pid, signal.SIGKILL)
            break
    said = max([said, *(int(line) for line in process.stdout if line.strip().isdecimal() and line.endswith("\n"))])
    process.wait()
    trial = Trial(tmp_path)
    steps = trial.steps()
    assert steps[: said + 1] == list(range(said + 1))
    assert not trial.loaded_all_steps
    write(open_writer(tmp_path), steps[-1] + 1)
    assert (steps[-1] + 1, Mode.TRAIN) in trial.refresh()


def test_workers_are_read_side_by_side(tmp_path: Path) -> None:
    write(open_writer(tmp_path, 0), 3)
    write(open_writer(tmp_path, 1), 4)
    trial = Trial(tmp_path)
    assert trial.workers() == ["rank-0", "rank-1"]
    assert trial.steps() == [3, 4]
    assert trial.tensor("t0").reduction_value(4, "mean", worker="rank-1") == 4


def test_smdebugs_words_are_understood(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    for step in (0, 5, 10):
        write(writer, step)
    loss = writer.define("loss", ["losses"], (), "scalar")
    writer.write_scalars(5, Mode.TRAIN, 1, [(loss, 0.25)])
    raw = writer.define("embedding", ["custom"], (2, 3), "array")
    writer.write_array(raw, 5, Mode.EVAL, 1, np.arange(6.0).reshape(2, 3))
    trial = Trial(tmp_path)
    assert trial.tensor_names(regex="^t[01]$") == ["t0", "t1"]
    assert trial.tensor_names(collection="losses") == ["loss"]
    assert trial.collections()["weights"] == ["t0", "t1", "t2"]
    assert trial.tensor("t0").steps(mode="TRAIN") == [0, 5, 10]
    assert trial.tensor("t0").reduction_value(5, "norm") == 5
    assert trial.tensor("t0").reduction_value(5, "mean", abs=True) == 5 / 20
    assert trial.tensor("t0").reduction_values(5)["abs_max"] == 5
    assert trial.tensor("loss").value(5) == 0.25
    assert trial.tensor("embedding").value(5, mode=Mode.EVAL).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert trial.tensor("loss").values() == {5: 0.25}
    assert trial.modes() == [Mode.TRAIN]
    assert trial.has_passed_step(7) and not trial.has_passed_step(11)
    assert trial.has_tensor("t2") and not trial.has_tensor("t3")
    trial.wait_for_steps([9], timeout=0)
    with pytest.raises(TimeoutError, match="Step 11"):
        trial.wait_for_steps([11], timeout=0)
    writer.set_meta("closed", 1)
    assert trial.loaded_all_steps
    with pytest.raises(NotFoundError, match="ended at step 10"):
        trial.wait_for_steps([11])


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda trial: trial.tensor("t00"), "Did you mean 't0'"),
        (lambda trial: trial.tensor("t0").value(0), "reduction_value"),
        (lambda trial: trial.tensor("t0").reduction_value(1, "mean"), "nearest are: 0"),
        (lambda trial: trial.tensor("t0").reduction_value(0, "median"), "no statistic"),
        (lambda trial: trial.tensor("t0").series(worker="rank-9"), "No worker 'rank-9'"),
        (lambda trial: trial.tensor_names(regex="("), "no regular expression"),
        (lambda trial: trial.steps("TRAINING"), "The modes are TRAIN"),
    ],
)
def test_a_wrong_question_is_answered_with_what_to_do(tmp_path: Path, ask: object, message: str) -> None:
    write(open_writer(tmp_path), 0)
    with pytest.raises((NotFoundError, InvalidArgumentError), match=message):
        ask(Trial(tmp_path))  # type: ignore[operator]


def test_nothing_captured_says_how_to_capture(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="kernel_tools.debugger.watch"):
        Trial(tmp_path)


def test_a_file_of_something_else_or_of_a_newer_atelier_is_refused(tmp_path: Path) -> None:
    store_path(tmp_path, 0).write_bytes(b"no database" * 100)
    with pytest.raises(IntegrityError, match="does not hold"):
        Trial(tmp_path)
    store_path(tmp_path, 0).unlink()
    connection = sqlite3.connect(store_path(tmp_path, 0))
    connection.execute("CREATE TABLE x (y)")
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(IntegrityError, match="format version 99"):
        Trial(tmp_path)


def test_ticks_are_read_in_their_order(tmp_path: Path) -> None:
    writer = open_writer(tmp_path)
    write(writer, 0)
    for first in (0, 10):
        ticks = np.zeros((10, len(TICK)))
        ticks[:, 0] = np.arange(first, first + 10)
        ticks[:, 1] = Mode.TRAIN
        ticks[:, TICK.index("loss")] = 1 / (1 + ticks[:, 0])
        writer.write_ticks(ticks)
    writer.set_meta("has_loss", True)
    trial = Trial(tmp_path)
    assert trial.ticks()["step"].tolist() == list(range(20))
    steps, losses = trial.losses(until=3)
    assert steps.tolist() == [0, 1, 2, 3] and losses.tolist() == [1, 1 / 2, 1 / 3, 1 / 4]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"every": 0}, "1 or more"),
        ({"budget": 0}, "share above 0"),
        ({"first": -1}, "0 or more"),
        ({"start": 5, "end": 5}, "end must come after"),
        ({"modes": ("TRAINING",)}, "The modes are"),
        ({"raw": ("(",)}, "no regular expression"),
        ({"max_disk": "much"}, "bytes"),
    ],
)
def test_settings_that_cannot_be_used_say_what_can(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        SaveConfig(**arguments)  # type: ignore[arg-type]


def test_settings_survive_their_json() -> None:
    import json

    config = Config(
        rules=(("LossNotDecreasing", {"num_steps": 20}),), save=SaveConfig(every=5, raw=("losses",)), profile=(3, 5)
    )
    again = Config.from_dict(json.loads(json.dumps(config.to_dict())))
    assert again.to_dict() == json.loads(json.dumps(config.to_dict()))
    assert again.save.every == 5 and again.profile == (3, 5)
