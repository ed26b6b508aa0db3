"""Renames, truncates and deletes files of the course without opening them."""

KIND = "disk"
GAINS = "others"
ATTEMPT = """
import os

def attempt():
    done = 0
    for act in (
        lambda: os.truncate("COURSE_FOLDER/gradebook.db", 0),
        lambda: os.rename("COURSE_FOLDER/submitted/alice", "COURSE_FOLDER/submitted/bob"),
        lambda: os.rename("COURSE_FOLDER/secret.txt", "COURSE_FOLDER/gone.txt"),
        lambda: os.mkdir("ESCAPE_MARKER"),
        lambda: os.mkfifo("ESCAPE_MARKER"),
        lambda: os.symlink("/", "ESCAPE_MARKER"),
        lambda: os.chmod("COURSE_FOLDER/submitted", 0o000),
        lambda: os.utime("COURSE_FOLDER/submitted", (0, 0)),
    ):
        try:
            act()
            done += 1
        except OSError:
            pass
    return done > 0
"""
