"""Raises its own resource limits and those of its parent."""

KIND = "process"
GAINS = "stop"
ATTEMPT = """
import os
import resource

def attempt():
    for pid in {0, os.getppid(), CANARY_PID}:
        for kind in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE):
            try:
                before = resource.prlimit(pid, kind)
                resource.prlimit(pid, kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            except (OSError, ValueError):
                continue
            if before[1] != resource.RLIM_INFINITY or pid:
                return True
    return False
"""
