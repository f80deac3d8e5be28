"""The first code of a workload in Python: runs a script, a module, a function or a notebook.

Run as a file in the workload's process: ``python workload.py KIND TARGET [ARGUMENT ...]``. It is short and imports
little: the first line of user code waits until it is compiled.
"""

import os
import sys

ERROR_FILE = "error.json"
DONE_FILE = "done"
"""Says that the user's code came to its end, which an exit code alone does not: a handler of SIGTERM exits with 0
too."""


def main() -> None:
    """Run the target; the exit code is that of the user's code."""
    die_with_supervisor()
    kind, target = sys.argv[1], sys.argv[2]
    sys.argv[:] = sys.argv[2:]
    sys.path[0] = os.path.dirname(target) if kind == "script" else os.getcwd()
    run = {"script": run_script, "module": run_module, "function": run_function, "notebook": run_notebook}[kind]
    try:
        if "ATELIER_PRELUDE" in os.environ:
            call_preludes(os.environ["ATELIER_PRELUDE"])
        run(target)
    except SystemExit:
        raise
    except BaseException as error:
        from kernel_tools.jobs.failures import report

        report(error)
        sys.exit(130 if isinstance(error, KeyboardInterrupt) else 1)
    folder = os.environ.get("ATELIER_ATTEMPT_FOLDER")
    if folder:
        open(os.path.join(folder, DONE_FILE), "wb").close()


def die_with_supervisor() -> None:
    """Ask Linux to kill this process when its supervisor dies: nobody would keep its output or its exit code."""
    if not sys.platform.startswith("linux"):
        return
    import ctypes

    ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
    if os.getppid() != int(os.environ.get("ATELIER_SUPERVISOR", os.getppid())):
        os._exit(137)  # it died before we asked


def call_preludes(addresses: str) -> None:
    """Call what other rooms want to do before the user's code: functions by their addresses, joined by commas."""
    import importlib

    for address in addresses.split(","):
        module, _, name = address.partition(":")
        getattr(importlib.import_module(module), name)()


def run_script(path: str) -> None:
    """Run a file as ``python FILE`` would: as `__main__`, with its folder first on the path."""
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    main_module = type(sys)("__main__")
    main_module.__dict__.update(__file__=path, __builtins__=__builtins__, __spec__=None)
    sys.modules["__main__"] = main_module
    exec(code, main_module.__dict__)


def run_module(name: str) -> None:
    """Run a module as ``python -m NAME`` would."""
    import runpy

    runpy.run_module(name, run_name="__main__", alter_sys=True)


def run_function(path: str) -> None:
    """Call the function that `kernel_tools.jobs.functions` has kept, and keep what it returns."""
    from kernel_tools.jobs.functions import call_kept_function

    call_kept_function(path)


def run_notebook(path: str) -> None:
    """Execute a notebook; the executed one is kept as it grows."""
    from kernel_tools.jobs.notebooks import execute_notebook

    execute_notebook(path)


if __name__ == "__main__":
    main()
