"""Pushes characters into the terminal of whoever started the grader."""

KIND = "outside"
GAINS = "others"
ATTEMPT = """
import fcntl
import os
import termios

def attempt():
    for fd in [0, 1, 2]:
        try:
            fcntl.ioctl(fd, termios.TIOCSTI, b" ")
            return True
        except OSError:
            pass
    for name in ("/dev/tty", "/dev/pts/0", "/dev/console", "/dev/mem", "/dev/kmsg"):
        try:
            os.open(name, os.O_RDWR | os.O_NOCTTY)
            return True
        except OSError:
            pass
    return False
"""
