"""What student code may not do, tier by tier: it is denied, and nothing is gained."""

import os
import socket
import time
from pathlib import Path

import psutil
import pytest

from autograder.candidate import Seed
from autograder.faults import AnswerError
from autograder.jail import Limits, tiers

PRELUDE = """
import ctypes, os, pathlib, resource, signal, socket, subprocess, sys, tempfile, threading, time
libc = ctypes.CDLL(None, use_errno=True)

def system(number, *args):
    result = libc.syscall(number, *args)
    if result < 0:
        raise OSError(ctypes.get_errno(), "denied")
    return result

def attempt():
    return {expression}

def f():
    try:
        value = attempt()
    except (OSError, ValueError, RuntimeError) as error:
        return False, [ord(letter) for letter in type(error).__name__]
    return True, [ord(letter) for letter in repr(value)[:200]]
"""
DENIED = {
    # files
    "passwords": "open('/etc/passwd').read()",
    "the top of the disk": "os.listdir('/')",
    "the users' homes": "os.listdir('/root') + os.listdir('/home')",
    "the course": "os.listdir({course!r})",
    "the grader's code": "open({grading!r}).read()",
    "the references": "open({reference!r}).read()",
    "the solutions": "os.listdir({course!r} + '/solutions')",
    "through /proc": "open('/proc/self/root/etc/passwd').read()",
    "a file outside": "open('/tmp/outside', 'w')",
    "a file of the installation": "open(os.__file__, 'a')",
    "a shared memory": "open('/dev/shm/outside', 'w')",
    "a terminal": "open('/dev/tty', 'w')",
    "chmod": "os.chmod('.', 0o777)",
    "chown": "os.chown('.', 0, 0)",
    "times": "os.utime('.')",
    "a pipe with a name": "os.mkfifo('pipe')",
    "a link to a library": "os.link(os.__file__, 'linked')",
    "a change of root": "os.chroot('.')",
    # processes
    "fork": "os.fork()",
    "vfork": "system(58)",
    "a process by spawn": "os.posix_spawn('/usr/bin/env', ['env'], {{}})",
    "a shell": "subprocess.run(['ls'])",
    "execve": "os.execv('/usr/bin/env', ['env'])",
    "killing the parent": "os.kill(os.getppid(), 9)",
    "killing everybody": "os.kill(-1, 9)",
    "killing the group": "os.kill(0, 9)",
    "stopping the first process": "os.kill(1 + (os.getpid() == 1), signal.SIGSTOP)",
    "tracing the parent": "system(101, 16, os.getppid(), 0, 0)",
    "the parent's memory": "system(310, os.getppid(), 0, 0, 0, 0, 0)",
    "the memory of process 1": "open('/proc/1/mem' if os.getpid() != 1 else '/proc/2/mem')",
    "all processes": "os.listdir('/proc')",
    "the command line of process 1": "open('/proc/1/cmdline').read()",
    "its priority": "os.setpriority(os.PRIO_PROCESS, os.getppid(), 10)",
    "its processors": "os.sched_setaffinity({zygote}, {{0}})",
    "a higher limit": "resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
    # the network, the kernel
    "a socket": "socket.socket()",
    "a pair of sockets": "socket.socketpair()",
    "a connection": "socket.create_connection(('127.0.0.1', {port}), 1)",
    "a name": "socket.getaddrinfo('localhost', 80)",
    "io_uring": "system(425, 1, 0)",
    "memfd": "system(319, b'name', 0)",
    "bpf": "system(321, 0, 0, 0)",
    "keys": "system(250, 0, 0)",
    "userfaultfd": "system(323, 0)",
    "new namespaces": "system(272, 0x10000000)",
    "a mount": "system(165, b'none', b'/tmp', b'tmpfs', 0, 0)",
    "another user": "os.setuid(0) or os.setresuid(1, 1, 1)",
    "a new filter": "system(317, 1, 0, 0)",
}


@pytest.fixture(scope="module")
def place():
    """What the attempts aim at, outside of the jail."""
    import autograder
    import course_lib

    (package,) = autograder.__path__
    (library,) = course_lib.__path__
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield {
            "course": str(Path(package).parent),
            "grading": f"{package}/grading.py",
            "reference": f"{library}/mixture/em.py",
            "port": server.getsockname()[1],
        }


