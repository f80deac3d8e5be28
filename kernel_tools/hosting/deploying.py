"""Deploying endpoints, finding them again, and the keys that they accept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.hosting import lifecycle
from kernel_tools.hosting.choosing import AUTO, choose_variant
from kernel_tools.hosting.endpoint import Endpoint
from kernel_tools.hosting.folder import EndpointFolder, endpoint_folders
from kernel_tools.hosting.operation import DEFAULT_TIMEOUT
from kernel_tools.hosting.records import CaptureConfig, Limits, ScalingPolicy, Security
from kernel_tools.hosting.wire.access_keys import AccessKey, AccessKeys, NewAccessKey


def deploy(
    model: str | Sequence[str],
    version: int | Sequence[int | None] | None = None,
    name: str | None = None,
    *,
    engine: str = AUTO,
    timeout: float = DEFAULT_TIMEOUT,
    trust: bool = False,
    limits: Limits | None = None,
    scaling: ScalingPolicy | None = None,
    security: Security | None = None,
    capture: CaptureConfig | None = None,
    command: Sequence[str] = (),
    app: str = "",
    workspace: Workspace | None = None,
) -> Endpoint:
    """Serve a model version under a name, and wait until it answers.

    Parameters
    ----------
    model
        The registered model's name; or up to 15 names, the models of an inference pipeline in their order, such as a
        fitted recipe and the model behind it.
    version
        Which version; None is the newest approved one. A version that awaits approval may be deployed by its number.
        For a pipeline one for each model, or None.
    name
        The endpoint's name; None is the (last) model's name.
    engine
        "auto" answers by the version's newest compiled package if it has one, else by the model in its own library;
        "framework" always by the latter; "onnx" or another target of the compiler by that package.
    timeout
        How long to wait for it, in seconds; 0 returns at once, and `Endpoint.wait` waits later.
    trust
        Let code of the model's own run: classes that its file restores as in `ModelVersion.load`, its `inference.py`,
        a program or an application.
    limits
        Requests that may wait, seconds that one may take, and bytes of a body; default 64, 60 and 6,291,456.
    scaling
        How many workers answer, by what they have to do; default one worker. See `Endpoint.scale`.
    security
        Who may call it, and TLS; default: whoever is on this machine, without TLS.
    capture
        Keep samples of requests and replies; default: none.
    command
        Run this program in the folder of the version's files instead; it answers ``GET /ping`` and
        ``POST /invocations`` on the port in ``PORT``, or in place of ``{port}`` in an argument.
    app
        Serve this ASGI application, ``module:attribute`` in the folder of the version's files, instead.
    workspace
        Default: the current workspace.

    Raises
    ------
    NotFoundError
        If there is no such version, or none is approved, or it is not compiled for that engine.
    ConflictError
        If the version is rejected, or the name is taken.
    InvalidArgumentError
        If the arguments do not go together, or a certificate cannot be used.
    UnavailableError
        If the process fails, with its last words, or is not in service in time. The endpoint stays, to be looked at,
        restarted or deleted.
    """
    workspace = workspace or current_workspace()
    if security is not None and security.certificate:
        from kernel_tools.hosting.wire.certificates import load_certificate

        load_certificate(Path(security.certificate), Path(security.key))
    last = model if isinstance(model, str) else [*model, ""][-2] if model else ""
    folder = EndpointFolder(workspace, last if name is None else name)
    variant = choose_variant(workspace, model, version, engine=engine, trust=trust, command=command, app=app)
    lifecycle.create(folder, variant, limits, security, capture, scaling)
    endpoint = Endpoint(folder)
    return endpoint.wait(timeout) if timeout > 0 else endpoint


def development_certificate(*, workspace: Workspace | None = None) -> Security:
    """Make a self-signed certificate for this machine, and return the `Security` of an endpoint that uses it.

    >>> deploy("census", security=development_certificate())  # doctest: +SKIP
    """
    from kernel_tools.hosting.wire.certificates import make_development_certificate

    folder = (workspace or current_workspace()).root / "endpoints" / ".certificate"
    certificate, key = make_development_certificate(folder)
    return Security("token", str(certificate), str(key))


def get(name: str, *, workspace: Workspace | None = None) -> Endpoint:
    """Return an endpoint by its name; NotFoundError if there is none."""
    folder = EndpointFolder(workspace or current_workspace(), name)
    folder.require()
    return Endpoint(folder)


def list_endpoints(*, workspace: Workspace | None = None) -> list[Endpoint]:
    """Return all endpoints by name, in whatever state they are; one with broken files is Failed and says why."""
    return [Endpoint(folder) for folder in endpoint_folders(workspace or current_workspace())]


def create_access_key(label: str = "", *, kind: str = "sigv4", workspace: Workspace | None = None) -> NewAccessKey:
    """Issue a key that endpoints of the workspace accept; its secret is told this once.

    Parameters
    ----------
    label
        What it is for, in a few words.
    kind
        "sigv4" for AWS clients (`id` and `secret` are access key and secret access key), "token" for a bearer token.
    workspace
        Default: the current workspace.
    """
    return AccessKeys(workspace or current_workspace()).create(label, kind)


def list_access_keys(*, workspace: Workspace | None = None) -> list[AccessKey]:
    """Return the keys of the workspace, the oldest first, without their secrets."""
    return AccessKeys(workspace or current_workspace()).list()


def revoke_access_key(identifier: str, *, workspace: Workspace | None = None) -> None:
    """Revoke a key: requests signed with it are refused from now on. NotFoundError if there is none."""
    AccessKeys(workspace or current_workspace()).revoke(identifier)
