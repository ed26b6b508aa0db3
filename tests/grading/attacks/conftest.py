"""One jail for all attacks of a tier, and one place where they may be tried."""

import ctypes
from collections.abc import Iterator

import pytest

from attack_range import Range
from autograder.jail import Jail, JailUnavailable, Limits

LIMITS = Limits(
    seconds_per_call=0.6,
    seconds_per_exercise=1.0,
    seconds_per_submission=10.0,
    memory_mb=512,
    disk_mb=16,
)
TIERS = [pytest.param(tier, marks=pytest.mark.xdist_group(f"attacks-{tier}")) for tier in "AB"]
SET_CHILD_SUBREAPER = 36


@pytest.fixture(scope="module", params=TIERS)
def jail(request: pytest.FixtureRequest) -> Iterator[Jail]:
    """A jail of the tier; skips, with the reason, where the machine does not offer it."""
    # whatever outlives its session becomes a child of this process, and is found
    ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        jail = Jail(tier=request.param, limits=LIMITS)
    except JailUnavailable as reason:
        pytest.skip(str(reason))
    with pytest.MonkeyPatch.context() as patch, jail:
        patch.setenv("SECRET_TOKEN", "secret of the environment")
        jail.open().close()
        yield jail
    ctypes.CDLL(None).prctl(SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@pytest.fixture(scope="module")
def arena() -> Iterator[Range]:
    with Range() as arena:
        yield arena