def attempted(jail, expression, **place):
    """Whether it worked, and what was gained or which error came."""
    with jail.open() as session:
        place["zygote"] = jail._process.pid if jail.tier == "B" else 2
        source = PRELUDE.replace("{expression}", expression.format(**place))
        assert session.execute("cell", source) is None
        worked, letters = session.candidate("f").call()
    return worked, "".join(map(chr, letters))


@pytest.mark.parametrize("what", DENIED)
def test_is_denied(what, jail, place):
    worked, gained = attempted(jail, DENIED[what], **place)
    assert not worked, gained
    with jail.open() as session:
        assert session.execute("cell", "1") is None


def test_the_environment_holds_no_secret(jail):
    assert "SECRET_TOKEN" in os.environ
    _, environment = attempted(jail, "sorted(os.environ)")
    for name in ("SECRET", "TOKEN", "USER", "LOGNAME", "VIRTUAL_ENV", "PYTEST"):
        assert name not in environment
    _, given = attempted(jail, "open('/proc/self/environ').read()")
    assert "of the grader" not in given


def test_student_code_is_nobody_and_alone(jail):
    nobody = jail.tier == "A" or os.getuid() == 0  # in tier B only root can become another
    expected = [tiers.NOBODY] * 3 if nobody else [os.getuid(), os.getuid(), os.getgid()]
    assert attempted(jail, "[os.getuid(), os.geteuid(), os.getgid()]")[1] == str(expected)
    assert attempted(jail, "sorted(os.listdir('/proc/self/fd'))[:4]")[1] == "['0', '1', '2', '3']"
    assert attempted(jail, "[os.read(0, 1), os.write(1, b'x'), os.write(2, b'x')]")[0]
    if jail.tier == "A":
        assert attempted(jail, "[os.getpid(), os.getppid()]")[1] == "[1, 0]"


FILLS = """
def fill():
    written = 0
    for number in range(100):
        with open(str(number), "wb") as file:
            written += file.write(bytes(1 << 20))
    return written
def count():
    for number in range(100_000):
        open(str(number), "w").close()
def one():
    with open("one", "wb") as file:
        for _ in range(100):
            file.write(bytes(1 << 20))
"""


@pytest.mark.parametrize("name", ["fill", "count", "one"])
def test_the_disk_is_small_or_closed(jail, name):
    with jail.open() as session:
        assert session.execute("cell", FILLS) is None
        with pytest.raises(AnswerError) as caught:
            session.candidate(name).call()
        assert caught.value.detail in ("OSError", "PermissionError")


def test_a_working_folder_is_there_in_tier_a(jail):
    worked, _ = attempted(jail, "open('notes.txt', 'w').write('a')")
    assert worked is (jail.tier == "A")


def test_threads_end_with_their_session(jail):
    source = """
import threading, time
def f(generator):
    threading.stack_size(1 << 16)
    count = 0
    try:
        while count < 1000:
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
            count += 1
    except RuntimeError:
        pass
    return count
"""
    before = psutil.Process().num_threads()
    with jail.open() as session:
        assert session.execute("cell", source) is None
        assert session.candidate("f").call(Seed(1)) <= 1000
    deadline = time.monotonic() + 10
    while threads_in(jail) > 20 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threads_in(jail) <= 20
    assert psutil.Process().num_threads() <= before


def threads_in(jail):
    total = 0
    for process in psutil.Process(jail._process.pid).children(recursive=True):
        try:
            total += process.num_threads()
        except psutil.NoSuchProcess:
            continue
    return total


def test_a_bomb_of_threads_stops_nobody(jail, monkeypatch):
    monkeypatch.setattr(jail, "limits", Limits(seconds_per_call=1))
    source = """
import threading, time
def grow():
    threading.stack_size(1 << 15)
    while True:
        try: threading.Thread(target=grow, daemon=True).start()
        except BaseException: pass
"""
    with jail.open() as session:
        assert session.execute("cell", source) is None
        with pytest.raises(AnswerError):
            session.candidate("grow").call()
    monkeypatch.undo()
    with jail.open() as session:
        assert session.execute("cell", "1") is None
