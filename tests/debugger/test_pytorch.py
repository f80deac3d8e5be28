"""A training in PyTorch is captured whatever it is made of, and never harmed."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
import textwrap
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import kernel_tools as kt
from kernel_tools.core.errors import ConflictError, InvalidArgumentError
from kernel_tools.core.workspace import Workspace
from kernel_tools.debugger import SaveConfig, Trial
from kernel_tools.debugger.pytorch import patches
from kernel_tools.debugger.pytorch.reductions import Batch, reduce_flat
from kernel_tools.debugger.records import COLUMN
from kernel_tools.debugger.session import Session

EVERY = SaveConfig(every=1)


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.act = nn.Tanh()
        self.hidden = nn.Linear(4 * 36, 16)
        self.out = nn.Linear(16, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.act(self.norm(self.conv(x)))
        result: torch.Tensor = self.out(functional.relu(self.hidden(x.flatten(1))))
        return result


def batch(seed: int = 0, rows: int = 32) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, 1, 8, 8, generator=generator)
    return x, (x.mean((1, 2, 3)) > 0).long()


def train(model: nn.Module, optimizer: torch.optim.Optimizer, steps: int, first: int = 0) -> list[float]:
    losses = []
    for step in range(first, first + steps):
        x, y = batch(step)
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


@pytest.fixture
def net() -> tuple[Net, torch.optim.Optimizer]:
    model = Net()
    return model, torch.optim.Adam(model.parameters(), 1e-3)


def test_a_training_is_captured_under_the_names_of_its_parts(
    tmp_path: Path, net: tuple[Net, torch.optim.Optimizer]
) -> None:
    model, optimizer = net
    with kt.debugger.watch(model, optimizer, rules="none", save=EVERY, run=tmp_path):
        losses = train(model, optimizer, 4)
    trial = Trial(tmp_path)
    assert trial.steps("TRAIN") == [0, 1, 2, 3]
    assert trial.loaded_all_steps
    assert np.allclose(trial.losses()[1], losses)
    names = trial.collections()
    assert names["weights"] == ["conv.weight", "norm.weight", "hidden.weight", "out.weight"]
    assert set(names["gradients"]) == {f"gradient/{name}" for name in (*names["weights"], *names["biases"])}
    assert names["layers"] == [f"{n}.output_0" for n in ("conv", "norm", "act", "hidden", "hidden.relu", "out")]
    assert names["buffers"] == ["norm.running_mean", "norm.running_var"]
    assert trial.tensor("out.weight").reduction_value(3, "mean") == pytest.approx(
        float(model.out.weight.detach().mean())
    )
    assert trial.tensor("act.output_0").info.kind == "Tanh"
    assert trial.tensor("act.output_0").reduction_value(0, "saturated") == 0
    assert 0 <= trial.tensor("hidden.relu.output_0").reduction_value(0, "dead") < 1
    assert trial.tensor("confusion").value(0).sum() == 32
    assert trial.meta("optimizer") == {"class": "Adam", "lr": 0.001, "weight_decay": 0, "betas": [0.9, 0.999]}
    assert trial.meta("loss_kind") == "cross_entropy"
    ticks = trial.ticks()
    assert (ticks["batch_size"] == 32).all() and (ticks["learning_rate"] == 1e-3).all()
    assert (ticks[["forward", "backward", "optimizer"]] > 0).all().all()


def test_the_update_is_what_the_optimizer_has_changed(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 2, bias=False))
    optimizer = torch.optim.SGD(model.parameters(), 0.5)
    with kt.debugger.watch(model, optimizer, rules="none", save=EVERY, run=tmp_path):
        model(torch.ones(1, 3)).sum().backward()
        gradient = model[0].weight.grad.clone()  # type: ignore[union-attr,operator]
        optimizer.step()
    trial = Trial(tmp_path)
    assert trial.tensor("gradient/0.weight").reduction_value(0, "l2") == pytest.approx(float(gradient.norm()))
    assert trial.tensor("update/0.weight").reduction_value(0, "l2") == pytest.approx(0.5 * float(gradient.norm()))
    assert trial.losses()[1][0] == pytest.approx(float(model(torch.ones(1, 3)).sum() + 0.5 * gradient.sum()), abs=1e-5)


def test_off_means_that_nothing_is_hung_on_anything(tmp_path: Path, net: tuple[Net, torch.optim.Optimizer]) -> None:
    model, optimizer = net
    before = (functional.cross_entropy, torch.Tensor.backward, "backward" in vars(torch.Tensor))
    hook = kt.debugger.watch(model, optimizer, rules="none", save=EVERY, run=tmp_path)
    train(model, optimizer, 1)
    assert functional.cross_entropy is not before[0]
    hook.close()
    assert (functional.cross_entropy, torch.Tensor.backward, "backward" in vars(torch.Tensor)) == before
    hooks = [module._forward_hooks or module._forward_pre_hooks for module in model.modules()]
    assert not any(hooks) and not optimizer._optimizer_step_pre_hooks and not optimizer._optimizer_step_post_hooks
    assert not patches._LISTENERS and not Session._OPEN


def test_watching_changes_no_result(tmp_path: Path) -> None:
    def result(is_watched: bool) -> list[float]:
        torch.manual_seed(3)
        model = Net()
        optimizer = torch.optim.Adam(model.parameters(), 1e-2)
        if not is_watched:
            return train(model, optimizer, 12)
        with kt.debugger.watch(model, optimizer, rules="none", save=EVERY, run=tmp_path):
            return train(model, optimizer, 12)

    assert result(True) == result(False)


def test_an_error_in_the_hook_detaches_it_and_is_said_once(
    tmp_path: Path, net: tuple[Net, torch.optim.Optimizer], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, optimizer = net
    hook = kt.debugger.watch(model, optimizer, rules="none", save=EVERY, run=tmp_path)
    train(model, optimizer, 2)

    def break_down(*_: object) -> None:
        raise RuntimeError("out of ideas")

    monkeypatch.setattr(hook._saver, "finish", break_down)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert len(train(model, optimizer, 5, first=2)) == 5
    assert [str(warning.message) for warning in said if "detached itself" in str(warning.message)] == [
        "The Debugger has detached itself at step 2 because of an error of its own, and the training goes on without "
        "it: RuntimeError: out of ideas"
    ]
    assert not hook.is_attached and not patches._LISTENERS
    assert Trial(tmp_path).meta("failure") == "RuntimeError: out of ideas"


def test_an_error_in_the_users_forward_pass_comes_through_and_leaves_no_trace(tmp_path: Path) -> None:
    class Broken(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layer(x) @ torch.ones(5)

    model = Broken()
    with kt.debugger.watch(model, rules="none", save=EVERY, run=tmp_path) as hook:
        with pytest.raises(RuntimeError, match="size mismatch|must match|mat"):
            model(torch.ones(1, 2))
        assert not model.layer._forward_hooks
        assert hook.is_attached


def test_a_model_can_be_copied_and_pickled_while_it_is_watched(
    tmp_path: Path, net: tuple[Net, torch.optim.Optimizer]
) -> None:
    model, optimizer = net
    with kt.debugger.watch(model, optimizer, rules="none", save=EVERY, run=tmp_path):
        train(model, optimizer, 1)
        twin = copy.deepcopy(model)
        twin(batch()[0])
        file = io.BytesIO()
        torch.save(model, file)
        file.seek(0)
        torch.load(file, weights_only=False)(batch()[0])
        assert b"kernel_tools" not in pickle.dumps(model).replace(b"kernel_tools.debugger.detached", b"").replace(
            b"tests.debugger", b""
        )
        train(model, optimizer, 1, first=1)
    assert Trial(tmp_path).steps() == [0, 1]


def test_an_evaluation_is_one_record_at_the_step_of_the_training(
    tmp_path: Path, net: tuple[Net, torch.optim.Optimizer]
) -> None:
    model, optimizer = net
    with kt.debugger.watch(model, optimizer, rules="none", save=EVERY, run=tmp_path):
        for epoch in range(2):
            model.train()
            train(model, optimizer, 3, first=3 * epoch)
            model.eval()
            with torch.no_grad():
                losses = [
                    (float(functional.cross_entropy(model(x), y)), len(y)) for x, y in (batch(90, 8), batch(91, 24))
                ]
    trial = Trial(tmp_path)
    steps, values = trial.losses("EVAL")
    assert steps.tolist() == [2, 5] == trial.steps("EVAL")
    assert values[1] == pytest.approx(sum(loss * rows for loss, rows in losses) / 32)
    assert trial.tensor("confusion").value(5, "EVAL").sum() == 32
    assert trial.steps("TRAIN") == list(range(6))


def test_an_accumulated_step_is_one_step(tmp_path: Path, net: tuple[Net, torch.optim.Optimizer]) -> None:
    model, optimizer = net
    with kt.debugger.watch(model, optimizer, rules="none", save=EVERY, run=tmp_path):
        for step in range(3):
            optimizer.zero_grad()
            for part in range(4):
                x, y = batch(4 * step + part)
                (functional.cross_entropy(model(x), y) / 4).backward()
            optimizer.step()
    trial = Trial(tmp_path)
    assert trial.steps() == [0, 1, 2]
    assert trial.ticks()["batch_size"].tolist() == [128, 128, 128]
    assert 0 < trial.losses()[1][0] < 3


def test_both_sides_of_a_gan_are_captured_in_one_step(tmp_path: Path) -> None:
    generator, discriminator = nn.Sequential(nn.Linear(2, 3)), nn.Sequential(nn.Linear(3, 1))
    of_g, of_d = (torch.optim.Adam(model.parameters(), 1e-3) for model in (generator, discriminator))
    models = {"generator": generator, "discriminator": discriminator}
    with kt.debugger.watch(models, [of_d, of_g], rules="none", save=EVERY, run=tmp_path):
        for _ in range(3):
            of_d.zero_grad()
            fake = generator(torch.randn(8, 2))
            (discriminator(fake.detach()).mean() - discriminator(torch.randn(8, 3)).mean()).backward()
            of_d.step()
            of_g.zero_grad()
            (-discriminator(generator(torch.randn(8, 2))).mean()).backward()
            of_g.step()
    trial = Trial(tmp_path)
    assert trial.steps() == [0, 1, 2]
    for name in ("gradient/generator.0.weight", "gradient/discriminator.0.bias", "update/generator.0.bias"):
        assert trial.tensor(name).steps() == [0, 1, 2]
    assert trial.tensor_names(collection="layers") == ["generator.0.output_0", "discriminator.0.output_0"]


def test_a_compiled_model_is_captured_but_for_its_layers(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    compiled = torch.compile(model, backend="eager")
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with kt.debugger.watch(compiled, optimizer, rules="none", save=EVERY, run=tmp_path) as hook:
        for _ in range(3):
            optimizer.zero_grad()
            functional.cross_entropy(compiled(torch.randn(8, 3)), torch.zeros(8).long()).backward()
            optimizer.step()
        assert hook.is_attached
    trial = Trial(tmp_path)
    assert trial.steps() == [0, 1, 2] and trial.meta("compiled") is True
    assert trial.tensor_names(collection="weights") == ["0.weight", "2.weight"]
    assert trial.tensor_names(collection="layers") == []
    assert trial.tensor_names(collection="outputs") == ["output_0"]


def test_a_model_that_is_compiled_after_it_was_watched_goes_on(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with kt.debugger.watch(model, optimizer, rules="none", save=EVERY, run=tmp_path):
        compiled = torch.compile(model, backend="eager")
        for _ in range(3):
            optimizer.zero_grad()
            functional.cross_entropy(compiled(torch.randn(8, 3)), torch.zeros(8).long()).backward()
            optimizer.step()
    assert Trial(tmp_path).tensor("gradient/0.weight").steps()


def test_mixed_precision_is_captured_unscaled(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 2))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    losses = []
    with kt.debugger.watch(model, optimizer, rules="none", save=EVERY, run=tmp_path):
        for _ in range(3):
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16):
                loss = functional.cross_entropy(model(torch.randn(8, 3)), torch.zeros(8).long())
            losses.append(float(loss))
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
    trial = Trial(tmp_path)
    assert np.allclose(trial.losses()[1], losses)
    assert trial.tensor("gradient/0.weight").reduction_value(0, "abs_max") < 10


def test_an_update_without_an_optimizer_is_a_step(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 2))
    with kt.debugger.watch(model, rules="none", save=EVERY, run=tmp_path):
        for _ in range(4):
            functional.mse_loss(model(torch.ones(2, 3)), torch.zeros(2, 2)).backward()
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter -= 0.1 * parameter.grad
                    parameter.grad = None
    trial = Trial(tmp_path)
    assert trial.steps() == [0, 1, 2]  # the last one is ended by nothing
    assert trial.tensor("gradient/0.weight").steps() == [0, 1, 2]


def test_optimizers_that_were_not_named_are_found(tmp_path: Path, net: tuple[Net, torch.optim.Optimizer]) -> None:
    model, optimizer = net
    other = nn.Linear(2, 2)
    unrelated = torch.optim.SGD(other.parameters(), 0.1)
    with kt.debugger.watch(model, rules="none", save=EVERY, run=tmp_path):
        train(model, optimizer, 2)
        other(torch.ones(1, 2)).sum().backward()
        unrelated.step()
        train(model, optimizer, 1)
    assert Trial(tmp_path).steps() == [0, 1, 2]


def test_own_collections_numbers_and_elements_are_saved(tmp_path: Path, net: tuple[Net, torch.optim.Optimizer]) -> None:
    model, optimizer = net
    save = SaveConfig(every=2, raw=("head", "^input_0$"))
    own = {"head": r"out\.", "big": lambda name: name.startswith("gradient/hidden")}
    with kt.debugger.watch(model, optimizer, rules="none", save=save, collections=own, run=tmp_path) as hook:
        train(model, optimizer, 3)
        hook.save_scalar("temperature", 0.5)
        hook.save_tensor("codebook", torch.arange(6).reshape(2, 3))
    trial = Trial(tmp_path)
    assert "out.weight" in trial.collections()["head"] and "gradient/out.bias" in trial.collections()["head"]
    assert trial.collections()["big"] == ["gradient/hidden.weight", "gradient/hidden.bias"]
    assert np.array_equal(trial.tensor("out.weight").value(2), model.out.weight.detach().numpy())
    assert trial.tensor("input_0").value(0).shape == (32, 1, 8, 8)
    assert trial.tensor("temperature").value(3) == 0.5
    assert trial.tensor("codebook").value(3).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert trial.steps() == [0, 2]


def test_variables_of_the_optimizer_are_saved_if_asked(tmp_path: Path, net: tuple[Net, torch.optim.Optimizer]) -> None:
    model, optimizer = net
    collections = ["weights", "optimizer_variables"]
    with kt.debugger.watch(model, optimizer, rules="none", save=EVERY, collections=collections, run=tmp_path):
        train(model, optimizer, 2)
    found = Trial(tmp_path).collections()
    assert "optimizer/out.weight/exp_avg" in found["optimizer_variables"]
    assert "gradients" not in found and "layers" not in found


def test_a_nan_loss_has_the_next_step_looked_at(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 2))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    save = SaveConfig(first=0, budget=1e-9)
    with kt.debugger.watch(model, optimizer, rules="none", save=save, run=tmp_path):
        for step in range(6):
            optimizer.zero_grad()
            (model(torch.ones(1, 3)).sum() * (float("nan") if step == 3 else 1.0)).backward()
            optimizer.step()
    assert 4 in Trial(tmp_path).steps()


def test_the_sampler_stays_within_its_budget(tmp_path: Path, net: tuple[Net, torch.optim.Optimizer]) -> None:
    model, optimizer = net
    with kt.debugger.watch(model, optimizer, rules="none", save=SaveConfig(first=2, budget=0.2), run=tmp_path) as hook:
        train(model, optimizer, 200)
        assert 0 < hook.overhead < 0.5
    assert 2 < len(Trial(tmp_path).steps()) < 200


def test_ranks_of_one_training_write_files_side_by_side(tmp_path: Path) -> None:
    code = """
        import os, sys, torch
        import torch.distributed as dist
        from torch import nn
        import kernel_tools as kt
        from pathlib import Path
        torch.set_num_threads(1)
        folder, rank = Path(sys.argv[1]), int(sys.argv[2])
        dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
        model = nn.parallel.DistributedDataParallel(nn.Sequential(nn.Linear(3, 2)))
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        save = kt.debugger.SaveConfig(every=1)
        hook = kt.debugger.watch(model, optimizer, rules="none", save=save, run=folder / "c")
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.randn(4, 3)).pow(2).mean().backward()
            optimizer.step()
        hook.close()
        assert hook._failure is None
        dist.destroy_process_group()
    """
    script = tmp_path / "ranks.py"
    script.write_text(textwrap.dedent(code))
    processes = [
        subprocess.Popen([sys.executable, str(script), str(tmp_path), str(rank)], cwd=Path(__file__).parents[2])
        for rank in (0, 1)
    ]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    trial = Trial(tmp_path / "c")
    assert trial.workers() == ["rank-0", "rank-1"]
    assert trial.tensor_names(collection="weights") == ["0.weight"]
    of_0, of_1 = (trial.tensor("gradient/0.weight").series("l2", worker=worker)[1] for worker in trial.workers())
    assert np.allclose(of_0, of_1)


def test_a_run_is_found_or_made_and_the_end_of_the_run_closes_the_hook(
    workspace: Workspace, net: tuple[Net, torch.optim.Optimizer]
) -> None:
    model, optimizer = net
    with kt.experiments.start_run("digits") as run:
        hook = kt.debugger.watch(model, optimizer, rules="none")
        train(model, optimizer, 2)
        with pytest.raises(ConflictError, match="watched already"):
            kt.debugger.watch(model, optimizer, rules="none")
    assert not Session._OPEN and not patches._LISTENERS
    assert hook.run.id == run.id
    trial = kt.debugger.open(run)
    assert trial.steps() == [0, 1] and trial.loaded_all_steps
    assert [artifact.path for artifact in run.artifacts if "debugger" in artifact.path] == ["debugger/tensors.parquet"]
    import pandas as pd

    with run.open_artifact("debugger/tensors.parquet") as file:
        table = pd.read_parquet(file)
    chosen = table[(table["tensor"] == "out.weight") & (table["step"] == 1)]
    assert chosen["l2"].item() == pytest.approx(trial.tensor("out.weight").reduction_value(1, "l2"))
    own = kt.debugger.watch(model, optimizer, rules="none")
    own.close()
    assert own.run.id != run.id and own.run.status == "FINISHED"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda net: kt.debugger.watch("model"), "no torch.nn.Module"),
        (lambda net: kt.debugger.watch({}), "no model"),
        (lambda net: kt.debugger.watch(net, optimizer="adam"), "method step"),
        (lambda net: kt.debugger.watch(net, rules=["Vanishing"]), "There is no rule 'Vanishing'"),
        (lambda net: kt.debugger.watch(net, rules="none", collections=["weight"]), "There is no collection 'weight'"),
        (lambda net: kt.debugger.watch(net, rules="none", collections={"weights": "x"}), "built in"),
        (lambda net: kt.debugger.watch(net, rules="none", collections={"own": "("}), "no regular expression"),
        (lambda net: kt.debugger.watch(net, rules="none", profile=(5, 2)), "first and the last step"),
    ],
)
def test_what_cannot_be_watched_is_said(
    workspace: Workspace, call: Callable[[nn.Module], object], message: str
) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        call(nn.Linear(2, 2))
    assert not Session._OPEN


@pytest.mark.parametrize("size", [1, 7, 127, 128, 129, 8192, 8193, 300_000])
def test_statistics_are_right_whatever_the_size(size: int) -> None:
    tensor = torch.randn(size) * 3 + 100
    tensor[0] = 0
    both = Batch()
    both.add_all([1], [tensor])
    both.add(2, tensor.reshape(1, -1))
    ids, block = both.finish()
    assert sorted(ids.tolist()) == [1, 2]
    for row in block:
        found = {name: float(row[index]) for name, index in COLUMN.items()}
        assert found["min"] == 0 and found["max"] == pytest.approx(float(tensor.max()))
        assert found["mean"] == pytest.approx(float(tensor.double().mean()), rel=1e-4)
        assert found["std"] == pytest.approx(float(tensor.double().std(correction=0)), rel=1e-3, abs=1e-3)
        assert found["zeros"] == pytest.approx(1 / size)
        assert found["l2"] == pytest.approx(float(tensor.double().norm()), rel=1e-4)
        assert found["nan"] == found["inf"] == 0


@pytest.mark.parametrize("size", [200, 20_000])
def test_what_is_not_finite_is_counted_and_left_out(size: int) -> None:
    tensor = torch.ones(size)
    tensor[3], tensor[5], tensor[6] = float("nan"), float("inf"), float("-inf")
    _, block = _reduced(tensor)
    found = {name: float(block[0][index]) for name, index in COLUMN.items()}
    assert (found["nan"], found["inf"], found["mean"], found["std"], found["max"]) == (1, 2, 1, 0, 1)


def test_half_precision_and_other_layouts_are_reduced_too() -> None:
    for tensor in (
        torch.ones(10, dtype=torch.bfloat16),
        torch.ones(10, dtype=torch.float64),
        torch.ones(20).reshape(2, 10).t(),
        torch.sparse_coo_tensor([[0, 2]], [1.0, 1.0], (4,)),
    ):
        _, block = _reduced(tensor)
        assert block[0][COLUMN["mean"]] == 1


def test_parts_of_a_flat_array_are_reduced_each_for_itself() -> None:
    block = reduce_flat(np.array([1, 2, 3, 10, -10], "f4"), np.array([0, 3]))
    assert block[:, COLUMN["mean"]].tolist() == [2, 0] and block[:, COLUMN["l1"]].tolist() == [6, 20]


def _reduced(tensor: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    one = Batch()
    one.add(1, tensor)
    return one.finish()


def test_tensors_on_another_device_are_reduced_alike() -> None:
    tensors = [torch.randn(5000) + 10, torch.randn(5000), torch.zeros(7), torch.full((5000,), float("nan"))]
    here, elsewhere = Batch(), Batch()
    here.add_all([1, 2, 3, 4], tensors)
    for number, tensor in enumerate(tensors, 1):
        elsewhere._add_elsewhere(number, tensor)  # what a GPU's tensors go through, on the device that is here
    (ids, block), (other_ids, other) = here.finish(), elsewhere.finish()
    assert np.allclose(block[np.argsort(ids)], other[np.argsort(other_ids)], rtol=1e-4, equal_nan=True)


def test_weights_that_no_optimizer_has_are_captured_too(tmp_path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    optimizer = torch.optim.SGD(model[1].parameters(), 0.1)
    with kt.debugger.watch(model, optimizer, rules="none", save=EVERY, run=tmp_path):
        for _ in range(2):
            functional.mse_loss(model(torch.ones(1, 3)), torch.zeros(1, 2)).backward()
            optimizer.step()
    trial = Trial(tmp_path)
    for name in ("0.weight", "gradient/0.weight", "1.weight", "gradient/1.weight"):
        assert trial.tensor(name).steps() == [0, 1]
    assert trial.tensor("update/0.weight").steps() == [] and trial.tensor("update/1.weight").steps() == [0, 1]


def test_something_is_seen_of_every_part_of_a_training(tmp_path: Path, net: tuple[Net, torch.optim.Optimizer]) -> None:
    model, optimizer = net
    save = SaveConfig(first=2, budget=1e-9)
    with kt.debugger.watch(model, optimizer, rules="none", save=save, run=tmp_path):
        train(model, optimizer, 30)
    assert Trial(tmp_path).steps() == [0, 1, 2, 3, 5, 8, 12, 18, 27]
