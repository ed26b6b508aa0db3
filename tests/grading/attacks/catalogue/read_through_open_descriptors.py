"""Uses every file descriptor that it inherited as a way out to other files."""

KIND = "disk"
GAINS = "secret"
ATTEMPT = """
import os
import stat

def attempt():
    for fd in range(1024):
        try:
            if not stat.S_ISDIR(os.fstat(fd).st_mode):
                continue
            inside = os.open(("../" * 12) + "COURSE_FOLDER/secret.txt".lstrip("/"),
                             os.O_RDONLY, dir_fd=fd)
        except OSError:
            continue
        return bool(os.read(inside, 10))
    return False
"""
