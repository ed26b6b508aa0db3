"""Processes come and go with their sessions; a jail outlives what happens to it."""

import contextlib
import time

import psutil
import pytest
import torch

from autograder.candidate import same_plain
from autograder.faults import AnswerError
from autograder.jail import JailUnavailable, Limits, sandbox

CHANCE = """
import random
import numpy as np
import torch
drawn = torch.rand(3), np.random.rand(3), random.random()
def f():
    order = [ord(letter) for letter in {"a", "b", "c", "d", "e", "f", "g"}]
    return drawn, torch.rand(2), np.random.rand(2), random.random(), hash("a"), order
"""


def processes():
    """Numbers of this process's descendants that are alive."""
    alive = set()
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.status() != psutil.STATUS_ZOMBIE:
                alive.add(process.pid)
    return alive


def wait_until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition()


def chance(jail):
    with jail.open() as session:
        assert session.execute("cell", CHANCE) is None
        candidate = session.candidate("f")
        return candidate.call(), candidate.call()


def test_closing_a_session_ends_its_processes(jail):
    jail.open().close()
    before = processes()
    session = jail.open()
    assert session.execute("cell", "import threading, time") is None
    nap = "threading.Thread(target=time.sleep, args=(60,)).start()"
    assert session.execute("cell", nap) is None
    own = processes() - before
    assert own
    session.close()
    wait_until(lambda: not own & processes())
    session.close()


def test_a_closed_session_answers_nothing(jail):
    session = jail.open()
    session.close()
    with pytest.raises(AnswerError, match="over"):
        session.execute("cell", "1")


@pytest.mark.parametrize("statement", ["while True: pass", "import os; os._exit(0)"])
def test_a_run_that_is_over_leaves_no_process(statement, jail, monkeypatch):
    jail.open().close()
    before = processes()
    monkeypatch.setattr(jail, "limits", Limits(seconds_per_call=0.5))
    with jail.open() as session:
        own = processes() - before
        assert own
        with pytest.raises(AnswerError):
            session.execute("cell", statement)
        wait_until(lambda: not own & processes())


def test_many_sessions_leave_nothing_behind(jail):
    jail.open().close()
    own = psutil.Process()
    processes_before, files_before = processes(), own.num_fds()
    for _ in range(20):
        jail.open().close()
    wait_until(lambda: processes() <= processes_before)
    assert own.num_fds() <= files_before


def test_sessions_know_nothing_of_each_other(jail):
    with jail.open() as first, jail.open() as second:
        assert first.execute("cell", "import torch, builtins\nx = builtins.y = 1") is None
        assert first.execute("cell", "torch.softmax = None\ntorch.manual_seed(99)") is None
        assert second.execute("cell", "x").kind == "NameError"
        assert second.execute("cell", "y").kind == "NameError"
        assert second.execute("cell", "import torch\ntorch.softmax(torch.ones(2), 0)") is None
    with jail.open() as third:
        assert third.execute("cell", "open('left behind')").kind == "FileNotFoundError"


def test_chance_is_the_same_in_each_session(jail):
    first, again = chance(jail)
    assert not same_plain(first[1], again[1])
    assert same_plain((first, again), chance(jail))


def test_a_jail_survives_its_zygote_and_chance_is_the_same(jail):
    expected = chance(jail)
    session = jail.open()
    zygote = jail._process
    for process in [*psutil.Process(zygote.pid).children(recursive=True), zygote]:
        with contextlib.suppress(psutil.NoSuchProcess):  # one may take the next with it
            process.kill()
    with pytest.raises(AnswerError) as caught:
        session.execute("cell", "1")
    assert caught.value.code == "ended"
    session.close()
    assert same_plain(chance(jail), expected)


def test_a_process_that_cannot_be_made_is_reported_and_the_next_one_works(jail, monkeypatch):
    reply = jail._reply
    with monkeypatch.context() as patch:
        patch.setattr(jail, "_reply", lambda: reply() and b"!clone: No space left on device")
        with pytest.raises(JailUnavailable, match=r"could not be confined.*No space left"):
            jail.open()
    with jail.open() as session:
        assert session.execute("cell", "1") is None


def test_a_fork_that_fails_changes_nothing(monkeypatch):
    shared_files = 0x200  # the kernel refuses this together with a namespace of users
    monkeypatch.setattr(sandbox, "NAMESPACES", sandbox.NAMESPACES | shared_files)
    with pytest.raises(OSError, match="clone: Invalid argument"):
        sandbox.fork("A")


def test_closing_a_jail_leaves_no_process_and_it_may_be_opened_again(jail):
    session = jail.open()
    own = {process.pid for process in psutil.Process(jail._process.pid).children(recursive=True)}
    own.add(jail._process.pid)
    jail.close()
    wait_until(lambda: not own & processes())
    with pytest.raises(AnswerError):
        session.execute("cell", "1")
    session.close()
    with jail.open() as session:
        assert session.execute("cell", "def f(): return 1") is None
        assert torch.equal(torch.as_tensor(session.candidate("f").call()), torch.tensor(1))
