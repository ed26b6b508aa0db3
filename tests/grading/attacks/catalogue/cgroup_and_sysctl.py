"""Writes to the control files of the kernel."""

KIND = "outside"
GAINS = "others"
ATTEMPT = """
import os

def attempt():
    for path in (
        "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/kernel/uevent_helper",
        "/sys/fs/cgroup/cgroup.procs", "/proc/self/oom_score_adj",
    ):
        try:
            fd = os.open(path, os.O_WRONLY)
        except OSError:
            continue
        os.close(fd)
        if path != "/proc/self/oom_score_adj":
            return True
    return False
"""
