r"""Device and precision of the tests of `course_lib`; data and mixtures that several use."""

import functools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.distributions import Distribution, Independent, MultivariateNormal, Normal

from course_lib.data import old_faithful
from course_lib.linear_gaussian import LinearGaussian
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


@pytest.fixture
def model(generator: torch.Generator) -> LinearGaussian:
    r"""A linear-Gaussian model with four values and two hidden ones."""
    weight = torch.randn(4, 2, generator=generator)
    return LinearGaussian(weight, torch.randn(4, generator=generator), 0.8)


@pytest.fixture
def x(model: LinearGaussian, generator: torch.Generator) -> Tensor:
    r"""Six points of the linear-Gaussian model."""
    return model.sample(6, generator=generator)[0]


@pytest.fixture(params=["full", "diagonal"])
def q(request: pytest.FixtureRequest, generator: torch.Generator) -> Distribution:
    r"""A Gaussian for each of the six points."""
    loc = torch.randn(6, 2, generator=generator)
    root = 0.5 * torch.randn(6, 2, 2, generator=generator)
    if request.param == "diagonal":
        return Independent(Normal(loc, 0.3 + root[..., 0].abs()), 1)
    return MultivariateNormal(loc, root @ root.mT + 0.2 * torch.eye(2))


@pytest.fixture
def browser():
    r"""A headless Chromium."""
    from playwright.sync_api import sync_playwright

    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("needs Chromium (Debian: apt-get install chromium)")
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=path, args=["--no-sandbox"]) as browser,
    ):
        yield browser


@pytest.fixture
def page_of(tmp_path: Path) -> Callable[..., str]:
    r"""The address of a plain HTML page with figures on it."""

    def write(*figures) -> str:
        page = tmp_path / "page.html"
        body = "".join(figure._repr_html_() for figure in figures)
        page.write_text(f"<!doctype html><meta charset=utf-8>{body}", encoding="utf-8")
        return page.as_uri()

    return write
