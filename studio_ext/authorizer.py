"""Roles: who may do what on a Jupyter server that several people use.

Off by default. In ``jupyter_server_config.py``::

    c.ServerApp.authorizer_class = "studio_ext.authorizer.RoleAuthorizer"
    c.RoleAuthorizer.roles = {"alice": "admin", "bob": "developer"}
    c.RoleAuthorizer.default_role = "viewer"
    c.LabApp.extension_manager = "readonly"

The names are those that the server's identity provider gives. The last line is needed because JupyterLab does not ask
the authorizer about its own pages (settings, workspaces, the extension manager).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_server.auth import Authorizer
from traitlets import Dict, Enum, List, Unicode

if TYPE_CHECKING:
    from jupyter_server.auth import User
    from jupyter_server.base.handlers import JupyterHandler

ROLES = ("viewer", "developer", "admin")
"""From the least to the most."""

VIEWER_ACTIONS = frozenset({("execute", "events"), ("write", "csp")})
"""What JupyterLab needs besides reading, or it tries again for ever: to hear of events, to report blocked content."""


class RoleAuthorizer(Authorizer):
    """Viewers read; developers read, write and execute; admins may do everything."""

    roles = Dict(value_trait=Enum(ROLES), key_trait=Unicode(), help="The role of each user, by user name.").tag(
        config=True
    )
    default_role = Enum(ROLES, "viewer", help="The role of users that `roles` does not name.").tag(config=True)
    admin_resources = List(
        Unicode(),
        ["server"],
        help="Resources that only admins may write to or execute; 'server' is the shutdown of the server.",
    ).tag(config=True)

    def is_authorized(self, handler: JupyterHandler, user: User, action: str, resource: str) -> bool:
        """Say whether the user's role allows `action` on `resource`."""
        return ROLES.index(self.role_of(user)) >= ROLES.index(self.needed_role(action, resource))

    def role_of(self, user: User) -> str:
        """Return the user's role."""
        role: str = self.roles.get(user.username, self.default_role)
        return role

    def needed_role(self, action: str, resource: str) -> str:
        """Return the least role that may do `action` on `resource`."""
        if action == "read" or (action, resource) in VIEWER_ACTIONS:
            return "viewer"
        if action in ("write", "execute") and resource not in self.admin_resources:
            return "developer"
        return "admin"

    def explain_denial(self, user: User, action: str, resource: str) -> str:
        """Say which role the user has, and which is needed."""
        return (
            f"{user.username!r} has the role {self.role_of(user)!r} and may not {action} {resource}: that needs the "
            f"role {self.needed_role(action, resource)!r}. Ask the administrator of this server to change "
            "RoleAuthorizer.roles."
        )
