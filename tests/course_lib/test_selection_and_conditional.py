r"""Choosing K, conditioning one coordinate on another, quantiles."""

import math

import pytest
import scipy.integrate
import scipy.stats
import torch

from course_lib import mixture
from course_lib.mixture import ScalarMixture


def standard(level_shape=()):
    one = torch.ones(*level_shape, 1)
    return ScalarMixture(weights=one, loc=0 * one, scale=one)


@pytest.mark.parametrize(
    ("num_components", "diagonal", "log_likelihood", "expected"),
    [
        (1, False, -1289.7967, 2607.6225),
        (2, False, -1130.2640, 2322.1917),
        (2, True, -1147.8064, 2346.0649),
        (3, False, -1119.2140, 2333.7266),
    ],
)
def test_bic_is_mclusts(num_components, diagonal, log_likelihood, expected):
    given = mixture.bic(log_likelihood, num_components, 2, 272, diagonal=diagonal)
    assert given == pytest.approx(expected, abs=5e-3)


@pytest.mark.parametrize("diagonal", [False, True])
def test_free_parameters_are_those_of_the_module(diagonal):
    module = mixture.GaussianMixture(4, 3, diagonal=diagonal)
    unused = 0 if diagonal else 4 * 3 * (3 + 1) // 2  # of `lower`: the diagonal and what is above
    entries = sum(parameter.numel() for parameter in module.parameters())
    one_for_the_sum_of_weights = 1
    given = mixture.num_free_parameters(4, 3, diagonal=diagonal)
    assert given == entries - unused - one_for_the_sum_of_weights


@pytest.mark.parametrize(("given", "target"), [(0, 1), (1, 0)])
def test_conditional_times_marginal_is_joint(params, given, target):
    observed = 0.7
    values = torch.linspace(-4, 4, 9)
    points = torch.empty(9, 2)
    points[:, given], points[:, target] = observed, values
    conditional = mixture.condition(params, observed, given=given, target=target)
    density = sum(
        weight * scipy.stats.norm(loc, scale).pdf(values.cpu().double().numpy())
        for weight, loc, scale in zip(*(field.tolist() for field in conditional), strict=True)
    )
    covariance = params.covariance.diag_embed() if params.is_diagonal else params.covariance
    marginal = sum(
        weight * scipy.stats.norm(loc, math.sqrt(variance)).pdf(observed)
        for weight, loc, variance in zip(
            params.weights.tolist(),
            params.loc[:, given].tolist(),
            covariance[:, given, given].tolist(),
            strict=True,
        )
    )
    joint = mixture.log_density(points, params).exp().cpu().double().numpy()
    assert density * marginal == pytest.approx(joint, rel=1e-4)


def test_several_observations_are_conditioned_on_together(params):
    observed = torch.tensor([-1.0, 0.5, 2.0])
    together = mixture.condition(params, observed, given=0, target=1)
    assert [tuple(field.shape) for field in together] == [(3, 3)] * 3
    single = mixture.condition(params, 0.5, given=0, target=1)
    for batch, one in zip(together, single, strict=True):
        torch.testing.assert_close(batch[1], one)


def test_far_observation_keeps_finite_weights(params):
    conditional = mixture.condition(params, 1e4, given=0, target=1)
    assert all(field.isfinite().all() for field in conditional)
    torch.testing.assert_close(conditional.weights.sum(), torch.tensor(1.0))


@pytest.mark.parametrize("level", [1e-6, 0.1, 0.5, 0.975])
def test_quantile_of_one_gaussian_is_scipys(level):
    given = mixture.quantile(standard(), level).item()
    assert given == pytest.approx(scipy.stats.norm.ppf(level), rel=1e-3, abs=1e-6)


def test_quantile_inverts_the_distribution_function(params):
    conditional = mixture.condition(params, torch.tensor([-1.0, 0.5, 2.0]), given=0, target=1)
    level = torch.tensor([0.05, 0.5, 0.9])
    value = mixture.quantile(conditional, level)
    torch.testing.assert_close(mixture.cdf(conditional, value), level)


def test_quantile_minimises_the_expected_cost(params):
    r"""E[a max(W - t, 0) + b max(t - W, 0)] is least at the quantile of level a / (a + b)."""
    conditional = mixture.condition(params, 0.5, given=0, target=1)

    def cost(time, early=1.0, late=9.0):
        def integrand(waiting):
            density = sum(
                weight * scipy.stats.norm.pdf(waiting, loc, scale)
                for weight, loc, scale in zip(*(f.tolist() for f in conditional), strict=True)
            )
            return density * (early * max(waiting - time, 0) + late * max(time - waiting, 0))

        return scipy.integrate.quad(integrand, -20, 20, points=[time], limit=200)[0]

    best = mixture.quantile(conditional, 0.1).item()
    assert cost(best) < min(cost(best - 0.05), cost(best + 0.05))


def test_cdf_rises_from_zero_to_one(params):
    conditional = mixture.condition(params, 0.5, given=0, target=1)
    values = mixture.cdf(conditional, torch.linspace(-50, 50, 200))
    assert values.diff().min() >= 0
    assert values[0].item() == pytest.approx(0, abs=1e-6)
    assert values[-1].item() == pytest.approx(1, abs=1e-6)
