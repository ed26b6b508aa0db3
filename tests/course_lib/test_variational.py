r"""Bounds, divergences and gradients against closed forms, finite sums and autograd."""

import math

import pytest
import torch
from torch.distributions import (
    Bernoulli,
    Exponential,
    Independent,
    MultivariateNormal,
    Normal,
    kl_divergence,
)

from course_lib import mixture
from course_lib.linear_gaussian import mean_field_optimum
from course_lib.monte_carlo import log_weights
from course_lib.variational import (
    BinaryLatentModel,
    best_baseline,
    elbo,
    elbo_three_ways,
    fit_gaussian_vi,
    forward_kl,
    gaussian_kl,
    log_integral,
    reparam_grad,
    reverse_kl,
    score_function_grad,
    table_elbo,
    table_kl,
)

ALARM = 5.0  # standard errors: one false alarm in two million


@pytest.fixture
def binary(generator) -> BinaryLatentModel:
    weight = 2 * torch.randn(5, 3, generator=generator)
    bias, logits = torch.randn(5, generator=generator), torch.randn(3, generator=generator)
    return BinaryLatentModel(weight, bias, logits)


# The ELBO and its gap, on three models where every term is known


def test_three_forms_agree(model, x, q, eps):
    forms = elbo_three_ways(model, x, q)
    assert forms.joint_and_entropy.shape == (6,)
    for form in forms[1:]:
        torch.testing.assert_close(form, forms[0], rtol=1e3 * eps, atol=1e3 * eps)


def test_the_exact_elbo_is_what_draws_average_to(model, x, q, generator):
    _, log_w = log_weights(x, model.log_joint, q, 20_000, generator=generator)
    error = log_w.std(0) / math.sqrt(len(log_w))
    exact = elbo_three_ways(model, x, q)[0]
    assert ((log_w.mean(0) - exact).abs() < ALARM * error).all()
    assert elbo(x, model.log_joint, q, 3).shape == (6,)


def test_the_elbo_of_the_posterior_is_the_evidence(model, x, eps):
    found = elbo_three_ways(model, x, model.posterior(x)).likelihood_and_kl
    torch.testing.assert_close(found, model.log_marginal(x), rtol=1e3 * eps, atol=1e3 * eps)


def test_one_q_for_all_points(model, x):
    forms = elbo_three_ways(model, x, model.prior())
    assert all(form.shape == (6,) for form in forms)


def test_gap_of_a_mixture_is_the_divergence(make_params, generator, eps):
    params = make_params(3, 2)
    x = torch.randn(10, 2, generator=generator)
    q = torch.randn(10, 3, generator=generator).softmax(-1)
    bound = table_elbo(mixture.log_joint(x, params), q)
    gap = mixture.log_density(x, params) - bound
    expected = table_kl(q, mixture.responsibilities(x, params))
    torch.testing.assert_close(gap, expected, rtol=1e4 * eps, atol=1e4 * eps)
    assert (gap > 0).all()


def test_gap_of_the_binary_model_is_the_divergence(binary, generator, eps):
    x, _ = binary.sample(8, generator=generator)
    q = binary.factorised_table(torch.rand(8, 3, generator=generator))
    gap = binary.log_marginal(x) - table_elbo(binary.log_joint_table(x), q)
    expected = table_kl(q, binary.posterior_table(x))
    torch.testing.assert_close(gap, expected, rtol=1e4 * eps, atol=1e4 * eps)


# The binary model


def test_probabilities_of_all_data_sum_to_one(binary):
    all_x = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 5)
    torch.testing.assert_close(binary.log_marginal(all_x).exp().sum(), torch.tensor(1.0))


def test_log_joint_of_the_binary_model(binary, generator):
    x, z = binary.sample(4, generator=generator)
    prior = Bernoulli(logits=binary.prior_logits).log_prob(z).sum(-1)
    logits = z @ binary.weight.mT + binary.bias
    expected = prior + Bernoulli(logits=logits).log_prob(x).sum(-1)
    torch.testing.assert_close(binary.log_joint(x, z), expected)
    torch.testing.assert_close(binary.log_joint(x, z[None]), expected[None])
    place = (z @ torch.tensor([4.0, 2.0, 1.0])).long()  # the last value changes fastest
    table = binary.log_joint_table(x)
    torch.testing.assert_close(table.gather(1, place[:, None])[:, 0], expected)


def test_draws_of_the_binary_model(binary, generator):
    x, z = binary.sample(100_000, generator=generator)
    torch.testing.assert_close(z.mean(0), binary.prior_logits.sigmoid(), rtol=0, atol=0.01)
    all_x = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 5)
    expected = binary.log_marginal(all_x).exp() @ all_x
    torch.testing.assert_close(x.mean(0), expected, rtol=0, atol=0.01)


