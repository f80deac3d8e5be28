"""Watching a model: what a user says, checked and put together."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.workspace import Workspace
from kernel_tools.debugger.records import COLLECTIONS, Chooser, Config, SaveConfig, own_collections
from kernel_tools.debugger.rules import make_rules
from kernel_tools.debugger.session import Session

if TYPE_CHECKING:
    import torch
    from torch import nn

    from kernel_tools.debugger.pytorch.hook import Hook
    from kernel_tools.experiments import Run


def watch(
    model: nn.Module | Mapping[str, nn.Module] | Iterable[nn.Module],
    optimizer: torch.optim.Optimizer | Sequence[torch.optim.Optimizer] | None = None,
    loss: nn.Module | Sequence[nn.Module] | None = None,
    rules: str | Iterable[Any] = "default",
    collections: Mapping[str, Chooser] | Sequence[str] | None = None,
    save: SaveConfig | None = None,
    *,
    actions: Iterable[Any] = (),
    profile: tuple[int, int] | None = None,
    run: Run | str | os.PathLike[str] | None = None,
    workspace: Workspace | None = None,
) -> Hook:
    """Watch the training of a model in PyTorch: capture it, have rules look at it, and be told what is wrong.

    It cannot hurt: an error in the hook detaches it and is said once, and time, memory and disk are bounded by `save`.
    Without a call of this nothing is hung on anything.

    Parameters
    ----------
    model
        The model, compiled or not, alone or in DistributedDataParallel; or several, by the prefix of their tensors'
        names: ``{"generator": g, "discriminator": d}``.
    optimizer
        The optimizer, or several; the last one ends a step. Default: whatever steps the parameters of the models.
    loss
        Criteria of one's own. Default: what ``backward`` is called on, and torch's losses in evaluations.
    rules
        ``"default"``, ``"all"``, ``"none"``, or rules: names, pairs of a name and its parameters, or `Rule` objects.
    collections
        Names of the built-in collections to save, or own ones: a name, and a regular expression or a function that
        chooses tensors by their names.
    save
        When and what is saved; see `SaveConfig`.
    actions
        What is done when a rule fires; see `kernel_tools.debugger.actions`.
    profile
        Steps ``(first, last)`` that `torch.profiler` records.
    run
        The run that the capture belongs to, its id, or a folder. Default: the active run, the job's, or a new one.
    workspace
        Default: the current workspace.

    Returns
    -------
    Hook
        Close it when the training ends; the end of its run, or of the process, closes it too.

    Raises
    ------
    InvalidArgumentError
        If something cannot be used.
    ConflictError
        If this process watches the run already.
    NotFoundError
        If there is no such run.

    Examples
    --------
    >>> with kt.experiments.start_run("digits") as run:                                   # doctest: +SKIP
    ...     hook = kt.debugger.watch(model, optimizer)                                    # doctest: +SKIP
    ...     train(model, optimizer)                                                       # doctest: +SKIP
    """
    from kernel_tools.debugger.profiling.torch_trace import TorchTrace, check_range
    from kernel_tools.debugger.pytorch.hook import Hook, watched_models
    from kernel_tools.debugger.pytorch.saving import SAVED

    models = watched_models(model)
    optimizers = _each(optimizer, "optimizer", "step")
    losses = _each(loss, "loss", "forward")
    made = make_rules(rules)
    own: dict[str, Any] = {}
    saved: Sequence[str] = SAVED
    if isinstance(collections, Mapping):
        own = own_collections(collections)
    elif collections is not None:
        saved = [*collections]
        unknown = [name for name in saved if name not in (*COLLECTIONS, "buffers")]
        if unknown:
            raise InvalidArgumentError(f"There is no collection {unknown[0]!r}. There are: {', '.join(COLLECTIONS)}.")
    if profile is not None:
        check_range(profile)
    config = Config(save=save or SaveConfig(), profile=profile)
    session = Session.open(run, framework="pytorch", config=config, rules=made, actions=actions, workspace=workspace)
    try:
        trace = None if profile is None else TorchTrace(*profile, session.folder, models.values())
        return Hook(session, models, optimizers, losses, own, saved, trace)
    except BaseException:
        session.close()
        raise


def _each(given: Any, name: str, method: str) -> list[Any]:
    found = [] if given is None else list(given) if isinstance(given, (list, tuple)) else [given]
    for each in found:
        if not callable(getattr(each, method, None)):
            raise InvalidArgumentError(f"{name}={type(each).__name__}: give an object with a method {method}().")
    return found
