"""Check that the OpenAPI document and the TypeScript types are what `make types` would write; change nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

GENERATED = [Path("studio_ext/openapi.json"), Path("studio_ext/ui/src/api/generated.ts")]
COMMANDS = [[sys.executable, "-m", "studio_ext.openapi"], ["jlpm", "types"]]


@contextmanager
def restored(path: Path) -> Iterator[bytes]:
    """Put the file's present content and times back at the end, so that nothing looks changed and is built again."""
    content, times = path.read_bytes(), path.stat()
    try:
        yield content
    finally:
        if path.read_bytes() != content:
            path.write_bytes(content)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def find_stale() -> list[Path]:
    """Write the generated files anew, name those that differ from the present ones, and put these back."""
    document, types = GENERATED
    with restored(document) as document_before, restored(types) as types_before:
        for command in COMMANDS:
            subprocess.run(command, check=True)
        after = {document: document_before, types: types_before}
        return [path for path, before in after.items() if path.read_bytes() != before]


def main() -> int:
    """Print which generated file is missing or stale; return the exit code."""
    problems = [f"{path}: is missing" for path in GENERATED if not path.exists()]
    try:
        problems = problems or [f"{path}: is stale" for path in find_stale()]
    except subprocess.CalledProcessError as error:
        problems = [f"The API types cannot be made, {' '.join(error.cmd)} failed with exit code {error.returncode}"]
    print("\n".join(problems + ["Run: make types"]) if problems else "The API types are up to date.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
