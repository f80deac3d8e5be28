"""A PostgreSQL server for one test run: own folder, own free port on the loopback, stopped and removed afterwards."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER = "atelier"
DEBIAN_SERVER_USER = "postgres"


def find_server_programs() -> Path | None:
    """Return the folder of PostgreSQL's server programs: of ``initdb`` on the path, else of Debian's newest version."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return versions[-1].parent if versions else None


@contextmanager
def temporary_server(programs: Path) -> Iterator[str]:
    """Start a server with PostgreSQL's own programs and stop it at the end.

    Yields
    ------
    str
        The SQLAlchemy URL of an empty database, which the user may do everything with.

    Raises
    ------
    subprocess.CalledProcessError
        If the server cannot be made or started; its output is in ``output``.
    """
    folder = Path(tempfile.mkdtemp(prefix="atelier-postgres-"))
    account = _server_account()
    try:
        if account is not None:
            shutil.chown(folder, account)
        data, port, password = folder / "data", _free_port(), secrets.token_urlsafe(16)
        password_file = folder / "password"
        password_file.write_text(password, encoding="utf-8")
        if account is not None:
            shutil.chown(password_file, account)
        initdb: list[str | Path] = [
            programs / "initdb",
            "-D",
            data,
            "-U",
            USER,
            "--auth=scram-sha-256",
            f"--pwfile={password_file}",
        ]
        _run([*initdb, "--encoding=UTF8", "--no-locale", "--no-sync"], folder, account)
        # The data lasts as long as the tests: losing it in a power cut is no loss.
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder} -c fsync=off"
        control: list[str | Path] = [programs / "pg_ctl", "-D", data, "-w", "-t", "60"]
        _run([*control, "-l", folder / "log", "-o", options, "start"], folder, account)
        try:
            yield f"postgresql+psycopg://{USER}:{password}@127.0.0.1:{port}/postgres"
        finally:
            _run([*control, "-m", "immediate", "stop"], folder, account)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _server_account() -> str | None:
    """Return the account that the server runs as: PostgreSQL refuses root, so Debian's own user then."""
    return DEBIAN_SERVER_USER if hasattr(os, "geteuid") and os.geteuid() == 0 else None


def _run(command: list[str | Path], folder: Path, account: str | None) -> None:
    # The output goes to a file: a pipe would stay open in the server and never end.
    with (folder / "output").open("w+b") as output:
        result = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            user=account,
            group=account,
            extra_groups=None if account is None else [],
        )
        output.seek(0)
        if result.returncode != 0:
            raise subprocess.CalledProcessError(result.returncode, command, output.read().decode("utf-8", "replace"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
