"""Reads the user list of the machine."""

KIND = "disk"
GAINS = "secret"
ATTEMPT = """
def attempt():
    return "root:" in open("/etc/passwd").read()
"""
