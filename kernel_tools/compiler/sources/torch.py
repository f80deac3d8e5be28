"""torch modules, by torch's own exporter: a graph traced from the module, with a free batch dimension."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from kernel_tools.compiler.graphs import OPSET
from kernel_tools.compiler.manifest import Feed, Output
from kernel_tools.compiler.sources._base import Answer, Conversion, UnsupportedModelError
from kernel_tools.core.errors import MissingExtraError
from kernel_tools.core.signature import Signature

OUTPUT = "output"


class TorchSource:
    """Modules that take one tensor and give one."""

    name = "torch"

    def recognizes(self, model: object) -> bool:
        """See `ModelSource`."""
        return any(
            f"{base.__module__}.{base.__qualname__}" == "torch.nn.modules.module.Module" for base in type(model).__mro__
        )

    def conversions(self, model: Any, signature: Signature, sample: Any) -> list[Callable[[], Conversion]]:
        """See `ModelSource`."""
        return [lambda: convert_module(model, signature, sample)]

    def answer(self, model: Any, rows: Any) -> Answer:
        """See `ModelSource`."""
        import torch

        with evaluating(model), torch.inference_mode():
            found = model(as_tensor(rows))
        if not isinstance(found, torch.Tensor):
            raise UnsupportedModelError(f"The module gives a {type(found).__name__}; only one tensor is compiled.")
        return {"predictions": found.numpy()}


def convert_module(model: Any, signature: Signature, sample: Any) -> Conversion:
    """Return a module as a graph.

    Raises
    ------
    UnsupportedModelError
        If torch cannot export it; the message says why.
    MissingExtraError
        If onnxscript, which the exporter needs, is not installed.
    """
    import torch

    try:
        import onnxscript  # noqa: F401  # torch's exporter needs it
    except ImportError as error:
        raise MissingExtraError("onnxscript", "compiler") from error
    batch = as_tensor(sample)[:2]
    if len(batch) == 1:
        batch = torch.cat([batch, batch])
    dtype = str(batch.dtype).removeprefix("torch.")
    columns = [column.name for column in signature.columns] or None
    feed = Feed(name="input", dtype=dtype, columns=columns, encodings=["number"] * len(columns or []))
    with evaluating(model), _quiet():
        try:
            program = torch.onnx.export(
                model,
                (batch,),
                dynamo=True,
                opset_version=OPSET,
                input_names=["input"],
                output_names=[OUTPUT],
                dynamic_shapes=({0: torch.export.Dim("rows", min=1)},),
                verbose=False,
            )
        except Exception as error:  # the exporter raises what it likes
            reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
            raise UnsupportedModelError(
                f"torch cannot export this {type(model).__name__}: {reason.strip()[:400]}"
            ) from error
    assert program is not None  # without a file to write to
    return Conversion(program.model_proto, [feed], [Output(name=OUTPUT, role="value")], precision=dtype)


def as_tensor(rows: Any) -> Any:
    """Return a DataFrame, array or tensor as a tensor."""
    import torch

    return torch.as_tensor(rows.to_numpy() if hasattr(rows, "to_numpy") else rows)


@contextlib.contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Put a module into evaluation mode, and back; an exported program has only that mode."""
    was_training = model.training
    try:
        model.eval()
    except NotImplementedError:
        yield
        return
    try:
        yield
    finally:
        model.train(was_training)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter prints its steps and warns of its own parts."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
