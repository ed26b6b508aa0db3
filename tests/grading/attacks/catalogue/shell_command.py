"""Starts a shell by every way that Python knows."""

KIND = "outside"
GAINS = "others"
ATTEMPT = """
import os
import pty
import subprocess

def attempt():
    for start in (
        lambda: subprocess.run(["/bin/sh", "-c", "echo > ESCAPE_MARKER"]).returncode == 0,
        lambda: os.system("echo > ESCAPE_MARKER") == 0,
        lambda: os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)[1] == 0,
        lambda: os.popen("echo yes").read() == "yes\\n",
        lambda: pty.fork() >= 0,
    ):
        try:
            if start():
                return True
        except Exception:
            pass
    return False
"""
