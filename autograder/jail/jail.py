"""Starts the zygote inside the sandbox and opens sessions in it."""

import array
import functools
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import weakref
from pathlib import Path
from typing import Any

from autograder.jail import tiers, wire
from autograder.jail.limits import Limits
from autograder.jail.session import Session

START_SECONDS = 120.0
HOME = "/jail/student"  # it covers what lies there: /home/student may hold an installation
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "MPLBACKEND": "agg",
    "CUDA_VISIBLE_DEVICES": "",
    "LANG": "C.UTF-8",
    "PYTHONMALLOC": "malloc",  # with huge pages a fork copies a tenth of the page tables
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
SYSTEM = ("/usr", "/lib", "/lib64", "/dev/null", "/dev/zero", "/dev/urandom")


class JailUnavailable(Exception):
    """This machine does not offer the tier; the message says what to install."""


class Jail:
    """Runs student code, one confined process for each session. Use it as a context manager.

    Args:
        tier: "A", "B" or "C"; without one, the best of A and B.
        limits: What a submission may use.

    Raises:
        JailUnavailable: If the machine lacks what the tier needs, or only offers C and C was not
            asked for.
    """

    def __init__(self, tier: str | None = None, limits: Limits | None = None):
        self.tier = _choose(tier)
        self.limits = limits or Limits()
        self._scratch: tempfile.TemporaryDirectory | None = None
        self._process: subprocess.Popen | None = None
        self._control: socket.socket | None = None
        self._sessions: weakref.WeakSet[Session] = weakref.WeakSet()

    def __enter__(self) -> "Jail":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def open(self, submission_deadline: float | None = None) -> Session:
        """A fresh confined process.

        Args:
            submission_deadline: Time of `time.monotonic` when everything must be over; without
                it, the limit for a submission counts from now.
        """
        if submission_deadline is None:
            submission_deadline = time.monotonic() + self.limits.seconds_per_submission
        try:
            return self._open(submission_deadline)
        except (OSError, wire.WireError):  # the zygote itself is gone: start another, once
            self.close()
            return self._open(submission_deadline)

    def close(self) -> None:
        """End all sessions, and the program that they were forked from."""
        for session in list(self._sessions):
            session.close()
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process.stderr.close()
            self._process = None
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    def _open(self, submission_deadline: float) -> Session:
        if self._control is None:
            self._start()
        ours, theirs = socket.socketpair()
        passed = array.array("i", [theirs.fileno()])
        self._control.sendmsg([b"N"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, passed)])
        theirs.close()
        ours.setblocking(False)
        try:
            reply = self._reply()
            if reply.startswith(b"!"):
                nonce, reason = "failed", reply[1:].decode(errors="replace")
            else:
                nonce, reason = wire.receive(ours.fileno(), time.monotonic() + START_SECONDS)
        except (OSError, wire.WireError):
            ours.close()
            raise
        if nonce != "ready":
            ours.close()
            raise JailUnavailable(f"a process could not be confined in tier {self.tier}: {reason}")
        kill = functools.partial(self._kill, self._control, int(reply))
        session = Session(ours, kill, self.limits, submission_deadline)
        self._sessions.add(session)
        return session

    def _kill(self, control: socket.socket, pid: int) -> None:
        if control is not self._control:  # that zygote is gone, and its children with it
            return
        try:
            control.send(b"K%d" % pid)
            self._reply()
        except (OSError, wire.WireError):
            self.close()

    def _reply(self) -> bytes:
        reply = self._control.recv(64)
        if not reply:
            raise wire.Closed("the zygote has ended")
        return reply

    def _start(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._scratch = tempfile.TemporaryDirectory(prefix="jail-")
        settings = self._settings()
        program = [
            tiers.python_program(),
            "-P",
            "-s",
            "-B",
            str(Path(__file__).parent / "zygote.py"),
        ]
        command = [*program, str(theirs.fileno()), json.dumps(settings)]
        home = settings["home"]
        environment = ENVIRONMENT | {"HOME": home, "TORCHINDUCTOR_CACHE_DIR": home}
        if self.tier == "B":
            environment["MPLCONFIGDIR"] = self._make_cache()
        if self.tier == "A":
            command = [*_namespaces(settings), *command]
        elif settings["user"] is not None:
            Path(self._scratch.name).chmod(0o755)
            command = [*_shown_to_nobody(), *command]
        self._process = subprocess.Popen(
            command,
            env=environment,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        theirs.close()
        self._control = ours
        ours.settimeout(START_SECONDS)
        try:
            ready = ours.recv(64)
        except OSError:
            ready = b""
        if ready != b"ready":
            raise JailUnavailable(self._why_not_started())

    def _make_cache(self) -> str:
        """Where the libraries write at their start; the home of tier B is closed."""
        folder = Path(self._scratch.name, "cache")
        folder.mkdir()
        if os.getuid() == 0:
            os.chown(folder, tiers.NOBODY, tiers.NOBODY)
        return str(folder)

    def _why_not_started(self) -> str:
        self._process.kill()
        errors = self._process.stderr.read().decode(errors="replace").strip().splitlines()
        self.close()
        return f"the sandbox did not start in tier {self.tier}: {(errors or ['no message'])[-1]}"

    def _settings(self) -> dict[str, Any]:
        home = HOME if self.tier == "A" else self._scratch.name
        return {
            "tier": self.tier,
            "home": home,
            "user": tiers.NOBODY if self.tier == "B" and os.getuid() == 0 else None,
            "limits": self.limits.to_json(),
            "packages": tiers.packages(),
            "readable": _readable_to_students(),
        }


def _choose(tier: str | None) -> str:
    if tier is not None and tier not in tiers.TIERS:
        raise ValueError(f"the tier is {tier!r}; expected A, B or C")
    chosen = tier or tiers.best_tier()
    if chosen == "C" and sys.platform != "linux":
        raise JailUnavailable("; ".join(tiers.missing_for("A")))
    if chosen == "C" and tier is None:
        missing = "; ".join(dict.fromkeys([*tiers.missing_for("B"), *tiers.missing_for("A")]))
        raise JailUnavailable(f"student code cannot be confined on this machine: {missing}")
    if missing := tiers.missing_for(chosen):
        raise JailUnavailable(f"tier {chosen} is not available: {'; '.join(missing)}")
    return chosen


def _readable_to_students() -> list[str]:
    """Python, its packages, and of the course only what may be imported."""
    closed = {Path(folder) for folder in tiers.packages().values()}
    roots = (*SYSTEM, *tiers.prefixes())
    paths = [path for root in roots for path in _without(Path(root), closed)]
    course_lib = Path(tiers.packages()["course_lib"])
    paths += [str(course_lib / "data"), str(course_lib / "course.mplstyle")]
    return paths


def _without(folder: Path, closed: set[Path]) -> list[str]:
    """The folder, or what is in it where something in it is closed."""
    if folder in closed:
        return []
    if not any(folder in path.parents for path in closed):
        return [str(folder)]
    return [path for entry in sorted(folder.iterdir()) for path in _without(entry, closed)]


def _namespaces(settings: dict[str, Any]) -> list[str]:
    """The command before the zygote's in tier A: only the libraries are there at all."""
    size = str(settings["limits"]["disk_mb"] << 20)
    home = ["--size", size, "--tmpfs", HOME, "--chdir", HOME]
    return [*tiers.namespace_command(tiers.own_folders()), "--new-session", *home]


def _shown_to_nobody() -> list[str]:
    """The command before the zygote's where libraries lie in a folder that only root may enter."""
    hidden = tiers.hidden_folders()
    if not hidden:
        return []
    steps = [word for path in hidden for word in ("--perms", "0755", "--tmpfs", path)]
    for path in map(Path, tiers.own_folders()):
        way = [p for p in reversed(path.parents) if any(Path(h) in p.parents for h in hidden)]
        if way or str(path.parent) in hidden:
            steps += [word for p in way for word in ("--perms", "0755", "--dir", str(p))]
            steps += tiers.bound(str(path))
    rights = ("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")  # given away in the zygote
    return [tiers.find_bubblewrap(), "--dev-bind", "/", "/", *steps, *rights]
