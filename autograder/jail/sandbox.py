"""What confines a process that runs student code: namespaces, Landlock, limits, seccomp.

`fork` makes the process, and `confine` is called in it before any of the student's code runs. Each
step closes what the next one needs, so their order matters: the owner is read before the fork
(afterwards it is nobody), `/dev/null` and `/proc` are opened before Landlock hides them, and
seccomp comes last because it forbids the calls that set up the rest.

Reference: clone(2), user_namespaces(7), landlock(7), setrlimit(2), prctl(2).
"""

import ctypes
import os
import resource
import signal
import struct
from collections.abc import Sequence
from pathlib import Path

from autograder.jail import seccomp
from autograder.jail.limits import Limits
from autograder.jail.tiers import NOBODY

libc = ctypes.CDLL(None, use_errno=True)
libc_with_lock = ctypes.PyDLL(None, use_errno=True)  # the interpreter's lock is kept over a call

NEW_USER, NEW_PID, NEW_NS, NEW_NET, NEW_IPC, NEW_UTS = (
    0x10000000,
    0x20000000,
    0x00020000,
    0x40000000,
    0x08000000,
    0x04000000,
)
NAMESPACES = NEW_USER | NEW_PID | NEW_NS | NEW_NET | NEW_IPC | NEW_UTS
NO_SUID, NO_DEV, RECURSIVE, PRIVATE = 0x2, 0x4, 0x4000, 0x40000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38

LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446
FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # how many rights each Landlock version knows
READ = 0b1101  # execute (to map a library), read a file, list a folder
OF_FILES = 0b111 | 1 << 14 | 1 << 15  # execute, write, read, truncate, ioctl
READ_ENVIRONMENT = ("PATH", "HOME", "PYTHONHASHSEED", "MPLBACKEND", "MPLCONFIGDIR")


def fork(tier: str) -> int:
    """Like `os.fork`; in tier A the child is the first process in namespaces of its own.

    `unshare` would move the next child only into the new namespace of processes. That takes two
    forks, and a fork is most of what a session costs.
    """
    if tier != "A":
        return os.fork()
    python = ctypes.pythonapi
    python.PyOS_BeforeFork()
    flags = NAMESPACES | signal.SIGCHLD
    pid = libc_with_lock.syscall(seccomp.number_of("clone"), flags, 0, 0, 0, 0)
    if pid == 0:
        python.PyOS_AfterFork_Child()
        return 0
    python.PyOS_AfterFork_Parent()
    return _checked(pid, "clone")


def confine(
    tier: str, limits: Limits, readable: Sequence[str], home: str, owner: tuple[int, int]
) -> None:
    """Confine this process for good.

    Args:
        tier: "A", "B", or "C", which sets limits only.
        limits: How much memory and time it may use.
        readable: Files and folders that it may read.
        home: The folder that it works in: writable memory in tier A, else left alone.
        owner: User and group of the process that forked it.

    Raises:
        OSError: If the kernel refuses a step; nothing of the student's may run then.
    """
    die_with_parent()
    if tier == "A":
        _furnish_namespaces(home, limits.disk_mb, owner)
    os.chdir(home)
    nowhere = os.open("/dev/null", os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    os.close(nowhere)
    _set_limits(limits)
    if tier != "C":
        _call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _restrict_files(readable, [home] if tier == "A" else [])
        seccomp.load_filter(seccomp.build_filter(os.getpid()))


def landlock_version() -> int:
    """The kernel's version of Landlock; 0 if it has none."""
    return max(0, libc.syscall(LANDLOCK_CREATE, None, 0, 1))


def die_with_parent() -> None:
    """Be killed when the process that forked this one ends."""
    _call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def clean_environment(home: str) -> None:
    """Leave nothing of the grader's environment."""
    kept = {name: os.environ[name] for name in READ_ENVIRONMENT if name in os.environ}
    os.environ.clear()
    os.environ.update(kept | {"HOME": home})


def _furnish_namespaces(home: str, disk_mb: int, owner: tuple[int, int]) -> None:
    """Be nobody, and have a folder that is gone with this process."""
    user, group = owner
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} {group} 1")
    _mount("none", "/", "", RECURSIVE | PRIVATE)
    options = f"size={disk_mb}m,nr_inodes=2000,mode=700"
    _mount("tmpfs", home, "tmpfs", NO_SUID | NO_DEV, options)


def _set_limits(limits: Limits) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    memory = pages * resource.getpagesize() + (limits.memory_mb << 20)
    values = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: int(limits.seconds_per_submission) + 5,
        resource.RLIMIT_FSIZE: limits.disk_mb << 20,
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_MEMLOCK: 0,
    }
    for name, value in values.items():
        resource.setrlimit(name, (value, value))


def _restrict_files(readable: Sequence[str], writable: Sequence[str]) -> None:
    """Landlock: no file but these, no network, no signals to processes outside."""
    version = landlock_version()
    rights = (1 << FILE_RIGHTS.get(version, 16)) - 1
    ruleset = [rights]
    ruleset += [0b11] if version >= 4 else []  # bind and connect
    ruleset += [0b11] if version >= 6 else []  # abstract sockets, signals
    attributes = struct.pack(f"={len(ruleset)}Q", *ruleset)
    fd = _syscall(LANDLOCK_CREATE, attributes, len(attributes), 0)
    for path in (*readable, "/proc/self"):  # of processes, only what is known about this one
        _allow(fd, path, READ)
    for path in writable:
        _allow(fd, path, rights)
    _syscall(LANDLOCK_RESTRICT, fd, 0)
    os.close(fd)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    if not Path(path).is_dir():
        rights &= OF_FILES
    _syscall(LANDLOCK_ADD, ruleset, 1, struct.pack("=Qi", rights, fd), 0)
    os.close(fd)


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    encoded = (source.encode(), target.encode(), kind.encode() or None)
    _call("mount", *encoded, ctypes.c_ulong(flags), options.encode() or None)


def _call(name: str, *arguments: object) -> int:
    return _checked(getattr(libc, name)(*arguments), name)


def _syscall(number: int, *arguments: object) -> int:
    return _checked(libc.syscall(number, *arguments), f"system call {number}")


def _checked(result: int, name: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result