def test_mean_field_is_a_stationary_point_and_no_worse_than_random(binary, generator):
    x, _ = binary.sample(8, generator=generator)
    table = binary.log_joint_table(x)
    logits = binary.mean_field(x).logit(1e-6).requires_grad_()
    best = table_elbo(table, binary.factorised_table(logits.sigmoid()))
    (gradient,) = torch.autograd.grad(best.sum(), logits)
    assert gradient.abs().max() < 1e-3
    start = table_elbo(table, binary.factorised_table(torch.full((8, 3), 0.5)))
    assert (best > start).all()


def test_extreme_logits_in_single_precision():
    kind = {"dtype": torch.float32}
    model = BinaryLatentModel(
        torch.full((2, 2), 1e3, **kind), torch.full((2,), -500.0, **kind), torch.zeros(2, **kind)
    )
    x = torch.tensor([[1.0, 0.0]], **kind)
    assert model.log_marginal(x).isfinite().all()
    assert model.posterior_table(x).isfinite().all()


# Divergences


def test_gaussian_kl_is_torchs(q, generator, eps):
    p = MultivariateNormal(torch.randn(2, generator=generator), torch.eye(2) + 0.5)
    full = MultivariateNormal(q.mean, q.variance.diag_embed()) if isinstance(q, Independent) else q
    tolerance = {"rtol": 1e3 * eps, "atol": 1e3 * eps}
    torch.testing.assert_close(gaussian_kl(q, p), kl_divergence(full, p.expand((6,))), **tolerance)
    torch.testing.assert_close(gaussian_kl(p, q), kl_divergence(p.expand((6,)), full), **tolerance)
    assert gaussian_kl(q, q).abs().max() < 1e3 * eps


def test_gaussian_kl_at_extreme_scales():
    kind = {"dtype": torch.float32}
    narrow = Independent(Normal(torch.zeros(1, **kind), torch.full((1,), 1e-18, **kind)), 1)
    unit = Independent(Normal(torch.zeros(1, **kind), torch.ones(1, **kind)), 1)
    assert gaussian_kl(narrow, unit).item() == pytest.approx(-math.log(1e-18) - 0.5, rel=1e-6)
    assert gaussian_kl(unit, narrow).item() == pytest.approx(0.5e36, rel=1e-6)


def test_kl_on_a_grid_is_the_closed_form():
    grid = torch.linspace(-12, 12, 1201)
    q = Normal(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 1.5]))
    p = Normal(torch.tensor(0.5), torch.tensor(0.8))
    log_p, log_q = p.log_prob(grid) + 3, q.log_prob(grid[:, None]).T - 7  # any constant
    torch.testing.assert_close(
        reverse_kl(log_p, log_q, grid), kl_divergence(q, p), rtol=1e-4, atol=0
    )
    torch.testing.assert_close(
        forward_kl(log_p, log_q, grid), kl_divergence(p, q), rtol=1e-4, atol=0
    )


def test_log_integral_of_an_uneven_grid_and_of_huge_values():
    grid = torch.tensor([0.0, 1.0, 3.0])
    found = log_integral(torch.tensor([1.0, 2.0, 4.0]).log() + 1e4, grid)
    assert found.item() == pytest.approx(1e4 + math.log(1.5 + 6), rel=1e-6)


def test_table_kl_of_zeros():
    q, p = torch.tensor([[1.0, 0.0], [0.5, 0.5]]), torch.tensor([[0.25, 0.75], [1.0, 0.0]])
    assert table_kl(q, p).tolist() == pytest.approx([math.log(4), math.inf])


# Gradients of an expectation

PARAMS = [0.5, -0.3]


def gaussian(params):
    return Normal(params[..., 0], params[..., 1].exp())


def square(z):
    return (z - 1).square()


def exact_gradient():  # E (z − 1)² = (μ − 1)² + σ²
    return torch.tensor([2 * (PARAMS[0] - 1), 2 * math.exp(2 * PARAMS[1])])


@pytest.mark.parametrize("control", [None, 2.0, "leave_one_out", "best", "reparam"])
def test_gradient_estimates_are_unbiased(control, generator):
    params, options = torch.tensor(PARAMS), {"generator": generator}
    if control == "reparam":
        found = reparam_grad(square, gaussian, params, 50_000, **options)
    else:
        if control == "best":
            control = best_baseline(square, gaussian, params, 1000, **options)
        found = score_function_grad(
            square, gaussian, params, 50_000, control_variate=control, **options
        )
    assert found.per_sample.shape == (50_000, 2)
    torch.testing.assert_close(found.mean, found.per_sample.mean(0))
    assert ((found.mean - exact_gradient()).abs() < ALARM * found.standard_error).all()


def test_leave_one_out_with_two_draws_is_unbiased(generator):
    params = torch.tensor(PARAMS)
    options = {"control_variate": "leave_one_out", "generator": generator}
    found = torch.stack(
        [score_function_grad(square, gaussian, params, 2, **options).mean for _ in range(2000)]
    )
    error = found.std(0) / math.sqrt(len(found))
    assert ((found.mean(0) - exact_gradient()).abs() < ALARM * error).all()


