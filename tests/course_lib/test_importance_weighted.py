r"""The importance-weighted bound and the gradients of it against exact answers."""

import math

import pytest
import torch
from torch.distributions import Independent, MultivariateNormal, Normal

from course_lib.monte_carlo import log_weights, standard_error
from course_lib.variational import (
    dreg_surrogate,
    elbo_three_ways,
    iwae_bound,
    one_draw_iwae_bound,
    stop_gradient,
)

ALARM = 5.0  # standard errors: one false alarm in two million


def test_iwae_rises_from_the_elbo_to_the_evidence(model, x, generator):
    q = Independent(Normal(torch.zeros(6, 2), torch.ones(6, 2)), 1)
    _, log_w = log_weights(x, model.log_joint, q, 60_000, generator=generator)
    means, errors = [], []
    for size in (1, 3, 10, 100, 1000):
        bounds = iwae_bound(log_w.reshape(size, -1, 6).flatten(1)).reshape(-1, 6)
        means.append(bounds.mean(0))
        errors.append(bounds.std(0) / math.sqrt(len(bounds)))
    exact = elbo_three_ways(model, x, q)[0]
    assert ((means[0] - exact).abs() < ALARM * errors[0]).all()
    for low, high, error in zip(means[:-1], means[1:], errors[1:], strict=True):
        assert (high > low - ALARM * error).all()
    slack = ALARM * standard_error(log_w)
    assert (means[-1] < model.log_marginal(x) + slack).all()


def test_iwae_is_exact_with_the_posterior(model, x, generator, eps):
    _, log_w = log_weights(x, model.log_joint, model.posterior(x), 3, generator=generator)
    torch.testing.assert_close(
        iwae_bound(log_w), model.log_marginal(x), rtol=1e3 * eps, atol=1e3 * eps
    )


def gradients_of(bound, full, repetitions=40_000):
    r"""With respect to the mean and the log scale of one q, over and over."""
    loc = torch.full((repetitions, 2), 0.3).requires_grad_()
    log_scale = torch.full((repetitions, 2), -0.4).requires_grad_()
    if full:
        q = MultivariateNormal(loc, scale_tril=log_scale.exp().diag_embed())
    else:
        q = Independent(Normal(loc, log_scale.exp()), 1)
    value = bound(q)
    value.sum().backward()
    return torch.cat([loc.grad, log_scale.grad], -1), value.detach()


def assert_same_mean(first, second):
    error = torch.sqrt((first.var(0) + second.var(0)) / len(first))
    assert ((first.mean(0) - second.mean(0)).abs() < ALARM * error).all()


@pytest.mark.parametrize("full", [True, False])
def test_dreg_and_one_draw_are_unbiased_gradients_of_the_iwae_bound(model, generator, full):
    r"""Means agree over 40 000 repetitions; DReG varies less than the whole sum, one draw more."""
    x = model.sample(1, generator=generator)[0].expand(40_000, -1)
    given = (x, model.log_joint)
    plain, bound = gradients_of(
        lambda q: iwae_bound(log_weights(*given, q, 5, generator=generator)[1]), full
    )
    dreg, _ = gradients_of(lambda q: dreg_surrogate(*given, q, 5, generator=generator), full)
    one, same_bound = gradients_of(
        lambda q: one_draw_iwae_bound(*given, q, 5, generator=generator), full
    )
    assert_same_mean(plain, dreg)
    assert_same_mean(plain, one)
    assert_same_mean(bound, same_bound)
    assert (dreg.var(0) < plain.var(0)).all()
    assert (plain.var(0) < one.var(0)).all()


def test_one_draw_gives_the_model_an_unbiased_gradient_too(model, generator):
    x = model.sample(1, generator=generator)[0].expand(40_000, -1)
    q = Independent(Normal(torch.full((2,), 0.3), torch.full((2,), 0.7)), 1)
    found = []
    for bound in (
        lambda log_joint: iwae_bound(log_weights(x, log_joint, q, 5, generator=generator)[1]),
        lambda log_joint: one_draw_iwae_bound(x, log_joint, q, 5, generator=generator),
    ):
        bias = torch.zeros(len(x), x.shape[1]).requires_grad_()  # one for each repetition
        bound(lambda x, z, bias=bias: model.log_joint(x - bias, z)).sum().backward()
        found.append(bias.grad)
    assert_same_mean(*found)


@pytest.mark.parametrize("bound", [dreg_surrogate, one_draw_iwae_bound])
def test_one_q_for_all_points(model, x, bound):
    loc = torch.zeros(2, requires_grad=True)
    bound(x, model.log_joint, Independent(Normal(loc, torch.ones(2)), 1), 4).sum().backward()
    assert loc.grad.abs().min() > 0


def test_stop_gradient(q):
    loc = q.mean.clone().requires_grad_()
    moving = MultivariateNormal(loc, scale_tril=torch.eye(2))
    assert not stop_gradient(moving).loc.requires_grad
    assert torch.equal(stop_gradient(q).log_prob(loc.detach()), q.log_prob(loc.detach()))
