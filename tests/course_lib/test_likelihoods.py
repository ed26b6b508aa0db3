r"""Each likelihood sums or integrates to 1, and its draws and its mean follow from its density."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, ContinuousBernoulli, Independent

from course_lib.likelihoods import (
    DiscretizedLogistic,
    bernoulli,
    bits_per_dim,
    categorical,
    continuous_bernoulli,
    gaussian,
)

ALARM = 5.0  # standard errors: one false alarm in two million
LOGITS = (-60.0, -9.0, -0.1001, -0.0999, -0.02, 0.0, 1e-9, 0.05, 0.0999, 0.1001, 2.0, 60.0)
LEVELS = 256


def unit_quadrature(num_nodes=400):
    r"""Places in [0, 1] and weights that integrate a polynomial of degree 799 exactly."""
    nodes, weights = np.polynomial.legendre.leggauss(num_nodes)
    return torch.as_tensor(0.5 * nodes + 0.5).to(torch.get_default_dtype()), torch.as_tensor(
        0.5 * weights
    ).to(torch.get_default_dtype())


@pytest.fixture
def levels():
    return torch.arange(float(LEVELS))[:, None] / (LEVELS - 1)


def test_bernoulli_sums_to_one_over_all_images(generator, eps):
    logits = 3 * torch.randn(2, 5, generator=generator)
    images = torch.tensor(list(itertools.product([0.0, 1.0], repeat=5)))
    total = bernoulli(logits).log_prob(images[:, None]).exp().sum(0)
    torch.testing.assert_close(total, torch.ones(2), rtol=100 * eps, atol=0)
    torch.testing.assert_close(bernoulli(logits).mean, logits.sigmoid())


def test_bernoulli_of_logits_that_no_probability_can_hold():
    logits = torch.tensor([-200.0, 200.0])
    assert bernoulli(logits).log_prob(torch.tensor([1.0, 0.0])).item() == pytest.approx(-400)
    assert bernoulli(logits).log_prob(torch.tensor([0.0, 1.0])).item() == pytest.approx(0)


def test_grey_levels_are_taken_but_are_no_density():
    places, weights = unit_quadrature()
    total = weights @ bernoulli(torch.zeros(1)).log_prob(places[:, None]).exp()
    assert total.item() == pytest.approx(0.5)


@pytest.mark.parametrize("logit", LOGITS)
def test_continuous_bernoulli_integrates_to_one(logit):
    places, weights = unit_quadrature()
    found = continuous_bernoulli(torch.tensor([logit]))
    density = found.log_prob(places[:, None]).exp()
    tolerance = 1e-9 if density.dtype == torch.float64 else 1e-4
    assert (weights @ density).item() == pytest.approx(1, abs=tolerance)
    assert (weights @ (places * density)).item() == pytest.approx(found.mean.item(), abs=tolerance)


def test_continuous_bernoulli_is_torchs_where_that_is_exact(generator):
    logits = torch.tensor([[-4.0, -1.0, 0.6, 3.0]])
    x = torch.rand(7, 4, generator=generator)
    torchs = Independent(ContinuousBernoulli(logits=logits), 1)
    ours = continuous_bernoulli(logits)
    torch.testing.assert_close(ours.log_prob(x), torchs.log_prob(x), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(ours.mean, torchs.mean, rtol=1e-5, atol=1e-5)


def test_continuous_bernoulli_in_single_precision_far_out():
    r"""The density at 1 is a / (1 − e^{-a}); torch's own stops growing at a = 16."""
    logits = torch.tensor([30.0, 80.0], dtype=torch.float32)[:, None]
    ours = continuous_bernoulli(logits).log_prob(torch.ones(1, dtype=torch.float32))
    torch.testing.assert_close(ours, logits[:, 0].log(), rtol=1e-5, atol=0)
    assert continuous_bernoulli(logits).mean[:, 0].tolist() == pytest.approx(
        [1 - 1 / 30, 1 - 1 / 80]
    )


@pytest.mark.parametrize("logit", LOGITS)
def test_draws_of_the_continuous_bernoulli(logit):
    draws = continuous_bernoulli(torch.tensor([logit])).sample((20_000,))[:, 0]
    assert ((draws >= 0) & (draws <= 1)).all()
    mean = continuous_bernoulli(torch.tensor([logit])).mean.item()
    assert abs(draws.mean().item() - mean) < ALARM * draws.std().item() / math.sqrt(20_000)


@pytest.mark.parametrize("build", [bernoulli, continuous_bernoulli])
def test_gradients_are_those_of_the_formula(build):
    r"""d log p / d a = x − E[x] for both, at every logit."""
    logits = torch.tensor(LOGITS, requires_grad=True)
    build(logits).log_prob(torch.full((len(LOGITS),), 0.3)).backward()
    expected = 0.3 - build(logits.detach()).mean
    torch.testing.assert_close(logits.grad, expected, rtol=1e-4, atol=1e-5)


def test_gaussian_integrates_to_one_and_takes_any_scale():
    grid = torch.linspace(-20, 20, 4001)
    loc, log_scale = torch.tensor([1.0]), torch.tensor(0.4)
    for scale in (log_scale, 0.4, log_scale.expand(1)):
        density = gaussian(loc, scale).log_prob(grid[:, None]).exp()
        assert torch.trapezoid(density, grid).item() == pytest.approx(1, abs=1e-5)
    constant = -3 * 0.5 * math.log(2 * math.pi) + 3 * 7
    assert gaussian(torch.zeros(3), -7.0).log_prob(torch.zeros(3)).item() == pytest.approx(constant)


