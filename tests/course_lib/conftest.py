r"""Device and precision of the tests of `course_lib`; data and mixtures that several use."""

import functools
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from course_lib.data import old_faithful
from course_lib.mixture import MixtureParams


@pytest.fixture(autouse=True)
def default_device_and_dtype(pytestconfig: pytest.Config) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_device(pytestconfig.getoption("device"))
    torch.set_default_dtype(getattr(torch, pytestconfig.getoption("dtype")))
    try:
        yield
    finally:
        torch.set_default_device(None)
        torch.set_default_dtype(before)


@pytest.fixture
def eps() -> float:
    r"""The rounding error of the precision under test."""
    return torch.finfo(torch.get_default_dtype()).eps


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator(torch.get_default_device()).manual_seed(0)


@pytest.fixture
def eruptions() -> Tensor:
    return old_faithful().to(torch.get_default_device(), torch.get_default_dtype())


def _random_params(
    *shape: int, diagonal: bool = False, generator: torch.Generator | None = None
) -> MixtureParams:
    *batch, dim = shape
    root = torch.randn(*batch, dim, dim, generator=generator)
    covariance = root @ root.mT / dim + 0.3 * torch.eye(dim)
    return MixtureParams(
        weights=torch.randn(*batch, generator=generator).softmax(-1),
        loc=2 * torch.randn(*batch, dim, generator=generator),
        covariance=covariance.diagonal(dim1=-2, dim2=-1).clone() if diagonal else covariance,
    )


@pytest.fixture
def make_params(generator: torch.Generator) -> Callable[..., MixtureParams]:
    r"""make_params(*B, K, D, diagonal=False) draws a mixture with well-conditioned covariances."""
    return functools.partial(_random_params, generator=generator)


@pytest.fixture(params=[False, True], ids=["full", "diagonal"])
def params(
    request: pytest.FixtureRequest, make_params: Callable[..., MixtureParams]
) -> MixtureParams:
    r"""Three components in two dimensions."""
    return make_params(3, 2, diagonal=request.param)


@pytest.fixture
def points(generator: torch.Generator) -> Tensor:
    return 3 * torch.randn(50, 2, generator=generator)
