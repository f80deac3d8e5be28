"""Check the lock files: none holds an address, and requirements.lock pins every dependency of pyproject.toml."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

LOCKS = [Path("requirements.lock"), Path("yarn.lock"), Path("ui-tests/yarn.lock")]
ADDRESS = re.compile(r"://|__archiveUrl")
NAME = re.compile(r"[A-Za-z0-9._-]+")


def find_addresses(lock: Path) -> list[str]:
    """Name every line of a lock file that holds an address."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    return [
        f"{lock}:{number}: holds an address, which the next machine may not have: {line.strip()}"
        for number, line in enumerate(lines, start=1)
        if ADDRESS.search(line)
    ]


def find_unpinned() -> list[str]:
    """Name every dependency of pyproject.toml that requirements.lock does not pin."""
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    required = [*project["dependencies"], *extras["postgres"], *extras["test"], *extras["dev"]]
    pinned = {_name(line) for line in LOCKS[0].read_text(encoding="utf-8").splitlines() if "==" in line}
    missing = {_name(requirement) for requirement in required} - pinned - {_name(project["name"])}
    return [
        f"requirements.lock: does not pin {name}, which pyproject.toml asks for. Run: make lock"
        for name in sorted(missing)
    ]


def _name(requirement: str) -> str:
    match = NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", match.group()).lower() if match else requirement


def main() -> int:
    """Print what is wrong with the locks; return the exit code."""
    missing = [f"{lock}: is missing" for lock in LOCKS if not lock.exists()]
    problems = missing or [*(line for lock in LOCKS for line in find_addresses(lock)), *find_unpinned()]
    print("\n".join(problems) or "The locks are in order.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
