"""The seccomp filter, run here by a small interpreter, on both kinds of processor."""

import struct

import pytest

from autograder.jail import seccomp
from autograder.jail.seccomp import ALLOW, EPERM, ERROR, KILL

PID, OTHER = 4321, 1
DENIED = ERROR | EPERM
WORD = 1 << 32
NOWHERE = 0xC0000000
LOAD, RETURN = 0x20, 0x06
JUMPS = {0x15: int.__eq__, 0x35: int.__ge__, 0x45: lambda value, bits: bool(value & bits)}
FORK = 0x11  # SIGCHLD, as libc's fork
THREAD = 0x3D0F00  # as libc's pthread_create


def instructions(program: bytes):
    assert len(program) % 8 == 0
    return [struct.unpack("=HBBI", program[i : i + 8]) for i in range(0, len(program), 8)]


def verdict(program: bytes, number: int, arch: int, *args: int) -> int:
    """What the kernel would do; see Linux, Documentation/userspace-api/seccomp_filter.rst."""
    args = [*args, *[0] * (6 - len(args))]
    data = struct.pack("=iIQ6Q", number, arch, 0, *args)
    steps, place, value = instructions(program), 0, 0
    while True:
        code, if_true, if_false, constant = steps[place]
        place += 1
        if code == LOAD:
            (value,) = struct.unpack_from("=I", data, constant)
        elif code == RETURN:
            return constant
        else:
            place += if_true if JUMPS[code](value, constant) else if_false


@pytest.fixture(params=seccomp.AUDIT_ARCH)
def ask(request):
    """What the filter says to a call of that name (or number) on this processor."""
    arch, table = seccomp.AUDIT_ARCH[request.param]
    program = seccomp.build_filter(PID, request.param)

    def ask(name, *args, arch=arch):
        return verdict(program, table.get(name, name), arch, *args)

    ask.program, ask.table, ask.machine = program, table, request.param
    return ask


def test_the_kernel_would_take_the_program(ask):
    steps = instructions(ask.program)
    assert 0 < len(steps) <= 4096
    assert steps[-1][0] == RETURN
    for place, (code, if_true, if_false, constant) in enumerate(steps):
        assert code in (LOAD, RETURN, *JUMPS)
        if code in JUMPS:
            assert place + 1 + max(if_true, if_false) < len(steps)
        if code == LOAD:
            assert constant % 4 == 0
            assert 0 <= constant <= 60


def test_no_number_is_listed_twice(ask):
    assert len(set(ask.table.values())) == len(ask.table)
    assert max(ask.table.values()) < 512


@pytest.mark.parametrize("name", ["read", "write", "mmap", "munmap", "futex", "exit_group"])
def test_everyday_calls_are_allowed(ask, name):
    assert ask(name) == ALLOW
    assert ask(name, 2**64 - 1, 2**64 - 1) == ALLOW


FORBIDDEN = {  # number on x86-64, on arm64
    "socket": (41, 198),
    "connect": (42, 203),
    "sendto": (44, 206),
    "socketpair": (53, 199),
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "bpf": (321, 280),
    "io_uring_setup": (425, 425),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "memfd_create": (319, 279),
    "open_by_handle_at": (304, 265),
    "chmod": (90, None),
    "fchmodat": (268, 53),
    "fchownat": (260, 54),
    "setuid": (105, 146),
    "setrlimit": (160, 164),
    "setpriority": (141, 140),
    "mknodat": (259, 33),
    "utimensat": (280, 88),
    "shmget": (29, 194),
    "mq_open": (240, 180),
    "seccomp": (317, 277),
    "personality": (135, 92),
    "reboot": (169, 142),
    "init_module": (175, 105),
    "modify_ldt": (154, None),
    "vmsplice": (278, 75),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_dangerous_calls_are_denied(ask, name):
    number = FORBIDDEN[name][ask.machine == "aarch64"]
    assert name not in ask.table
    if number is not None:
        assert ask(number) == DENIED


def test_whatever_is_not_listed_is_denied(ask):
    listed = set(ask.table.values())
    assert {ask(number) for number in range(600) if number not in listed} == {DENIED}
    assert ask(seccomp.X32 - 1) == DENIED


def test_other_tables_of_calls_end_the_process(ask):
    read = ask.table["read"]
    assert ask(read | seccomp.X32) == KILL
    assert ask(-1) == KILL
    others = {0x40000003, 0x40000028, 0xC000003E, 0xC00000B7} - {seccomp.AUDIT_ARCH[ask.machine][0]}
    for arch in others:
        assert ask(read, arch=arch) == KILL


def test_threads_but_no_processes(ask):
    assert ask("clone", THREAD) == ALLOW
    assert ask("clone", FORK) == DENIED
    assert ask("clone", FORK | 0x4100) == DENIED  # vfork
    for namespace in (0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000):
        assert ask("clone", THREAD | namespace) == DENIED
    assert ask("clone", THREAD | 0x40000000) == DENIED
    assert ask("clone3", THREAD) == ERROR | seccomp.ENOSYS


@pytest.mark.parametrize("name", ["kill", "tkill", "tgkill"])
def test_signals_to_oneself_only(ask, name):
    assert ask(name, PID, 9) == ALLOW
    for target in (OTHER, 0, WORD - 1, WORD - PID, PID + 1):
        assert ask(name, target, 9) == DENIED


def test_limits_may_be_read_and_not_set(ask):
    assert ask("prlimit64", 0, 9, 0, NOWHERE) == ALLOW
    for new in (NOWHERE, NOWHERE * WORD, 1):
        assert ask("prlimit64", 0, 9, new, 0) == DENIED


def test_only_harmless_commands_of_general_calls(ask):
    assert ask("prctl", 15) == ALLOW
    for option in (1, 4, 8, 22, 23, 24, 38, 59):  # death signal, dumpable, capabilities, seccomp
        assert ask("prctl", option) == DENIED
    assert ask("ioctl", 0, 0x5401) == ALLOW
    for command in (0x5412, 0x541C, 0x8901, 0x8902):  # TIOCSTI, TIOCLINUX, FIOSETOWN, SIOCSPGRP
        assert ask("ioctl", 0, command) == DENIED
    assert ask("fcntl", 3, 1) == ALLOW
    for command in (8, 10, 15, 1024, 1026, 1031):  # F_SETOWN, F_SETSIG, leases, F_SETPIPE_SZ
        assert ask("fcntl", 3, command) == DENIED


def test_other_processes_keep_their_processors(ask):
    assert ask("sched_setaffinity", 0) == ALLOW
    assert ask("sched_setaffinity", PID) == ALLOW
    assert ask("sched_setaffinity", OTHER) == DENIED
