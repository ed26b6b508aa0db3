"""Writes a module and a .pth file into the packages that everybody imports."""

KIND = "disk"
GAINS = "others"
ATTEMPT = """
import math
import os
import site
import sysconfig

def attempt():
    written = 0
    for folder in {*site.getsitepackages(), sysconfig.get_paths()["purelib"],
                   os.path.dirname(torch.__file__), os.path.dirname(os.__file__)}:
        path = os.path.join(folder, "mallory.pth")
        try:
            open(path, "w").write("# harmless")
            os.remove(path)
            written += 1
        except OSError:
            pass
    return written > 0
"""
