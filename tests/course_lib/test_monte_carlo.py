r"""Estimators against exact answers, and diagnostics against independent computations."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch.distributions import (
    Categorical,
    Independent,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    StudentT,
)

from course_lib.linear_gaussian import LinearGaussian, naive_log_relative_variance
from course_lib.monte_carlo import (
    draw,
    effective_sample_size,
    importance_log_marginal,
    log_bias,
    log_mean_exp,
    log_weights,
    naive_log_marginal,
    pareto_k,
    resample,
    samples_needed,
    standard_error,
    uniform_log_marginal,
)

ALARM = 5.0  # standard errors: one false alarm in two million


@pytest.fixture
def model(generator) -> LinearGaussian:
    weight = torch.randn(4, 2, generator=generator)
    return LinearGaussian(weight, torch.randn(4, generator=generator), 0.8)


@pytest.fixture
def x(model, generator):
    return model.sample(6, generator=generator)[0]


def diagonal(loc, scale):
    return Independent(Normal(loc, scale), 1)


def wide(model, x):
    posterior = model.posterior(x)
    return MultivariateNormal(posterior.loc, scale_tril=1.4 * posterior.scale_tril)


@pytest.mark.parametrize("size", [-1000.0, 0.0, 1000.0, 1e30])
def test_log_mean_exp_at_any_size(size):
    a = torch.tensor([[0.0, 1.0], [1.0, 3.0]])
    expected = a.exp().mean(0).log() + size
    torch.testing.assert_close(log_mean_exp(a + size), expected)


def test_log_mean_exp_of_other_dimensions_and_zeros():
    a = torch.tensor([[0.0, -math.inf], [-math.inf, -math.inf]])
    assert log_mean_exp(a, dim=1).tolist() == pytest.approx([-math.log(2), -math.inf])
    assert log_mean_exp(a, dim=-1).shape == (2,)


def test_gradient_of_log_mean_exp_is_a_softmax(generator):
    a = torch.randn(5, 3, generator=generator, requires_grad=True)
    log_mean_exp(a).sum().backward()
    torch.testing.assert_close(a.grad, a.softmax(0).detach())


def test_one_draw_from_the_posterior_is_exact(model, x, generator, eps):
    found = importance_log_marginal(x, model.log_joint, model.posterior(x), 1, generator=generator)
    torch.testing.assert_close(found, model.log_marginal(x), rtol=1e3 * eps, atol=1e3 * eps)


@pytest.mark.parametrize("kind", ["naive", "importance", "uniform", "mixture"])
def test_the_mean_is_unbiased(model, generator, kind):
    r"""Many estimates of the same point: their mean, not that of their logarithms, is p(x)."""
    x = model.sample(1, generator=generator)[0].expand(20_000, -1)
    truth, options = model.log_marginal(x[:1]), {"generator": generator}
    if kind == "naive":
        found = naive_log_marginal(x, model.log_likelihood, model.prior(), 4, **options)
    elif kind == "uniform":
        corner = torch.full((2,), 6.0)
        found = uniform_log_marginal(x, model.log_joint, -corner, corner, 20, **options)
    else:
        proposal = wide(model, x)
        if kind == "mixture":
            heavy = Independent(StudentT(5.0, torch.zeros(2, 2), 1.0), 1)
            proposal = MixtureSameFamily(Categorical(torch.ones(2)), heavy)
        found = importance_log_marginal(x, model.log_joint, proposal, 4, **options)
    ratio = (found - truth).exp()
    assert abs(ratio.mean() - 1) < ALARM * ratio.std() / math.sqrt(len(ratio))
    assert found.mean() < truth  # Jensen


def test_naive_error_is_the_predicted_one(model, generator):
    one = model.sample(1, generator=generator)[0]
    found = naive_log_marginal(
        one.expand(4000, -1), model.log_likelihood, model.prior(), 500, generator=generator
    )
    ratio = (found - model.log_marginal(one)).exp()
    predicted = naive_log_relative_variance(model, one).exp() / 500
    torch.testing.assert_close(ratio.var(), predicted[0], rtol=0.3, atol=0)


@pytest.mark.parametrize("chunk_size", [1, 5, 6, 17, 10**6])
def test_chunks_change_nothing(model, x, chunk_size, monkeypatch, eps):
    monkeypatch.setattr("course_lib.monte_carlo.estimators.NUMBERS_PER_BLOCK", 120)
    proposal, pairs = wide(model, x), []

    def log_joint(x, z):
        pairs.append(z.shape[0] * z.shape[1])
        return model.log_joint(x, z)

    first, second = (
        importance_log_marginal(
            x,
            log_joint,
            proposal,
            35,
            chunk_size=size,
            generator=torch.Generator(x.device).manual_seed(3),
        )
        for size in (10**6, chunk_size)
    )
    torch.testing.assert_close(first, second, rtol=100 * eps, atol=100 * eps)
    assert max(pairs[-5:]) <= max(chunk_size, 1)
    assert max(pairs) <= 60


def test_streams_equal_the_weights_all_at_once(model, x, eps):
    proposal = wide(model, x)
    seeds = [torch.Generator(x.device).manual_seed(5) for _ in range(2)]
    _, log_w = log_weights(x, model.log_joint, proposal, 50, generator=seeds[0])
    found = importance_log_marginal(x, model.log_joint, proposal, 50, generator=seeds[1])
    torch.testing.assert_close(found, log_mean_exp(log_w), rtol=100 * eps, atol=100 * eps)


def test_naive_is_importance_sampling_from_the_prior(model, x, eps):
    seeds = [torch.Generator(x.device).manual_seed(5) for _ in range(2)]
    prior = model.prior()
    naive = naive_log_marginal(x, model.log_likelihood, prior, 50, generator=seeds[0])
    found = importance_log_marginal(x, model.log_joint, prior, 50, generator=seeds[1])
    torch.testing.assert_close(naive, found, rtol=1e3 * eps, atol=1e3 * eps)


def test_a_generator_changes_nothing_else(model, x):
    before = torch.get_rng_state()
    first, second = (
        importance_log_marginal(
            x, model.log_joint, model.prior(), 9, generator=torch.Generator().manual_seed(1)
        )
        for _ in range(2)
    )
    assert torch.equal(first, second)
    assert torch.equal(before, torch.get_rng_state())
    generator = torch.Generator().manual_seed(1)
    one, two = (draw(model.prior(), (3,), generator=generator) for _ in range(2))
    assert not torch.equal(one, two)


def test_the_default_generator_comes_back_after_an_error(model, x):
    before = torch.get_rng_state()

    def broken(x, z):
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        importance_log_marginal(x, broken, model.prior(), 9, generator=torch.Generator())
    assert torch.equal(before, torch.get_rng_state())


def test_gradients_flow_into_the_proposal(model, x, generator):
    loc = torch.zeros(len(x), 2, requires_grad=True)
    _, log_w = log_weights(x, model.log_joint, diagonal(loc, 1.0), 5, generator=generator)
    log_w.sum().backward()
    assert loc.grad.abs().min() > 0


def test_draws_where_the_density_is_zero(generator):
    def log_joint(x, z):
        return torch.where(z[..., 0] > 0, 0.0, -math.inf)

    x = torch.zeros(3, 1)
    proposal = diagonal(torch.zeros(3, 1), torch.ones(3, 1))
    far = diagonal(torch.full((3, 1), -40.0), torch.ones(3, 1))
    assert importance_log_marginal(x, log_joint, far, 8, chunk_size=5).tolist() == [-math.inf] * 3
    found = naive_log_marginal(x, log_joint, proposal, 40_000, chunk_size=7, generator=generator)
    torch.testing.assert_close(found, torch.full((3,), -math.log(2)), rtol=0, atol=0.05)


@pytest.mark.parametrize("size", [-1e5, 1e5])
def test_extreme_densities_in_single_precision(size, generator):
    x = torch.zeros(2, 1, dtype=torch.float32)
    prior = diagonal(torch.zeros(1, dtype=torch.float32), torch.ones(1, dtype=torch.float32))
    found = naive_log_marginal(
        x, lambda x, z: z[..., 0] + size, prior, 5000, chunk_size=3, generator=generator
    )
    assert found.dtype == torch.float32
    assert (found - (size + 0.5)).abs().max() < 0.2


def test_effective_sample_size():
    assert effective_sample_size(torch.zeros(8, 2)).tolist() == pytest.approx([8, 8])
    assert effective_sample_size(torch.tensor([-1e4, 0.0, -1e4])).item() == 1
    assert effective_sample_size(torch.full((4,), -math.inf)).item() == 0
    weights = torch.tensor([1.0, 2.0, 3.0])
    for shift in (-1e3, 0.0, 1e3):
        found = effective_sample_size((weights.log() + shift)[None], dim=1)
        assert found.item() == pytest.approx(36 / 14, rel=1e-3)


def test_standard_error_and_bias_are_those_of_the_delta_method(generator):
    w = torch.rand(200, generator=generator) + 0.5
    expected = w.std() / math.sqrt(200) / w.mean()
    for shift in (-1e3, 0.0, 1e3):
        torch.testing.assert_close(standard_error(w.log() + shift), expected, rtol=1e-3, atol=0)
    torch.testing.assert_close(log_bias(w.log()), -0.5 * expected.square())


def test_predicted_error_and_bias_are_seen(generator):
    r"""Log-normal weights: 3000 repetitions of 400 draws."""
    log_w = 0.7 * torch.randn(400, 3000, generator=generator) - 0.7**2 / 2
    found = log_mean_exp(log_w)  # the truth is 0
    torch.testing.assert_close(found.std(), standard_error(log_w).mean(), rtol=0.1, atol=0)
    error = found.std() / math.sqrt(3000)
    assert abs(found.mean() - log_bias(log_w).mean()) < ALARM * error


@pytest.mark.parametrize("k", [0.1, 0.3, 0.5, 0.7, 1.0, 1.5])
def test_pareto_k_of_known_tails(k):
    weights = stats.genpareto.rvs(k, size=(20_000, 20), random_state=1)
    found = pareto_k(torch.as_tensor(np.log(weights)))
    assert abs(found.mean().item() - k) < 0.06


def test_pareto_k_against_maximum_likelihood():
    rng = np.random.default_rng(2)
    weights = np.exp(1.5 * rng.standard_normal(40_000))
    found = pareto_k(torch.as_tensor(np.log(weights))).item()
    rising = np.sort(weights)
    tail = math.ceil(3 * math.sqrt(len(weights)))
    expected, *_ = stats.genpareto.fit(rising[-tail:] - rising[-tail - 1], floc=0)
    assert found == pytest.approx(expected, abs=0.03)


@pytest.mark.parametrize("scale", [0.4, 0.6, 0.75])
def test_pareto_k_of_a_proposal_that_is_too_narrow(scale, generator):
    r"""q = N(0, s) for N(0, 1): w ∝ exp(z²(1/s² − 1)/2) has a tail of shape 1 − s²."""
    z = scale * torch.randn(100_000, 30, generator=generator)
    log_w = 0.5 * z.square() * (1 / scale**2 - 1)
    assert abs(pareto_k(log_w).mean().item() - (1 - scale**2)) < 0.12


def test_pareto_k_of_bounded_and_equal_weights(generator):
    uniform = torch.rand(5000, generator=generator).log()
    assert pareto_k(uniform).item() < -0.7  # a uniform tail has shape −1
    assert pareto_k(torch.full((100, 2), -700.0)).tolist() == [-math.inf] * 2
    assert pareto_k(uniform + 1e3).item() == pytest.approx(pareto_k(uniform).item(), abs=0.05)


def test_pareto_k_when_hardly_any_draw_has_weight():
    log_w = torch.full((100,), -math.inf)
    log_w[:2] = 0.0
    assert pareto_k(log_w).item() == math.inf
    assert pareto_k(torch.linspace(-1e5, 0, 100)).item() == math.inf


def test_pareto_k_of_an_exact_posterior(model, x, generator):
    _, log_w = log_weights(x, model.log_joint, model.posterior(x), 200, generator=generator)
    assert (pareto_k(log_w) < 0.7).all()
    assert pareto_k(log_w.T, dim=1).shape == (6,)


@pytest.mark.parametrize("latent_dim", [1, 3, 8])
def test_samples_needed_for_a_typical_point(latent_dim):
    model = LinearGaussian(torch.eye(latent_dim), torch.zeros(latent_dim), 0.5)
    typical = torch.full((1, latent_dim), math.sqrt(1.25))
    expected = naive_log_relative_variance(model, typical).exp().item() / 0.1**2
    assert samples_needed(latent_dim, 0.1) == pytest.approx(expected, rel=2e-3)
    assert samples_needed(10**5, 0.1) == math.inf


def test_resample_in_proportion_to_the_weights(generator):
    z = torch.arange(3.0)[:, None, None].expand(3, 2, 1)
    log_w = torch.tensor([[0.0, 2.0], [1.0, -math.inf], [2.0, 2.0]])
    found = resample(z, log_w, 50_000, generator=generator)
    assert found.shape == (50_000, 2, 1)
    shares = torch.stack([(found[..., 0] == value).double().mean(0) for value in range(3)])
    torch.testing.assert_close(shares, log_w.softmax(0).double(), rtol=0, atol=0.015)
    assert resample(z[:, 0], log_w[:, 0], 7).shape == (7, 1)


def test_resampled_draws_follow_the_posterior(model, x, generator):
    z, log_w = log_weights(x, model.log_joint, wide(model, x), 20_000, generator=generator)
    found = resample(z, log_w, 20_000, generator=generator)
    torch.testing.assert_close(found.mean(0), model.posterior(x).loc, rtol=0, atol=0.05)


def good(x, z):
    return z.sum(-1)


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": torch.zeros(3)}, r"x has shape \(3,\); expected \(N, D\)"),
        ({"proposal": Normal(torch.zeros(3), 1.0)}, r"event shape \(\); expected \(\) or \(N,\)"),
        ({"proposal": diagonal(torch.zeros(5, 2), 1.0)}, r"batch shape \(5,\)"),
        ({"num_samples": 0}, "num_samples is 0; expected a number above 0"),
        ({"chunk_size": 0}, "chunk_size is 0"),
        (
            {"log_joint": lambda x, z: z},
            r"returned shape \(9, 3, 2\).*expected \(S, N\) = \(9, 3\)",
        ),
        ({"log_joint": lambda x, z: z.sum(-1) * math.nan}, "values that are NaN or"),
        ({"log_joint": lambda x, z: z.sum(-1) + math.inf}, "or -inf for a density of 0"),
    ],
)
def test_bad_input(change, message):
    arguments = {
        "x": torch.zeros(3, 1),
        "log_joint": good,
        "proposal": diagonal(torch.zeros(3, 2), torch.ones(3, 2)),
        "num_samples": 9,
    } | change
    with pytest.raises(ValueError, match=message):
        importance_log_marginal(**arguments)


@pytest.mark.usefixtures("unchecked_shapes")
def test_bad_input_elsewhere():
    with pytest.raises(ValueError, match="expected at least 21 draws"):
        pareto_k(torch.zeros(20))
    with pytest.raises(ValueError, match="at least two draws"):
        standard_error(torch.zeros(1))
    with pytest.raises(ValueError, match="values that are NaN"):
        effective_sample_size(torch.tensor([0.0, math.nan]))
    with pytest.raises(ValueError, match="with at least one draw"):
        log_mean_exp(torch.zeros(0, 3))
    with pytest.raises(ValueError, match="with at least one draw"):
        log_mean_exp(torch.tensor(1.0))
    with pytest.raises(ValueError, match="the first below the second"):
        uniform_log_marginal(torch.zeros(1, 1), good, torch.ones(1), torch.zeros(1), 3)
    with pytest.raises(ValueError, match=r"expected \(S, \*B, M\) and \(S, \*B\)"):
        resample(torch.zeros(4, 2, 1), torch.zeros(4, 3), 2)
    with pytest.raises(ValueError, match="every log weight is -inf"):
        resample(torch.zeros(4, 1), torch.full((4,), -math.inf), 2)
    with pytest.raises(ValueError, match="scale is -1"):
        samples_needed(2, 0.1, scale=-1)
