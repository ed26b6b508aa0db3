"""Takes all the memory that it gets (at most 8 GB here)."""

KIND = "process"
GAINS = "stop"
ATTEMPT = """
def attempt():
    blocks = []
    for _ in range(32):
        blocks.append(b"x" * (256 << 20))
    return True
"""
