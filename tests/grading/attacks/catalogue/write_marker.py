"""Writes a file where it should not be able to."""

KIND = "disk"
GAINS = "others"
ATTEMPT = """
import os
import shutil

def attempt():
    with open("ESCAPE_MARKER", "w") as file:
        file.write("was here")
    return False
"""
