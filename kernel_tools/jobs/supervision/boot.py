"""The first moments of a supervisor: start the workload, then load the rest and watch it.

Run as a file by `kernel_tools.jobs.queue`, with the lock of the job and of its slot as open files:
``python -I -S boot.py FOLDER ATTEMPT LOCK_FD SLOT_FD LIBRARY``. Until the workload runs, only built-in modules are
imported: each import would be waited for by the first line of user code.
"""

import marshal
import os
import sys

HEAD_START = 0.03
"""Seconds that the workload has for itself, unless it says something earlier."""


def start_workload(plan: dict) -> tuple[int, int]:  # type: ignore[type-arg]  # `typing` would have to be imported
    """Start the process of an attempt and return its pid and the open file that its output is read from.

    `plan` holds argv, cwd, cpus (processors that it may use), memory (bytes) and the path to an attempt's folder.
    The process leads a session of its own, reads nothing, and dies with the supervisor.
    """
    reading, writing = os.pipe2(os.O_CLOEXEC)
    failing, failed = os.pipe2(os.O_CLOEXEC)
    os.environ["ATELIER_SUPERVISOR"] = str(os.getpid())
    pid = os.fork()
    if pid:
        os.close(writing)
        os.close(failed)
        message = os.read(failing, 4096)
        os.close(failing)
        if message:
            os.waitpid(pid, 0)
            os.close(reading)
            raise OSError(message.decode("utf-8", "replace"))
        return pid, reading
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        os.chdir(plan["cwd"])
        if plan.get("cgroup"):
            with open(plan["cgroup"] + "/cgroup.procs", "w") as file:
                file.write(str(os.getpid()))
        elif plan.get("memory"):
            import resource

            resource.setrlimit(resource.RLIMIT_DATA, (plan["memory"], plan["memory"]))
        if plan.get("cpus"):
            os.sched_setaffinity(0, plan["cpus"])
        if plan.get("dies_with_parent"):  # a workload in Python asks for this itself
            import ctypes

            ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
        os.execvpe(plan["argv"][0], plan["argv"], os.environ)
    except BaseException as error:
        os.write(failed, f"{type(error).__name__}: {error}".encode())
    os._exit(127)


def main() -> None:
    """Start what the plan says if it may start at once; then watch it to its end."""
    folder, attempt, lock, slot, library = sys.argv[1:6]
    os.set_inheritable(int(lock), False)
    os.set_inheritable(int(slot), False)
    started: tuple[int, int] | str | None = None
    with open(f"{folder}/attempts/{attempt}/plan", "rb") as file:
        plan = marshal.load(file)
    if plan["at_once"] and not os.path.exists(f"{folder}/stop.json"):
        try:
            os.close(os.open(f"{folder}/attempts/{attempt}/began", os.O_CREAT | os.O_WRONLY, 0o644))
            started = start_workload(plan)
        except OSError as error:
            started = str(error)
    if isinstance(started, tuple):
        import select

        # What follows takes processor time that the first line of user code is better off with.
        select.select([started[1]], [], [], HEAD_START)
    sys.path.insert(0, library)
    from kernel_tools.jobs.supervision.watch import Supervisor

    Supervisor(folder, int(attempt), int(lock), int(slot)).run(plan, started)


if __name__ == "__main__":
    main()
