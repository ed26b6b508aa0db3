"""Makes a hard link and a symbolic link to the secret and reads them."""

KIND = "disk"
GAINS = "secret"
ATTEMPT = """
import os

def attempt():
    for make in (os.link, os.symlink):
        try:
            make("COURSE_FOLDER/secret.txt", "harmless.txt")
            return bool(open("harmless.txt").read())
        except OSError:
            pass
    return False
"""
