"""Make the course's virtual environment; `make` runs this before anything else, if need be.

Uses the standard library only and parses with any Python 3, so that it can say what is missing.
pip's own settings (an index, a proxy, PIP_FIND_LINKS, …) are honoured.
"""

import hashlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
READY = VENV / "ready"  # written last, so that an interrupted set-up never looks finished
LOG = VENV / "pip.log"
OLDEST = (3, 11)
VERSION = ".".join(map(str, sys.version_info[:3]))

OFFLINE = (
    r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError"
    r"|Connection refused|Temporary failure in name resolution|Network is unreachable"
)
ADVICE = {  # pattern in pip's log: what to do; the first match counts
    r"No space left on device": """\
The disk is full; the course needs about 2 GB in .venv, more with a GPU build of torch.""",
    OFFLINE: """\
It cannot reach its package index. Check the network or the proxy (HTTPS_PROXY), or point pip
at packages that you have: PIP_FIND_LINKS=FOLDER, or PIP_INDEX_URL for a mirror.""",
    r"No matching distribution found for torch|user requested \(constraint\) torch==": """\
There is no build of torch for this Python or machine: Python {version} on {platform}.
Use a 64-bit Python 3.11, 3.12 or 3.13, for example: make PYTHON=python3.12""",
}


class SetupError(Exception):
    """A set-up that cannot go on; the message says what to do."""


def check_python():
    """Stop unless this Python is new enough and can make virtual environments."""
    if sys.version_info < OLDEST:
        raise SetupError(
            f"The course needs Python 3.{OLDEST[1]} or newer; {sys.executable} is {VERSION}.\n"
            "Install a newer one and name it, for example: make PYTHON=python3.12"
        )
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        raise SetupError(
            f"{sys.executable} ({VERSION}) cannot make virtual environments: no ensurepip.\n"
            f"On Debian and Ubuntu: apt install python{VERSION.rpartition('.')[0]}-venv (as root)\n"
            "Elsewhere: install Python's venv module from your system's packages."
        )


def fingerprint():
    """Changes when what must be installed changes."""
    digest = hashlib.sha256(sys.version.encode())
    for name in ("pyproject.toml", "constraints.txt"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def make_environment():
    """Create .venv, or start it anew if the one that is there cannot run pip."""
    import venv

    test = f"import pip, sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    command = [str(PYTHON), "-c", test]
    if not PYTHON.exists() or subprocess.run(command, stderr=subprocess.DEVNULL).returncode != 0:
        print("Making the virtual environment .venv …", flush=True)
        venv.create(str(VENV), with_pip=True, clear=True)


def install():
    """Let pip install the course and everything it needs, in the versions of constraints.txt."""
    print("Installing the course's packages; the first time takes some minutes …", flush=True)
    LOG.unlink(missing_ok=True)
    pip_install("setuptools")  # it builds the course itself, here and not out of sight
    pip_install("--no-build-isolation", "--editable", ".[dev]")


def pip_install(*what):
    """One run of pip, whose failure is explained."""
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check"]
    command += ["--log", str(LOG), "--constraint", "constraints.txt", *what]
    if subprocess.run(command, cwd=str(ROOT)).returncode != 0:
        raise SetupError(explain(LOG.read_text(errors="replace") if LOG.exists() else ""))


def explain(log):
    """What to do about a pip run that failed, from its log."""
    for pattern, advice in ADVICE.items():
        if re.search(pattern, log):
            return "pip failed. " + advice.format(version=VERSION, platform=sys.platform)
    return f"pip failed; its last messages are above, all of them in {LOG.relative_to(ROOT)}."


def main():
    try:
        check_python()
        expected = fingerprint()
        if READY.exists() and READY.read_text() == expected:
            READY.touch()
            return 0
        READY.unlink(missing_ok=True)
        make_environment()
        install()
        READY.write_text(expected)
    except SetupError as error:
        print(f"\n{error}\nThen run the same command again.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; run the same command again to go on.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
