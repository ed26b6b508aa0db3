r"""Probabilistic PCA against dense Gaussians, quadrature, and scikit-learn."""

import math

import pytest
import torch
from sklearn.decomposition import PCA

from course_lib.data import digits
from course_lib.linear_gaussian import (
    LinearGaussian,
    fit_maximum_likelihood,
    mean_field_optimum,
    naive_log_relative_variance,
)
from course_lib.variational import gaussian_kl, log_integral

SIZES = [(5, 2), (2, 2), (2, 4), (1, 1)]


@pytest.fixture(params=SIZES, ids=str)
def model(request, generator) -> LinearGaussian:
    dim, latent_dim = request.param
    weight = torch.randn(dim, latent_dim, generator=generator)
    return LinearGaussian(weight, torch.randn(dim, generator=generator), 0.6)


@pytest.fixture
def x(model, generator):
    return 2 * torch.randn(7, model.dim, generator=generator)


def dense_covariance(model):
    return model.weight @ model.weight.mT + model.scale.square() * torch.eye(model.dim)


def test_evidence_is_that_of_a_dense_gaussian(model, x, eps):
    dense = torch.distributions.MultivariateNormal(model.bias, dense_covariance(model))
    expected = dense.log_prob(x)
    torch.testing.assert_close(model.log_marginal(x), expected, rtol=1e3 * eps, atol=1e3 * eps)
    found = model.marginal().log_prob(x)
    torch.testing.assert_close(found, expected, rtol=1e3 * eps, atol=1e3 * eps)


def test_posterior_is_the_conditional_of_the_joint_gaussian(model, x, eps):
    cross = model.weight.mT @ torch.linalg.inv(dense_covariance(model))  # (M, D)
    posterior = model.posterior(x)
    expected = torch.eye(model.latent_dim) - cross @ model.weight
    tolerance = {"rtol": 1e3 * eps, "atol": 1e3 * eps}
    torch.testing.assert_close(posterior.loc, (x - model.bias) @ cross.mT, **tolerance)
    torch.testing.assert_close(posterior.covariance_matrix[0], expected, **tolerance)
    assert posterior.batch_shape == (len(x),)


def test_bayes_rule_holds_at_every_z(model, x, generator, eps):
    z = torch.randn(3, len(x), model.latent_dim, generator=generator)
    evidence = model.log_joint(x, z) - model.posterior(x).log_prob(z)
    expected = model.log_marginal(x).expand(3, -1)
    torch.testing.assert_close(evidence, expected, rtol=1e4 * eps, atol=1e4 * eps)


def test_log_joint_is_prior_plus_likelihood(model, x, generator, eps):
    z = torch.randn(2, 3, len(x), model.latent_dim, generator=generator)
    expected = model.prior().log_prob(z) + model.likelihood(z).log_prob(x)
    tolerance = {"rtol": 1e3 * eps, "atol": 1e3 * eps}
    torch.testing.assert_close(model.log_joint(x, z), expected, **tolerance)
    expected = model.likelihood(z[0, 0]).log_prob(x)
    torch.testing.assert_close(model.log_likelihood(x, z[0, 0]), expected, **tolerance)


def test_evidence_is_the_integral_of_the_joint(generator):
    model = LinearGaussian(torch.tensor([[1.5], [-0.5]]), torch.tensor([0.3, 1.0]), 0.4)
    x = torch.tensor([[1.0, 0.5]])
    grid = torch.linspace(-8, 8, 2001)
    log_joint = model.log_joint(x, grid[:, None, None])[:, 0]
    torch.testing.assert_close(
        log_integral(log_joint, grid), model.log_marginal(x)[0], rtol=1e-5, atol=1e-5
    )


def test_gradients_reach_every_parameter(model, x):
    model.requires_grad_()
    z = torch.zeros(len(x), model.latent_dim)
    model.log_joint(x, z).sum().backward()
    joint = [parameter.grad.clone() for parameter in model.parameters()]
    with torch.no_grad():
        residual = x - model.bias
    torch.testing.assert_close(joint[1], residual.sum(0) / model.scale.detach().square())
    model.zero_grad()
    model.log_marginal(x).sum().backward()
    expected = torch.distributions.MultivariateNormal(model.bias, dense_covariance(model)).log_prob(
        x
    )
    grads = torch.autograd.grad(expected.sum(), list(model.parameters()))
    for found, wanted in zip(model.parameters(), grads, strict=True):
        torch.testing.assert_close(found.grad, wanted, rtol=2e-3, atol=2e-3)


def test_samples_have_the_moments_of_the_model(generator):
    model = LinearGaussian(torch.tensor([[1.0], [2.0]]), torch.tensor([3.0, -1.0]), 0.5)
    x, z = model.sample(200_000, generator=generator)
    assert x.shape == (200_000, 2)
    assert z.shape == (200_000, 1)
    torch.testing.assert_close(x.mean(0), model.bias, rtol=0, atol=0.03)
    torch.testing.assert_close(x.T.cov(), dense_covariance(model), rtol=0, atol=0.08)
    torch.testing.assert_close((x * z).mean(0), model.weight[:, 0], rtol=0, atol=0.05)


def test_a_part_of_x_follows_the_part_of_the_model(model, x, eps):
    keep = torch.arange(model.dim) < (model.dim + 1) // 2
    part = model.observe(keep)
    covariance = dense_covariance(model)[keep][:, keep]
    dense = torch.distributions.MultivariateNormal(model.bias[keep], covariance)
    torch.testing.assert_close(
        part.log_marginal(x[:, keep]), dense.log_prob(x[:, keep]), rtol=1e3 * eps, atol=1e3 * eps
    )
    by_number = model.observe(keep.nonzero()[:, 0])
    assert torch.equal(by_number.weight, part.weight)