def test_categorical_sums_to_one(generator):
    logits = 3 * torch.randn(1, LEVELS, generator=generator)
    total = categorical(logits).log_prob(torch.arange(LEVELS)[:, None]).exp().sum()
    assert total.item() == pytest.approx(1, rel=1e-5)
    image = torch.randint(LEVELS, (4, 6), generator=generator)
    found = categorical(torch.zeros(4, 6, LEVELS)).log_prob(image)
    torch.testing.assert_close(bits_per_dim(-found, 6), torch.full((4,), 8.0))


@pytest.mark.parametrize("loc", [-30.0, -0.3, 0.0, 0.5, 0.999, 4.0])
@pytest.mark.parametrize("log_scale", [-9.0, -4.0, -1.0, 3.0])
def test_discretized_logistic_sums_to_one(levels, loc, log_scale):
    found = DiscretizedLogistic(torch.tensor([loc]), log_scale)
    total = found.log_prob(levels).logsumexp(0)
    assert total.item() == pytest.approx(0, abs=1e-4 if levels.dtype == torch.float32 else 1e-9)
    mean = (found.log_prob(levels).exp() * levels[:, 0]).sum()
    torch.testing.assert_close(found.mean[0], mean, rtol=1e-4, atol=1e-6)


def test_discretized_logistic_is_a_difference_of_sigmoids(levels):
    loc, scale, half = 0.4, math.exp(-2.5), 0.5 / (LEVELS - 1)
    upper, lower = (torch.sigmoid((levels.double() + at - loc) / scale) for at in (half, -half))
    found = DiscretizedLogistic(torch.tensor([loc]), -2.5).log_prob(levels).exp().double()
    torch.testing.assert_close(found[1:-1], (upper - lower)[1:-1, 0], rtol=1e-4, atol=0)


def test_discretized_logistic_far_out_in_single_precision():
    r"""Twenty thousand scales away the naive difference is log 0; here it is linear."""
    loc = torch.tensor([0.0], dtype=torch.float32, requires_grad=True)
    log_scale = torch.tensor(-10.0, dtype=torch.float32, requires_grad=True)
    found = DiscretizedLogistic(loc, log_scale).log_prob(torch.tensor([0.8], dtype=torch.float32))
    expected = -(0.8 - 0.5 / 255) * math.exp(10)
    assert found.item() == pytest.approx(expected, rel=1e-4)
    found.backward()
    assert loc.grad.item() == pytest.approx(math.exp(10), rel=1e-4)
    assert log_scale.grad.isfinite()


def test_draws_of_the_discretized_logistic():
    found = DiscretizedLogistic(torch.tensor([0.2, 0.7]), torch.tensor([-2.0, -1.0]), 4)
    draws = found.sample((20_000,))
    places = torch.arange(4.0)[:, None].expand(4, 2) / 3
    counts = torch.stack([torch.isclose(draws, place).sum(0) for place in places]).to(draws)
    for column in range(2):
        one = DiscretizedLogistic(found.loc[column : column + 1], found.log_scale[column], 4)
        p = one.log_prob(places[:, :1]).exp()
        error = (p * (1 - p) * 20_000).sqrt()
        assert ((counts[:, column] - 20_000 * p).abs() < ALARM * error + 1).all()


def test_two_levels_are_a_bernoulli(generator):
    r"""With the cells meeting at one half, p(1) = sigmoid((μ − ½) / s)."""
    loc = torch.randn(5, generator=generator)
    found = DiscretizedLogistic(loc, 0.3, 2).log_prob(torch.tensor([0.0, 1.0, 1.0, 0.0, 1.0]))
    logits = (loc - 0.5) / math.exp(0.3)
    expected = Bernoulli(logits=logits).log_prob(torch.tensor([0.0, 1.0, 1.0, 0.0, 1.0])).sum()
    torch.testing.assert_close(found, expected)


def test_shapes_types_and_expansion(generator):
    output = torch.randn(3, 4, 6, generator=generator, dtype=torch.float32)
    x = torch.rand(4, 6, generator=generator, dtype=torch.float32)
    for found in (
        bernoulli(output),
        continuous_bernoulli(output),
        gaussian(output, torch.zeros((), dtype=torch.float32)),
        DiscretizedLogistic(output, torch.zeros((), dtype=torch.float32)),
    ):
        assert (found.batch_shape, found.event_shape) == ((3, 4), (6,))
        assert found.log_prob(x).shape == (3, 4)
        assert found.log_prob(x).dtype == found.mean.dtype == torch.float32
        assert found.sample((2,)).shape == (2, 3, 4, 6)
        wide = found.expand((5, 3, 4))
        torch.testing.assert_close(wide.log_prob(x), found.log_prob(x).expand(5, 3, 4))


def test_bad_input():
    with pytest.raises(ValueError, match="num_levels is 1"):
        DiscretizedLogistic(torch.zeros(2), 0.0, 1)
    with pytest.raises(ValueError, match="dim is 0"):
        bits_per_dim(3.0, 0)
