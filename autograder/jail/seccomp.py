"""The seccomp filter: an allow-list of system calls, as the kernel's bytes.

Everything that is not listed fails with EPERM: processes, sockets, mounts, tracing, signals to
others, changes of owner and mode (which Landlock does not govern). The program is put together
here, without libseccomp, because loading a library by name needs tools that a jail lacks.

Reference: seccomp(2), and Linux `include/uapi/linux/{filter,seccomp}.h`.
"""

import ctypes
import functools
import platform
import struct
from collections.abc import Sequence

from autograder.jail.syscalls import AARCH64, X86_64

AUDIT_ARCH = {"x86_64": (0xC000003E, X86_64), "aarch64": (0xC00000B7, AARCH64)}

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_BITS, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, ERROR = 0x7FFF0000, 0x80000000, 0x00050000
EPERM, ENOSYS = 1, 38
NUMBER, ARCH, ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data, low words first
X32 = 0x40000000  # a second table of calls on x86-64

CLONE_THREAD, CLONE_NEW_ANYTHING = 0x00010000, 0x7E020080
PRCTL = (15, 16, 0x53564D41)  # a thread's name, and the name of a piece of memory
IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5451)  # is it a terminal, bytes waiting, flags
FCNTL = (0, 1, 2, 3, 4, 5, 6, 7, 1030, 1032)  # no signals by way of F_SETOWN
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2


def is_supported() -> bool:
    """Whether the table of this machine's calls is known."""
    return platform.machine() in AUDIT_ARCH


def number_of(call: str) -> int:
    """This machine's number of a system call."""
    _, table = AUDIT_ARCH[platform.machine()]
    return table[call]


@functools.cache
def build_filter(pid: int, machine: str | None = None) -> bytes:
    """The program for the process `pid`, which may send signals to nobody but itself."""
    arch, table = AUDIT_ARCH[machine or platform.machine()]
    argument_rules = {  # prlimit64 may read limits: its third argument, a pointer, must be null
        "clone": _clone_rule(),
        "clone3": [_return(ERROR | ENOSYS)],  # its flags lie in memory; glibc falls back to clone
        "prctl": _rule(0, PRCTL),
        "sched_setaffinity": _rule(0, (0, pid)),
        "ioctl": _rule(1, IOCTL),
        "fcntl": _rule(1, FCNTL),
        "prlimit64": [*_unless_zero(ARGUMENTS + 20, [_return(ERROR | EPERM)]), *_rule(2, (0,))],
        **dict.fromkeys(("kill", "tkill", "tgkill"), _rule(0, (pid,))),
    }
    program = [
        _instruction(LOAD, ARCH),
        *_unless_equal(arch, [_return(KILL)]),
        _instruction(LOAD, NUMBER),
        _instruction(JUMP_AT_LEAST, X32, 0, 1),
        _return(KILL),
    ]
    for name, number in table.items():
        rule = argument_rules.get(name, [_return(ALLOW)])
        program += [_instruction(JUMP_EQUAL, number, 0, len(rule)), *rule]
    return b"".join([*program, _return(ERROR | EPERM)])


def load_filter(program: bytes) -> None:
    """Put the calling thread, and all it starts, under the program, for good.

    Raises:
        OSError: If the kernel refuses; NO_NEW_PRIVS must be set before.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(program, len(program))

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))

    given = Program(len(program) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(given), 0, 0):
        raise OSError(ctypes.get_errno(), "seccomp")


def _instruction(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _return(action: int) -> bytes:
    return _instruction(RETURN, action)


def _unless_equal(value: int, then: Sequence[bytes]) -> list[bytes]:
    return [_instruction(JUMP_EQUAL, value, len(then), 0), *then]


def _unless_zero(offset: int, then: Sequence[bytes]) -> list[bytes]:
    return [_instruction(LOAD, offset), *_unless_equal(0, then)]


def _rule(argument: int, allowed: Sequence[int]) -> list[bytes]:
    """Allow only these values of one argument, of which the kernel reads the lower 32 bits."""
    steps = [_instruction(LOAD, ARGUMENTS + 8 * argument)]
    for value in allowed:
        steps += [_instruction(JUMP_EQUAL, value, 0, 1), _return(ALLOW)]
    return [*steps, _return(ERROR | EPERM)]


def _clone_rule() -> list[bytes]:
    """Threads only, in the namespaces that there are."""
    return [
        _instruction(LOAD, ARGUMENTS),
        _instruction(JUMP_BITS, CLONE_NEW_ANYTHING, 0, 1),
        _return(ERROR | EPERM),
        _instruction(JUMP_BITS, CLONE_THREAD, 0, 1),
        _return(ALLOW),
        _return(ERROR | EPERM),
    ]
