"""`python -m benchmarks [NAME ...]`: run benchmarks, print their tables, write docs/benchmarks.md."""

from __future__ import annotations

import importlib
import sys
from importlib import metadata

from benchmarks.harness import load_average, machine, save
from benchmarks.report import TABLE_HEAD, write_report

# `make soak` keeps results of its own, which the report shows with the others.
BENCHMARKS = (
    *("imports", "experiments", "mlflow_client", "hosting", "asynchronous", "batch", "compiler"),
    *("studio", "runs_table", "jobs"),
    *("debugger", "debugger_faults", "wrangler", "wrangler_grid", "wrangler_defects"),
)


def main(names: list[str]) -> int:
    """Run the benchmarks named, or all; returns the number of bars missed."""
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        print(f"No such benchmark: {', '.join(sorted(unknown))}. There are: {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    print(f"{machine()}; load average {load_average():.2f}")
    missed = 0
    for name in names or BENCHMARKS:
        module = importlib.import_module(f"benchmarks.{name}")
        print(f"\n{name}: {module.__doc__.splitlines()[0]}\n\n{TABLE_HEAD}", flush=True)
        results = []
        for result in module.run():
            print(result.row(), flush=True)
            results.append(result)
        save(name, results, {library: metadata.version(library) for library in module.LIBRARIES})
        missed += sum(not result.met for result in results)
    write_report((*BENCHMARKS, "soak"))
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
