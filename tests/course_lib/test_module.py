r"""The `nn.Module` and the gradient fit."""

import pytest
import torch

from course_lib import mixture
from course_lib.mixture import GaussianMixture


def test_module_describes_the_same_mixture(points, params):
    module = GaussianMixture.from_params(params)
    torch.testing.assert_close(module().log_prob(points), mixture.log_density(points, params))
    back = module.params()
    for name in ("weights", "loc", "covariance"):
        torch.testing.assert_close(getattr(back, name), getattr(params, name))


def test_forward_is_a_distribution_that_samples(params, generator):
    distribution = GaussianMixture.from_params(params)()
    assert isinstance(distribution, torch.distributions.MixtureSameFamily)
    assert distribution.sample((7,)).shape == (7, 2)
    torch.testing.assert_close(distribution.mean, params.weights @ params.loc)


@pytest.mark.parametrize("diagonal", [False, True])
def test_any_real_parameters_give_a_valid_mixture(diagonal):
    torch.manual_seed(0)
    module = GaussianMixture(3, 4, diagonal=diagonal)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(2 * torch.randn_like(parameter))
    x = torch.randn(5, 4)
    torch.testing.assert_close(
        module().log_prob(x), mixture.log_density(x, module.params()), rtol=1e-3, atol=1e-3
    )


def test_every_parameter_gets_a_gradient(points, params):
    module = GaussianMixture.from_params(params)
    module().log_prob(points).sum().backward()
    for parameter in module.parameters():
        assert parameter.grad.abs().sum() > 0


@pytest.mark.parametrize("diagonal", [False, True])
def test_gradient_reaches_the_optimum_of_em(eruptions, generator, diagonal):
    start = mixture.init_params(eruptions, 2, diagonal=diagonal, generator=generator)
    by_gradient = mixture.fit_gradient(eruptions, start, num_steps=600)
    by_em = mixture.fit_em(eruptions, start)
    double = eruptions.dtype == torch.float64
    assert by_gradient.log_likelihoods[-1].item() == pytest.approx(
        by_em.log_likelihoods[-1].item(), abs=1e-4 if double else 1e-1
    )
    torch.testing.assert_close(
        by_gradient.params.sorted_by_loc().loc, by_em.params.sorted_by_loc().loc,
        rtol=1e-2, atol=1e-2,
    )  # fmt: skip
    assert by_gradient.converged
    assert len(by_gradient.log_likelihoods) == 601


def test_gradient_history_is_in_the_units_of_the_data(eruptions, generator):
    start = mixture.init_params(eruptions, 2, generator=generator)
    fit = mixture.fit_gradient(eruptions, start, num_steps=3)
    torch.testing.assert_close(fit.log_likelihoods[0], mixture.log_likelihood(eruptions, start))
    torch.testing.assert_close(
        fit.log_likelihoods[-1], mixture.log_likelihood(eruptions, fit.params)
    )
    assert not fit.converged


def test_gradient_fit_leaves_the_random_state_and_stderr_alone(eruptions, generator, capsys):
    start = mixture.init_params(eruptions, 2, generator=generator)
    before = torch.get_rng_state()
    mixture.fit_gradient(eruptions, start, num_steps=5)
    assert torch.equal(torch.get_rng_state(), before)
    assert capsys.readouterr().err == ""
