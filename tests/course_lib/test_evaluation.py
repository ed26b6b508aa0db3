r"""Evaluation of a VAE against a linear one, whose evidence and posterior are known."""

import math

import pytest
import torch

from course_lib.evaluation import (
    active_units,
    amortization_gap,
    kl_per_dimension,
    log_marginal,
)
from course_lib.monte_carlo import log_weights, standard_error
from course_lib.priors import MixturePrior
from course_lib.vae import VAE, LinearVAE, elbo_terms
from course_lib.variational import gaussian_kl

ALARM = 5.0  # standard errors: one false alarm in two million
DIM, LATENT = 6, 2


@pytest.fixture
def exact(generator) -> LinearVAE:
    r"""A linear VAE with orthogonal columns in W, whose q is the posterior."""
    vae = LinearVAE(DIM, LATENT)
    basis = torch.linalg.qr(torch.randn(DIM, LATENT, generator=generator))[0]
    weight, log_scale = basis * torch.tensor([1.5, 0.7]), torch.tensor(-0.4)
    bias = torch.randn(DIM, generator=generator)
    precision = 1 + weight.square().sum(0) * (-2 * log_scale).exp()  # its diagonal, (M,)
    map_to_z = (weight / precision * (-2 * log_scale).exp()).mT
    with torch.no_grad():
        vae.decoder[0].weight.copy_(weight)
        vae.decoder[0].bias.copy_(bias)
        vae.log_scale.copy_(log_scale)
        vae.encoder.loc.weight.copy_(map_to_z)
        vae.encoder.loc.bias.copy_(-map_to_z @ bias)
        vae.encoder.log_var.copy_(-precision.log())
    return vae


@pytest.fixture
def off(exact) -> LinearVAE:
    r"""The same model with a worse encoder."""
    with torch.no_grad():
        exact.encoder.loc.bias.add_(0.4)
        exact.encoder.log_var.add_(0.8)
    return exact


@pytest.fixture
def x(generator):
    return torch.randn(8, DIM, generator=generator)


def test_one_draw_from_the_posterior_is_exact(exact, x, eps):
    found = log_marginal(exact, x, 1)
    expected = exact.to_linear_gaussian().log_marginal(x)
    torch.testing.assert_close(found, expected, rtol=1e3 * eps, atol=1e3 * eps)
    assert not found.requires_grad


def test_many_draws_from_a_worse_encoder_are_near(off, x, generator):
    found = log_marginal(off, x, 4000, generator=generator)
    error = standard_error(log_weights(x, off.log_joint, off.posterior(x), 4000)[1])
    assert ((found - off.to_linear_gaussian().log_marginal(x)).abs() < ALARM * error).all()


def test_pieces_do_not_change_the_estimate(off, x, generator):
    found = [
        log_marginal(
            off, x, 50, chunk_size=size, generator=torch.Generator(x.device).manual_seed(0)
        )
        for size in (7, 2500)
    ]
    torch.testing.assert_close(*found)


def test_kl_per_dimension_adds_up_to_the_rate(x):
    vae = VAE(DIM, 3, hidden=(8,))
    found = kl_per_dimension(vae, x)
    assert found.shape == (3,)
    torch.testing.assert_close(found.sum(), elbo_terms(vae, x)[0].mean())


def test_a_collapsed_dimension_is_not_active(exact, x):
    assert active_units(exact, x) == 2
    with torch.no_grad():
        exact.encoder.loc.weight[1] = 0.0
        exact.encoder.loc.bias[1] = 3.0  # far from 0, but the same for every x
    assert active_units(exact, x) == 1
    with torch.no_grad():
        exact.encoder.loc.bias[1] = exact.encoder.log_var[1] = 0.0
    assert kl_per_dimension(exact, x)[1] == 0


def test_the_threshold_is_a_variance(exact):
    x = torch.zeros(2, DIM)
    with torch.no_grad():
        exact.encoder.loc.weight.zero_()
        exact.encoder.loc.weight[:, 0] = torch.tensor([1.0, 2.0])
    x[1, 0] = math.sqrt(2) * 0.15  # variances 0.15² and 0.3²
    assert active_units(exact, x, threshold=0.0224) == 2
    assert active_units(exact, x, threshold=0.0226) == 1


def test_no_gap_where_the_encoder_is_exact(exact, x, generator):
    gap = amortization_gap(exact, x, 20, num_eval_samples=50, generator=generator)
    assert gap.shape == (8,)
    assert (gap >= 0).all()
    assert gap.max() < 1e-5


def test_the_gap_is_the_divergence_that_a_better_q_removes(off, x, generator):
    expected = gaussian_kl(off.posterior(x), off.to_linear_gaussian().posterior(x))
    gap = amortization_gap(
        off, x, 200, learning_rate=0.05, num_eval_samples=4000, generator=generator
    )
    torch.testing.assert_close(gap, expected.detach(), rtol=0.1, atol=0.02)


def test_the_gap_leaves_the_model_alone(off, x, generator):
    before = {name: value.clone() for name, value in off.state_dict().items()}
    amortization_gap(off, x, 3, generator=generator)
    assert all(torch.equal(value, before[name]) for name, value in off.state_dict().items())
    assert all(value.grad is None for value in off.parameters())


def test_the_gap_of_a_network_is_not_negative(x, generator):
    vae = VAE(DIM, LATENT, hidden=(8,), prior=MixturePrior(LATENT, 3))
    gap = amortization_gap(vae, x.sigmoid(), 30, generator=generator)
    assert (gap >= 0).all()
    assert gap.max() > 1e-3


@pytest.mark.usefixtures("unchecked_shapes")
def test_bad_input(exact, x):
    with pytest.raises(ValueError, match="x holds 6 values that are NaN"):
        log_marginal(exact, torch.full((1, DIM), torch.nan), 3)
    with pytest.raises(ValueError, match="num_samples is 0"):
        log_marginal(exact, x, 0)
    with pytest.raises(ValueError, match="expected at least two"):
        active_units(exact, x[:1])
    with pytest.raises(ValueError, match=r"expected \(N, 6\)"):
        kl_per_dimension(exact, x[:, :5])
    with pytest.raises(ValueError, match="num_steps is 0"):
        amortization_gap(exact, x, 0)
    exact.learned_prior = MixturePrior(LATENT, 2)
    with pytest.raises(ValueError, match="the prior of this model is learned"):
        kl_per_dimension(exact, x)
