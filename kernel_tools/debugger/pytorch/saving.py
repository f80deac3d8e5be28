"""What is saved of a sampled step: which tensors, under which names, and where."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.debugger.finding import now
from kernel_tools.debugger.pytorch.activations import Keep
from kernel_tools.debugger.pytorch.losses import LossMeter
from kernel_tools.debugger.pytorch.models import Watched
from kernel_tools.debugger.pytorch.reductions import Batch
from kernel_tools.debugger.records import Mode, matches
from kernel_tools.debugger.session import Session

SAVED = ("weights", "biases", "gradients", "updates", "inputs", "outputs", "layers", "buffers", "predictions")
"""The collections that are saved unless others are named; optimizer_variables only if they are."""
MOST_UPDATED = 16_384
"""Elements of a weight whose change by the optimizer is measured; of more, those evenly spaced."""


class StepSaver:
    """Gathers the tensors of the step under way, and writes them as one block."""

    def __init__(
        self, session: Session, collections: Mapping[str, Callable[[str], bool]], saved: Sequence[str]
    ) -> None:
        self._writer = session.writer
        self._raw = session.config.save.raw
        self._most_raw = session.config.save.raw_elements
        self._own = dict(collections)
        self._saved = set(saved)
        self._batch = Batch()
        self._ids: dict[str, int] = {}
        self._in_raw: dict[str, bool] = {}
        self._lists: dict[tuple[int, str], list[int]] = {}
        self._arrays: list[tuple[int, np.ndarray[Any, Any]]] = []
        self._before: dict[int, torch.Tensor] = {}
        self._is_dirty = False

    # ---- Forward ----

    @property
    def wants_layers(self) -> bool:
        """Whether what the layers return is saved."""
        return "layers" in self._saved

    def keeper(self, watched: Watched) -> Keep:
        """Return what takes the activations of a model."""

        def keep(layer: str, kind: str, output: torch.Tensor, dead: float, saturated: float) -> None:
            name = f"{layer}.output_0"
            tensor_id = self._define(name, ("layers",), tuple(output.shape), kind, layer)
            self._batch.add(tensor_id, output, dead, saturated)
            self._keep_raw(name, tensor_id, output)

        return keep

    def save_forward(self, watched: Watched, inputs: Any, output: Any) -> None:
        """Save what a model was given and what it returned."""
        for collection, stem, found in (("inputs", "input", inputs), ("outputs", "output", output)):
            if collection in self._saved:
                for index, tensor in enumerate(_tensors(found)):
                    name = f"{watched.prefix}{stem}_{index}"
                    tensor_id = self._define(name, (collection,), tuple(tensor.shape), type(watched.model).__name__, "")
                    self._keep_raw(name, tensor_id, tensor)
                    self._batch.add(tensor_id, tensor)

    # ---- Backward and update ----

    def save_gradients(self, models: Sequence[Watched], of: set[int] | None = None) -> None:
        """Save the gradients of all parameters, or of some, by their identity."""
        if "gradients" not in self._saved:
            return
        for watched in models:
            ids = self._ids_of(watched, "gradients")
            have = [
                (tensor_id, parameter.grad)
                for tensor_id, parameter in zip(ids, watched.parameters, strict=True)
                if parameter.grad is not None and (of is None or id(parameter) in of)
            ]
            if have:
                self._batch.add_all([tensor_id for tensor_id, _ in have], [gradient for _, gradient in have])
                self._keep_raw_of(watched, ids, [parameter.grad for parameter in watched.parameters], "gradient/")

    def save_before_update(self, models: Sequence[Watched], optimizer: torch.optim.Optimizer) -> None:
        """Save the gradients that an optimizer is about to use, and remember the weights."""
        for watched in models:
            if len(watched.names) == 0 or self._is_stale(watched):
                watched.refresh()
                self._lists = {key: ids for key, ids in self._lists.items() if key[0] != id(watched)}
        of = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
        self.save_gradients(models, of)
        if "updates" in self._saved:
            for watched in models:
                for parameter in watched.parameters:
                    if id(parameter) in of and parameter.grad is not None:
                        self._before[id(parameter)] = _some(parameter).clone()

    def save_after_update(self, models: Sequence[Watched], optimizer: torch.optim.Optimizer) -> None:
        """Save the weights and what has changed in them."""
        of = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
        self.save_weights(models, of)
        for watched in models:
            ids = self._ids_of(watched, "updates") if self._before else []
            changed = [
                (tensor_id, parameter)
                for tensor_id, parameter in zip(ids, watched.parameters, strict=False)
                if id(parameter) in self._before
            ]
            if changed:
                now_ = [_some(parameter) for _, parameter in changed]
                before = [self._before.pop(id(parameter)) for _, parameter in changed]
                self._batch.add_all([tensor_id for tensor_id, _ in changed], list(torch._foreach_sub(now_, before)))
            if "optimizer_variables" in self._saved:
                self._save_variables(watched, optimizer)

    def save_weights(self, models: Sequence[Watched], of: set[int] | None = None) -> None:
        """Save the parameters, or some of them, by their identity, and running statistics."""
        for watched in models:
            ids = self._ids_of(watched, "weights")
            kept = [
                (tensor_id, parameter)
                for tensor_id, parameter in zip(ids, watched.parameters, strict=True)
                if tensor_id and (of is None or id(parameter) in of)
            ]
            self._batch.add_all([tensor_id for tensor_id, _ in kept], [parameter for _, parameter in kept])
            self._keep_raw_of(watched, ids, list(watched.parameters), "")
            if "buffers" in self._saved and kept:
                for name, buffer in watched.buffers:
                    self._batch.add(self._define(name, ("buffers",), tuple(buffer.shape), "", _layer(name)), buffer)

    def save_untouched(self, models: Sequence[Watched], optimizers: Sequence[torch.optim.Optimizer]) -> None:
        """Save the parameters that no optimizer updates, and their gradients: some were forgotten."""
        touched = {id(p) for optimizer in optimizers for group in optimizer.param_groups for p in group["params"]}
        rest = {id(p) for watched in models for p in watched.parameters} - touched
        if rest:
            self.save_weights(models, rest)
            if optimizers:
                self.save_gradients(models, rest)

    def _save_variables(self, watched: Watched, optimizer: torch.optim.Optimizer) -> None:
        for name, parameter in zip(watched.names, watched.parameters, strict=True):
            for key, value in optimizer.state.get(parameter, {}).items():
                if isinstance(value, torch.Tensor) and value.numel() > 1:
                    full = f"optimizer/{name}/{key}"
                    self._batch.add(
                        self._define(full, ("optimizer_variables",), tuple(value.shape), key, _layer(name)), value
                    )

    # ---- Anything else ----

    def save_confusion(self, meter: LossMeter) -> None:
        """Save how often each class was taken for each."""
        counts = meter.take_confusion()
        if counts is not None and "predictions" in self._saved:
            tensor_id = self._define("confusion", ("predictions",), counts.shape, "counts", "")
            self._arrays.append((tensor_id, counts))

    def save_scalar(self, name: str, value: float, collection: str, step: int, mode: Mode) -> None:
        """Save a single number."""
        self._writer.write_scalars(step, mode, now(), [(self._define(name, (collection,), (), "scalar", ""), value)])

    def save_tensor(self, name: str, tensor: Any, collection: str, step: int, mode: Mode) -> None:
        """Save the elements of a tensor."""
        array = np.asarray(tensor.detach().cpu() if isinstance(tensor, torch.Tensor) else tensor)
        if array.size > self._most_raw or array.dtype.hasobject:
            raise InvalidArgumentError(
                f"{name!r} has {array.size:,} elements of {array.dtype}; numbers up to {self._most_raw:,} are saved "
                "(SaveConfig(raw_elements=...))."
            )
        tensor_id = self._define(name, (collection,), array.shape, "array", "")
        self._writer.write_array(tensor_id, step, mode, now(), array)

    def finish(self, step: int, mode: Mode, is_empty_kept: bool = False) -> None:
        """Write the step; one without tensors too if asked, because an evaluation has a loss at least."""
        ids, block = self._batch.finish()
        at = now()
        with self._writer.together():
            for tensor_id, array in self._arrays:
                self._writer.write_array(tensor_id, step, mode, at, array)
            if len(ids) or is_empty_kept:
                self._writer.write_step(step, mode, at, self._writer.layout(ids), block)
        self._writer.tidy()
        self._arrays, self._before = [], {}

    def forget(self) -> None:
        """Drop what was gathered of a step that did not end."""
        self._batch = Batch()
        self._arrays, self._before = [], {}

    # ---- Names ----

    def _define(self, name: str, collections: Sequence[str], shape: Sequence[int], kind: str, layer: str) -> int:
        known = self._ids.get(name)
        if known is None:
            own = tuple(collection for collection, is_in in self._own.items() if is_in(name))
            known = self._ids[name] = self._writer.define(name, (*collections, *own), shape, kind, layer)
            self._in_raw[name] = matches(name, (*collections, *own), self._raw)
        return known

    def _ids_of(self, watched: Watched, collection: str) -> list[int]:
        """Return the ids of a tensor of each parameter: 0 where it is not saved."""
        key = (id(watched), collection)
        if key not in self._lists:
            before = {"gradients": "gradient/", "updates": "update/", "weights": ""}[collection]
            ids = []
            for name, parameter, kind in zip(watched.names, watched.parameters, watched.kinds, strict=True):
                own = collection if collection != "weights" else ("biases" if name.endswith("bias") else "weights")
                shape = tuple(_some(parameter).shape) if collection == "updates" else tuple(parameter.shape)
                if own in self._saved:
                    ids.append(self._define(before + name, (own,), shape, kind, _layer(name)))
                else:
                    ids.append(0)
            self._lists[key] = ids
        return self._lists[key]

    def _is_stale(self, watched: Watched) -> bool:
        known = self._lists.get((id(watched), "gradients"))
        return known is not None and len(known) != len(watched.parameters)

    def _keep_raw_of(self, watched: Watched, ids: list[int], tensors: Sequence[Any], before: str) -> None:
        if self._raw:
            for name, tensor_id, tensor in zip(watched.names, ids, tensors, strict=True):
                if tensor is not None and tensor_id:
                    self._keep_raw(before + name, tensor_id, tensor)

    def _keep_raw(self, name: str, tensor_id: int, tensor: torch.Tensor) -> None:
        if self._in_raw.get(name) and tensor.numel() <= self._most_raw:
            plain = tensor.detach()
            if plain.dtype in (torch.bfloat16, torch.float16):
                plain = plain.float()
            self._arrays.append((tensor_id, plain.cpu().numpy().copy()))


def _some(parameter: torch.Tensor) -> torch.Tensor:
    """Return the elements whose change is measured: all of a small tensor, evenly spaced ones of a big one."""
    flat = parameter.detach().reshape(-1)
    count = len(flat)
    return flat if count <= MOST_UPDATED else flat[:: -(-count // MOST_UPDATED)]


def _tensors(found: Any) -> list[torch.Tensor]:
    """Return the float tensors of what a model was given, or has returned; of nested ones only the outer."""
    items = found.values() if isinstance(found, dict) else found if isinstance(found, (tuple, list)) else (found,)
    return [item for item in items if isinstance(item, torch.Tensor) and item.numel() > 0 and not item.is_complex()][:8]


def _layer(name: str) -> str:
    return name.rpartition(".")[0]
