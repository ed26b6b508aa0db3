"""Binds other processes to one processor and gives itself the best place in the queue."""

KIND = "process"
GAINS = "stop"
ATTEMPT = """
import os

def attempt():
    done = 0
    for pid in {os.getppid(), CANARY_PID} - {0}:  # 0 would be itself
        for act in (
            lambda: os.sched_setaffinity(pid, {0}),
            lambda: os.setpriority(os.PRIO_PROCESS, pid, 19),
            lambda: os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0)),
        ):
            try:
                act()
                done += 1
            except OSError:
                pass
    return done > 0
"""
