"""Run the static checks in an environment that is set up already: what `make check` does."""

from __future__ import annotations

import sys

from scripts.static_checks import run_static_checks

if __name__ == "__main__":
    total = run_static_checks()
    print(f"total: {total}")
    sys.exit(1 if total.failed else 0)