def test_maximum_likelihood_agrees_with_scikit_learn():
    x = digits()[0].cpu()
    model = fit_maximum_likelihood(x, 6)
    reference = PCA(6).fit(x.numpy())
    scale = math.sqrt(1 - 1 / len(x))  # scikit-learn divides by N − 1
    torch.testing.assert_close(
        model.scale.square().item(), reference.noise_variance_ * scale**2, rtol=1e-9, atol=0
    )
    direction = torch.nn.functional.normalize(model.weight, dim=0)
    overlap = direction.mT @ torch.as_tensor(reference.components_.T)
    torch.testing.assert_close(overlap.abs(), torch.eye(6, dtype=x.dtype), rtol=0, atol=1e-8)
    assert (model.weight.gather(0, model.weight.abs().argmax(0, keepdim=True)) > 0).all()


def test_maximum_likelihood_has_no_gradient_left(generator):
    x = torch.randn(300, 4, generator=generator) @ torch.randn(4, 4, generator=generator)
    model = fit_maximum_likelihood(x, 2).requires_grad_()
    (-model.log_marginal(x).mean()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad.abs().max() < 1e-3, name


def test_mean_field_optimum_is_a_minimum_of_the_divergence(model, x):
    posterior = model.posterior(x)
    loc, scale = (value.clone().requires_grad_() for value in mean_field_optimum(model, x))
    q = torch.distributions.Independent(torch.distributions.Normal(loc, scale.expand_as(loc)), 1)
    gradients = torch.autograd.grad(gaussian_kl(q, posterior).sum(), [loc, scale])
    assert max(gradient.abs().max() for gradient in gradients) < 1e-3
    exact = posterior.covariance_matrix[0].diagonal().sqrt()
    assert (scale <= exact * (1 + 1e-5)).all()


def test_relative_variance_of_naive_draws_by_quadrature():
    model = LinearGaussian(torch.tensor([[0.8]]), torch.tensor([0.2]), 0.5)
    x, grid = torch.tensor([[1.3]]), torch.linspace(-9, 9, 2001)
    log_prior = model.prior().log_prob(grid[:, None])
    log_likelihood = model.log_likelihood(x, grid[:, None, None])[:, 0]
    second, first = (log_integral(log_prior + n * log_likelihood, grid) for n in (2, 1))
    expected = torch.log(torch.expm1(second - 2 * first))
    torch.testing.assert_close(
        naive_log_relative_variance(model, x)[0], expected, rtol=1e-4, atol=1e-4
    )


def test_a_weight_of_zero_makes_naive_draws_exact():
    model = LinearGaussian(torch.zeros(3, 2), torch.zeros(3), 1.0)
    assert naive_log_relative_variance(model, torch.zeros(1, 3)).exp().item() < 1e-5


def test_extreme_values_in_single_precision():
    weight = torch.tensor([[1e3, 0.0], [1e3, 1e-3], [0.0, 1.0]], dtype=torch.float32)
    for scale in (1e-2, 1e4):
        model = LinearGaussian(weight, torch.zeros(3, dtype=torch.float32), scale)
        x = torch.tensor([[1e2, 1e2, 1.0], [0.0, 0.0, 0.0]], dtype=torch.float32)
        found = model.log_marginal(x)
        truth = LinearGaussian(weight.double(), torch.zeros(3, dtype=torch.float64), scale)
        torch.testing.assert_close(
            found.double(), truth.log_marginal(x.double()), rtol=0.02, atol=1
        )
        assert found.dtype == torch.float32


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.ones(3), torch.zeros(3), 1.0), r"shapes \(3,\) and \(3,\); expected \(D, M\)"),
        ((torch.ones(3, 2), torch.zeros(2), 1.0), r"expected \(D, M\) and \(D,\)"),
        ((torch.ones(3, 0), torch.zeros(3), 1.0), "at least one observed and one hidden"),
        ((torch.ones(3, 2), torch.zeros(3), 0.0), "scale is 0.0; expected one positive"),
        ((torch.ones(3, 2), torch.zeros(3), math.nan), "scale holds 1 values that are NaN"),
        ((torch.ones(3, 2), torch.full((3,), math.inf), 1.0), "bias holds 3 values"),
        ((torch.ones(3, 2, dtype=torch.float16), torch.zeros(3), 1.0), "one floating-point type"),
    ],
)
def test_bad_parameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        LinearGaussian(*arguments)


@pytest.mark.usefixtures("unchecked_shapes")
def test_bad_points_and_latents():
    model = LinearGaussian(torch.ones(3, 2), torch.zeros(3), 1.0)
    with pytest.raises(ValueError, match=r"x has shape \(3,\); expected \(N, 3\)"):
        model.log_marginal(torch.zeros(3))
    with pytest.raises(ValueError, match=r"z has shape \(5, 2\); expected \(N, M\) = \(4, 2\)"):
        model.log_joint(torch.zeros(4, 3), torch.zeros(5, 2))


@pytest.mark.usefixtures("unchecked_shapes")
@pytest.mark.parametrize("latent_dim", [0, 3])
def test_bad_latent_dim(latent_dim):
    with pytest.raises(ValueError, match="expected at least 1 and at most 2"):
        fit_maximum_likelihood(torch.randn(10, 3), latent_dim)


def test_data_without_noise_has_no_maximum():
    x = torch.arange(10.0)[:, None] * torch.ones(3)
    with pytest.raises(ValueError, match="directions explain all of the 10 points"):
        fit_maximum_likelihood(x, 1)
