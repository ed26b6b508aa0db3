"""Program: imports the libraries once, then forks a confined child for each session.

It runs as `python -P zygote.py SOCKET SETTINGS`. The socket takes three commands: `N` with a file
descriptor forks a child that serves on it and answers with its number, or with `!` and the reason
if it cannot; `K` with a number kills that child; and its end ends the program. One thread only: a
child forked from a process with threads may hang.
"""

import array
import contextlib
import gc
import importlib
import importlib.util
import json
import os
import signal
import socket
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    settings = json.loads(sys.argv[2])
    if settings["user"] is not None:
        _become(settings["user"])
    for name, folder in settings["packages"].items():
        _import_bare(name, folder)
    from autograder.jail import child, sandbox, seccomp
    from autograder.jail.imports import OPEN, close_imports
    from autograder.jail.limits import Limits

    _import_libraries(OPEN)
    close_imports()
    limits, owner = Limits(**settings["limits"]), (os.getuid(), os.getgid())
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        raise RuntimeError("the libraries started threads; a forked child could hang")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system collects children that end
    if settings["tier"] == "A":
        seccomp.build_filter(1)  # kept: every child is the first process of its namespace
    child.prepare()
    gc.collect()
    gc.freeze()
    handles: dict[int, int] = {}  # of living children: a number could pass to another process
    control.send(b"ready")
    while True:
        command, passed = _next_command(control)
        if command == b"N":
            try:
                pid = sandbox.fork(settings["tier"])
                if pid == 0:
                    control.close()
                    _run_child(child, sandbox, settings, limits, owner, passed)
                handles[pid] = os.pidfd_open(pid)
                control.send(b"%d" % pid)
            except OSError as error:  # too many processes or namespaces: the next may work again
                control.send(f"!{error}"[:60].encode())
            os.close(passed)
        elif command[:1] == b"K":
            _kill(handles.pop(int(command[1:])))
            control.send(b"killed")
        else:
            os._exit(0)


def _become(user: int) -> None:
    """Give root's rights away."""
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def _import_bare(name: str, folder: str) -> None:
    """A package without its `__init__`, which would import more than a jail may hold."""
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = [folder]
    sys.modules[name] = importlib.util.module_from_spec(spec)


def _import_libraries(own: tuple[str, ...]) -> None:
    import matplotlib

    matplotlib.use("agg")
    import torch

    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    for name in ("matplotlib.pyplot", "numpy", "torch.distributions", *own):
        importlib.import_module(name)
    _use_once(torch)


def _use_once(torch: ModuleType) -> None:
    """What torch imports at its first use would else be imported in every child."""
    weight = torch.nn.Parameter(torch.ones(2))
    normal = torch.distributions.MultivariateNormal(weight, torch.eye(2))
    (-normal.log_prob(torch.zeros(2))).backward()
    torch.optim.Adam([weight]).step()


def _run_child(
    child: ModuleType,
    sandbox: ModuleType,
    settings: dict[str, Any],
    limits: Any,
    owner: tuple[int, int],
    fd: int,
) -> None:
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(fd, 3)
        os.closerange(4, 4096)
        readable, home = settings["readable"], settings["home"]
        sandbox.confine(settings["tier"], limits, readable, home, owner)
        sandbox.clean_environment(home)
        sys.argv = ["notebook"]
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        child.serve(3)
    except BaseException as error:  # it could not be confined: nothing of the student's has run
        reason = f"{type(error).__name__}: {error}"[:500]
        child.wire.send(3, child.FAILED, reason)
    os._exit(0)


def _next_command(control: socket.socket) -> tuple[bytes, int]:
    command, ancillary, _, _ = control.recvmsg(64, socket.CMSG_SPACE(4))
    passed = array.array("i", ancillary[0][2])[0] if ancillary else -1
    return command, passed


def _kill(handle: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    os.close(handle)


if __name__ == "__main__":
    main()
