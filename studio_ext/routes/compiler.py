"""Compiled packages of model versions over HTTP. What they are is decided in `kernel_tools.compiler`."""

from __future__ import annotations

import msgspec
from pydantic import Field, FiniteFloat

from kernel_tools import compiler, registry
from kernel_tools.compiler.package import CompiledPackage
from kernel_tools.core.errors import NotFoundError, UnavailableError
from kernel_tools.core.figures import figure_json
from studio_ext.handlers import StudioHandler
from studio_ext.operations import operation
from studio_ext.schema import Body, ModelName, PlotlyFigure, Reply, VersionNumber

MAX_SHOWN = 20


class PackageLine(Reply):
    """The original, or a target that it was compiled to: times in microseconds, memory in MiB, size in bytes."""

    target: str
    precision: str
    row_us: FiniteFloat | None
    batch_us: FiniteFloat | None
    memory_mib: FiniteFloat | None
    load_s: FiniteFloat | None
    size: int | None
    max_difference: FiniteFloat | None
    labels_changed: int | None
    ties: int | None
    agreement: FiniteFloat | None
    loss: FiniteFloat | None
    is_chosen: bool
    refusal: str


class PackageReply(Reply):
    """One package, what it was compared with, and the figure of their costs."""

    id: str
    target: str
    created_at: int
    created_by: str
    rows: int
    tolerance: FiniteFloat
    opset: int | None
    machine: dict[str, object]
    libraries: dict[str, str]
    notes: list[str]
    size: int
    candidates: list[PackageLine]
    figure: PlotlyFigure


class PackageList(Reply):
    """The newest packages of a version, and how many there are."""

    packages: list[PackageReply] = Field(max_length=MAX_SHOWN)
    total: int


class CompileRequest(Body):
    """What a version is compiled to, on which rows: a file on the server, or none for those of the version."""

    target: str = Field("auto", max_length=64)
    sample: str = Field("", max_length=4096)
    trust: bool = False


class CompileReply(Reply):
    """The name of the job that compiles."""

    job: str


class PackagesHandler(StudioHandler):
    """The packages of one version."""

    path = "/models/{name}/versions/{version}/packages"
    auth_resource = "registry"

    @operation("list_packages", "Show what a version was compiled to", raises=(NotFoundError,))
    def get(self, name: ModelName, version: VersionNumber) -> PackageList:
        """Answer the newest packages."""
        found = compiler.packages(registry.get(name, version, workspace=self.workspace))
        return PackageList(packages=[_reply(package) for package in found[:MAX_SHOWN]], total=len(found))

    @operation(
        "compile_version",
        "Begin to compile a version, in a job",
        status=201,
        raises=(NotFoundError, UnavailableError),
        action="execute",
    )
    def post(self, name: ModelName, version: VersionNumber, body: CompileRequest) -> CompileReply:
        """Begin, and answer the job."""
        found = registry.get(name, version, workspace=self.workspace)
        job = compiler.compile_as_job(found, body.target, body.sample or None, trust=body.trust)
        return CompileReply(job=job.name)


class PackageHandler(StudioHandler):
    """One package."""

    path = "/models/{name}/versions/{version}/packages/{package}"
    auth_resource = "registry"

    @operation("delete_package", "Delete a package of a version", status=204, raises=(NotFoundError,))
    def delete(self, name: ModelName, version: VersionNumber, package: str) -> None:
        """Delete; a package of another version is not found here."""
        found = compiler.packages(registry.get(name, version, workspace=self.workspace))
        if package not in {item.id for item in found}:
            raise NotFoundError(f"Version {version} of {name!r} has no package {package[:80]!r}.")
        compiler.delete_package(package, workspace=self.workspace)


def _reply(package: CompiledPackage) -> PackageReply:
    record, manifest = package.record, package.manifest
    assert record is not None  # a package of a version has one
    figure = figure_json(package.figure())
    return PackageReply(
        id=record.id,
        target=record.target,
        created_at=record.created_at,
        created_by=record.created_by,
        rows=manifest.parity.rows,
        tolerance=manifest.parity.tolerance,
        opset=manifest.opsets.get("ai.onnx"),
        machine=manifest.machine,
        libraries=manifest.libraries,
        notes=manifest.notes,
        size=sum(file.size for file in record.files),
        candidates=[PackageLine(**msgspec.to_builtins(candidate)) for candidate in package.candidates],
        figure=PlotlyFigure(data=figure["data"], layout=figure["layout"]),
    )


HANDLERS: list[type[StudioHandler]] = [PackagesHandler, PackageHandler]
