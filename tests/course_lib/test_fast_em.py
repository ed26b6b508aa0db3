r"""The fast EM equals the readable one, and refuses what it cannot do well."""

import math

import numpy as np
import pytest
import torch

from course_lib import fast_em, mixture
from course_lib.mixture import MixtureParams

pytestmark = pytest.mark.skipif(
    "config.getoption('--dtype') != 'float64'", reason="computes in float64 whatever it is given"
)


def blobs(num_points, dim, generator):
    centres = 4 * torch.randn(6, dim, generator=generator)
    labels = torch.randint(6, (num_points,), generator=generator)
    mixing = torch.randn(dim, dim, generator=generator)
    return centres[labels] + torch.randn(num_points, dim, generator=generator) @ mixing


def assert_same_path(x, start, num_steps):
    r"""Parameters to 1e-9 and log-likelihoods per point to 1e-9, at every step."""
    path = []
    slow = mixture.fit_em(
        x, start, max_steps=num_steps, tolerance=-math.inf, min_variance=0.0,
        callback=lambda step, params, total: path.append(params),
    )  # fmt: skip
    for step in (1, num_steps // 2, num_steps):
        fast = fast_em.fit_em_fast(x, start, max_steps=step, tolerance=-math.inf)
        for name in ("weights", "loc", "covariance"):
            torch.testing.assert_close(
                getattr(fast.params, name), getattr(path[step], name), rtol=1e-9, atol=1e-9
            )
    torch.testing.assert_close(
        fast.log_likelihoods / len(x), slow.log_likelihoods / len(x), rtol=0, atol=1e-9
    )


@pytest.mark.parametrize("num_components", [1, 2, 4])
def test_equals_readable_em_on_old_faithful(eruptions, generator, num_components):
    start = mixture.init_params(eruptions, num_components, generator=generator)
    assert_same_path(eruptions, start, 40)


@pytest.mark.parametrize("dim", [1, 3, 8])
@pytest.mark.parametrize("limit", [0, 10**9], ids=["torch", "numpy"])
def test_equals_readable_em_in_both_array_modules(generator, monkeypatch, dim, limit):
    monkeypatch.setattr(fast_em, "NUMPY_LIMIT", limit)
    x = blobs(2000, dim, generator)
    assert_same_path(x, mixture.init_params(x, 3, generator=generator), 12)


def test_large_data_takes_torch_and_small_data_numpy():
    small, large = torch.zeros(272, 2), torch.zeros(100_000, 8)
    modules = [fast_em._array_module(x, 2)[0] for x in (small, large)]
    assert modules == [np if small.device.type == "cpu" else torch, torch]


def test_far_from_the_origin_and_in_unequal_units(generator):
    x = blobs(500, 3, generator) * torch.tensor([1e-6, 1.0, 1e6])
    x = x + torch.tensor([1e-3, 1e3, 1e9])
    start = mixture.init_params(x, 3, generator=generator)
    slow = mixture.fit_em(x, start, max_steps=20, tolerance=-math.inf, min_variance=0.0)
    fast = fast_em.fit_em_fast(x, start, max_steps=20, tolerance=-math.inf)
    difference = (fast.log_likelihoods - slow.log_likelihoods).abs().max() / len(x)
    assert difference < 1e-7  # x itself holds 16 digits, of which the offset takes three or more


def test_thinnest_accepted_component_keeps_nine_digits(generator):
    width = 1.1 * math.sqrt(fast_em.THINNEST)
    x = torch.randn(2000, 2, generator=generator)
    x[:1000, 1] = x[:1000, 0] + 2 * width * x[:1000, 1]
    params = MixtureParams(
        weights=torch.full((2,), 0.5),
        loc=torch.zeros(2, 2),
        covariance=torch.stack(
            [torch.tensor([[1.0, 1.0], [1.0, 1.0 + 4 * width**2]]), torch.eye(2)]
        ),
    )
    exact = mixture.log_likelihood(x, params)
    fast = fast_em.fit_em_fast(x, params, max_steps=0).log_likelihoods[0]
    assert (fast - exact).abs() / len(x) < 1e-9


def test_stops_when_a_step_gains_too_little(eruptions, generator):
    start = mixture.init_params(eruptions, 2, generator=generator)
    slow = mixture.fit_em(eruptions, start, min_variance=0.0)
    fast = fast_em.fit_em_fast(eruptions, start)
    assert fast.converged
    assert len(fast.log_likelihoods) == len(slow.log_likelihoods)
    assert not fast_em.fit_em_fast(eruptions, start, max_steps=3).converged


def test_single_precision_goes_in_and_comes_out(eruptions, generator):
    start = mixture.init_params(eruptions, 2, generator=generator)
    fit = fast_em.fit_em_fast(eruptions.float(), start.to(torch.float32))
    assert fit.params.loc.dtype == torch.float32
    assert fit.log_likelihoods[-1].item() == pytest.approx(-1130.26396, abs=1e-2)


def test_collapsing_component_is_refused(generator):
    x = torch.cat([torch.zeros(20, 2), torch.randn(20, 2, generator=generator)])
    start = MixtureParams(
        weights=torch.full((2,), 0.5),
        loc=torch.tensor([[0.0, 0.0], [1.0, 1.0]]),
        covariance=torch.stack([0.01 * torch.eye(2), torch.eye(2)]),
    )
    with pytest.raises(ValueError, match=r"too thin for the fast path.*fit_em.*min_variance"):
        fast_em.fit_em_fast(x, start, max_steps=500, tolerance=-math.inf)


@pytest.mark.parametrize("limit", [0, 10**9], ids=["torch", "numpy"])
def test_component_too_thin_for_nine_digits_is_refused(generator, monkeypatch, limit):
    monkeypatch.setattr(fast_em, "NUMPY_LIMIT", limit)
    x = torch.randn(500, 2, generator=generator)
    for width, accepted in ((1.2, True), (0.8, False)):
        variances = torch.tensor([1.0, width * fast_em.THINNEST]) * x.var(0, correction=0)
        start = MixtureParams(
            weights=torch.ones(1), loc=torch.zeros(1, 2), covariance=variances.diag_embed()[None]
        )
        if accepted:
            fast_em.fit_em_fast(x, start, max_steps=0)
        else:
            with pytest.raises(ValueError, match="too thin for the fast path"):
                fast_em.fit_em_fast(x, start, max_steps=0)


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize("limit", [0, 10**9], ids=["torch", "numpy"])
def test_bad_input_is_refused(make_params, monkeypatch, limit):
    monkeypatch.setattr(fast_em, "NUMPY_LIMIT", limit)
    x, full = torch.randn(40, 2), make_params(2, 2)
    cases = [
        (x, make_params(2, 2, diagonal=True), "diagonal model"),
        (x, make_params(3, 2, 2), "no batch"),
        (torch.randn(40, 31), make_params(2, 31), "at most 30 dimensions"),
        (x[:1], full, "2 components for 1 points"),
        (x * torch.tensor([1.0, 0.0]), full, "drop the constant"),
        (torch.full_like(x, math.nan), full, "NaN or infinite"),
    ]
    for points, start, message in cases:
        with pytest.raises(ValueError, match=message):
            fast_em.fit_em_fast(points, start)