def test_a_control_variate_and_reparameterisation_lower_the_variance(generator):
    params, options = torch.tensor(PARAMS), {"generator": generator}
    best = best_baseline(square, gaussian, params, 20_000, **options)
    plain = score_function_grad(square, gaussian, params, 20_000, **options)
    with_best = score_function_grad(
        square, gaussian, params, 20_000, control_variate=best, **options
    )
    through = reparam_grad(square, gaussian, params, 20_000, **options)
    variances = [found.per_sample.var(0) for found in (plain, with_best, through)]
    assert (variances[0] > variances[1]).all()
    assert (variances[1] > variances[2]).all()


def test_score_function_of_a_discrete_variable(generator):
    found = score_function_grad(
        lambda z: 3 * z,
        lambda params: Bernoulli(logits=params[..., 0]),
        torch.tensor([0.4]),
        50_000,
        generator=generator,
    )
    p = torch.tensor(0.4).sigmoid()
    assert abs(found.mean - 3 * p * (1 - p)) < ALARM * found.standard_error


def test_vector_valued_draws_and_a_single_one():
    def factory(params):
        return Independent(Normal(params[..., :3], params[..., 3:].exp()), 1)

    found = reparam_grad(lambda z: z.sum(-1), factory, torch.zeros(6), 1)
    assert found.mean[:3].tolist() == [1, 1, 1]
    assert found.standard_error.isnan().all()


# Gaussian variational inference


def test_full_vi_ends_at_the_posterior(model, x, generator):
    steps = []
    q = fit_gaussian_vi(
        model.log_joint,
        x,
        2,
        full=True,
        num_steps=600,
        generator=generator,
        callback=lambda step, q, bound: steps.append((step, bound)),
    )
    posterior = model.posterior(x)
    assert gaussian_kl(q, posterior).max() < 1e-4
    assert len(steps) == 600
    assert steps[-1][1].sum() > steps[0][1].sum()
    assert not q.loc.requires_grad


def test_mean_field_vi_ends_at_the_known_optimum(model, x, generator):
    q = fit_gaussian_vi(model.log_joint, x, 2, full=False, num_steps=600, generator=generator)
    loc, scale = mean_field_optimum(model, x)
    torch.testing.assert_close(q.base_dist.loc, loc, rtol=0, atol=5e-3)
    torch.testing.assert_close(q.base_dist.scale, scale.expand(6, -1), rtol=0.03, atol=0)


# Bad input


@pytest.mark.usefixtures("unchecked_shapes")
def test_bad_input(binary):
    params, unit = torch.zeros(2), Independent(Normal(torch.zeros(2), torch.ones(2)), 1)
    with pytest.raises(ValueError, match="expected a MultivariateNormal or Independent"):
        gaussian_kl(unit, Exponential(torch.ones(2)))
    with pytest.raises(ValueError, match="q has 2 values and p has 3"):
        gaussian_kl(unit, MultivariateNormal(torch.zeros(3), torch.eye(3)))
    with pytest.raises(ValueError, match=r"batch shape \(\) from parameters of shape \(5, 2\)"):
        score_function_grad(square, lambda p: Normal(p[0, 0], 1.0), params, 5)
    with pytest.raises(ValueError, match="expected one number per draw"):
        score_function_grad(lambda z: z.sum(), gaussian, params, 5)
    with pytest.raises(ValueError, match="at least two draws"):
        score_function_grad(square, gaussian, params, 1, control_variate="leave_one_out")
    with pytest.raises(ValueError, match=r"control_variate has shape \(3,\)"):
        score_function_grad(square, gaussian, params, 5, control_variate=torch.zeros(3))
    with pytest.raises(ValueError, match="Bernoulli has no rsample"):
        reparam_grad(square, lambda p: Bernoulli(logits=p[..., 0]), params, 5)
    with pytest.raises(ValueError, match="numbers without a gradient"):
        reparam_grad(lambda z: z.detach(), gaussian, params, 5)
    with pytest.raises(ValueError, match="rows of q sum to values from 2 to 2"):
        table_elbo(torch.zeros(1, 2), torch.ones(1, 2))
    with pytest.raises(ValueError, match=r"expected \(N, K\) for both"):
        table_kl(torch.ones(1, 2), torch.ones(1, 3))
    with pytest.raises(ValueError, match="rising order"):
        log_integral(torch.zeros(3), torch.tensor([0.0, 2.0, 1.0]))
    with pytest.raises(ValueError, match="one value per point"):
        log_integral(torch.zeros(4), torch.tensor([0.0, 1.0, 2.0]))
    with pytest.raises(ValueError, match="values other than 0 and 1"):
        binary.log_marginal(torch.full((1, 5), 0.5))
    with pytest.raises(ValueError, match=r"expected \(N, M\) = \(1, 3\)"):
        binary.log_joint(torch.ones(1, 5), torch.ones(2, 3))
    with pytest.raises(ValueError, match="all 2\\^M states are listed"):
        BinaryLatentModel(torch.zeros(1, 17), torch.zeros(1), torch.zeros(17))
    with pytest.raises(ValueError, match="num_steps is 0"):
        fit_gaussian_vi(binary.log_joint, torch.ones(1, 5), 2, full=True, num_steps=0)
