"""What an endpoint is to serve: from the words of a caller to a production variant."""

from __future__ import annotations

from collections.abc import Sequence

from kernel_tools.core.errors import ConflictError, InvalidArgumentError, NotFoundError
from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting.configuration import ALL_TRAFFIC, Package, ProductionVariant
from kernel_tools.registry.records import VersionRecord, VersionStatus

MAX_MODELS = 15
"""Models of an inference pipeline, as SageMaker has it."""
AUTO, FRAMEWORK = "auto", "framework"


def choose_variant(
    workspace: Workspace,
    models: str | Sequence[str],
    versions: int | None | Sequence[int | None] = None,
    *,
    engine: str = AUTO,
    trust: bool = False,
    command: Sequence[str] = (),
    app: str = "",
    name: str = ALL_TRAFFIC,
) -> ProductionVariant:
    """Return a variant of one model, or of several in a row; arguments as for `kt.hosting.deploy`.

    Raises
    ------
    NotFoundError
        If there is no such version or package, or no version is approved.
    ConflictError
        If a version is rejected.
    InvalidArgumentError
        If there are no models or too many, or the arguments do not go together.
    """
    names = [models] if isinstance(models, str) else list(models)
    numbers = [versions] if versions is None or isinstance(versions, int) else list(versions)
    if not 1 <= len(names) <= MAX_MODELS:
        raise InvalidArgumentError(f"A pipeline has 1 to {MAX_MODELS} models; these are {len(names)}.")
    if numbers == [None]:
        numbers *= len(names)
    if len(numbers) != len(names):
        raise InvalidArgumentError(f"There are {len(names)} models and {len(numbers)} versions: give one for each.")
    if command and app:
        raise InvalidArgumentError("Give command= for a program or app= for an ASGI application, not both.")
    if (command or app) and len(names) > 1:
        raise InvalidArgumentError("A program or an application cannot stand in a pipeline: deploy it alone.")
    if app:
        from kernel_tools.hosting.engines.asgi import check_address

        check_address(app)
    *before, last = [choose_version(workspace, *item) for item in zip(names, numbers, strict=True)]
    package = None
    if not (before or command or app):
        package = choose_package(workspace, last, engine)
    elif engine not in (AUTO, FRAMEWORK):
        raise InvalidArgumentError(f"engine={engine!r} is for one compiled model: leave it out here.")
    return ProductionVariant(
        name, last, trust=trust, before=tuple(before), package=package, command=tuple(command), app=app
    )


def choose_package(workspace: Workspace, version: VersionRecord, engine: str) -> Package | None:
    """Return the newest compiled package of a version for an engine; None for the model itself.

    Raises
    ------
    NotFoundError
        If a target is asked for to which the version was not compiled.
    """
    if engine == FRAMEWORK:
        return None
    from kernel_tools.registry.packages import list_packages

    found = list_packages(version.model, version.version, workspace=workspace)
    for record in found:
        if engine in (AUTO, record.target):
            return Package(record.id, record.target, tuple(record.files))
    if engine == AUTO:
        return None
    targets = ", ".join(sorted({record.target for record in found})) or "nothing"
    raise NotFoundError(
        f"Version {version.version} of {version.model!r} is not compiled to {engine!r}, but to {targets}. Compile it "
        "first with kernel_tools.compiler.compile(version, target=...), or leave engine= out."
    )


def choose_version(workspace: Workspace, model: str, version: int | None) -> VersionRecord:
    """Return the version to deploy: the one asked for unless it is rejected, else the newest approved one.

    Raises
    ------
    NotFoundError
        If there is no such version, or none is approved.
    ConflictError
        If the version is rejected.
    """
    from kernel_tools import registry

    if version is None:
        try:
            return registry.get(model, status=VersionStatus.APPROVED, workspace=workspace).record
        except NotFoundError as error:
            newest = registry.get(model, workspace=workspace).version  # a clearer error if there is no such model
            raise NotFoundError(
                f"Model {model!r} has no approved version. Approve one with "
                f"kernel_tools.registry.get({model!r}, version={newest}).approve(note=...), or name a version."
            ) from error
    record = registry.get(model, version, workspace=workspace).record
    if record.status is VersionStatus.REJECTED:
        note = f" ({record.note})" if record.note else ""
        raise ConflictError(
            f"Version {version} of {model!r} is rejected{note}. Deploy another version, or approve this one first."
        )
    return record
