"""Leaves a process that a shell started with nohup and setsid."""

KIND = "process"
GAINS = "survive"
ATTEMPT = """
import subprocess

def attempt():
    subprocess.Popen(
        ["/bin/sh", "-c", "(setsid nohup sh -c 'sleep 2; touch ESCAPE_MARKER; sleep 10') &"],
        start_new_session=True,
    )
    return True
"""
