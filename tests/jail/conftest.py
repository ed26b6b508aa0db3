"""One jail for each tier, shared by all tests here."""

from collections.abc import Iterator

import pytest

from autograder.jail import Jail, JailUnavailable

TIERS = [pytest.param(tier, marks=pytest.mark.xdist_group(f"jail-{tier}")) for tier in "AB"]


@pytest.fixture(scope="session", params=TIERS)
def jail(request: pytest.FixtureRequest) -> Iterator[Jail]:
    """A jail of the tier; skips, with the reason, where the machine does not offer it."""
    try:
        jail = Jail(tier=request.param)
    except JailUnavailable as reason:
        pytest.skip(str(reason))
    with pytest.MonkeyPatch.context() as patch, jail:
        patch.setenv("SECRET_TOKEN", "of the grader")
        yield jail
