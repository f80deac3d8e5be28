"""Deploying endpoints, finding them again, and the keys that they accept."""

from __future__ import annotations

from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.hosting import lifecycle
from kernel_tools.hosting.endpoint import DEFAULT_TIMEOUT, Endpoint
from kernel_tools.hosting.folder import EndpointFolder, endpoint_folders
from kernel_tools.hosting.records import Limits, ScalingPolicy
from kernel_tools.hosting.wire.access_keys import AccessKey, AccessKeys, NewAccessKey


def deploy(
    model: str,
    version: int | None = None,
    name: str | None = None,
    *,
    timeout: float = DEFAULT_TIMEOUT,
    trust: bool = False,
    limits: Limits | None = None,
    scaling: ScalingPolicy | None = None,
    workspace: Workspace | None = None,
) -> Endpoint:
    """Serve a model version under a name, and wait until it answers.

    Parameters
    ----------
    model
        The registered model's name.
    version
        Which version; None is the newest approved one. A version that awaits approval may be deployed by its number.
    name
        The endpoint's name; None is the model's name.
    timeout
        How long to wait for it, in seconds; 0 returns at once, and `Endpoint.wait` waits later.
    trust
        Let the model's file restore classes that could execute code, as in `ModelVersion.load`.
    limits
        Requests that may wait and seconds that one may take; default 64 and 60.
    scaling
        How many workers answer, by what they have to do; default one worker. See `Endpoint.scale`.
    workspace
        Default: the current workspace.

    Raises
    ------
    NotFoundError
        If there is no such version, or none is approved.
    ConflictError
        If the version is rejected, or the name is taken.
    UnavailableError
        If the process fails, with its last words, or is not in service in time. The endpoint stays, to be looked at,
        restarted or deleted.
    """
    workspace = workspace or current_workspace()
    folder = EndpointFolder(workspace, model if name is None else name)
    lifecycle.create(folder, lifecycle.choose_version(workspace, model, version), trust, limits, scaling)
    endpoint = Endpoint(folder)
    return endpoint.wait(timeout) if timeout > 0 else endpoint


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
